// Routing tests as they are read: what they ask about and expect must be there.
#include "config/config.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

using testing::ElementsAre;

Loaded with_tests(const std::string& tests, bool included = false) {
  World world;
  world.files["f.yaml"] =
      small_config + "policies: [{name: home, allow: {hosting: self}}]\n" + (included ? "include: [f.test.yaml]\n" : tests);
  world.files["f.test.yaml"] = tests;
  return world.load();
}

TEST(RoutingTests, are_read_with_their_place) {
  const std::string text = R"(tests:
  - name: all of it
    key: app
    route: chat
    tokens: 5
    output_tokens: 7
    tags: [a, b]
    modality: [image, tools]
    network: 10.0.0.1
    stream: true
    at: 2026-06-01T12:00Z
    expect: {target: here/m, allowed: [here/m], order: here/m, refused_by: [home], cost: "0.5"}
  - {name: little of it, key: app, expect: {refused_by: []}}
)";
  for (const bool included : {false, true}) {
    const auto loaded = with_tests(text, included);
    EXPECT_THAT(errors(loaded), testing::IsEmpty());
    ASSERT_EQ(loaded.tests.size(), 2U);
    const RoutingTest& whole = loaded.tests[0];
    EXPECT_EQ(whole.place, included ? "f.test.yaml:2:5" : "f.yaml:22:5");
    EXPECT_EQ(whole.asked.key, "app");
    EXPECT_EQ(whole.asked.input_tokens, 5);
    EXPECT_EQ(whole.asked.output_tokens_max, 7);
    EXPECT_THAT(whole.asked.tags, ElementsAre("a", "b"));
    EXPECT_THAT(whole.asked.modalities, ElementsAre(Modality::image, Modality::tools));
    EXPECT_EQ(whole.asked.client, "10.0.0.1");
    EXPECT_TRUE(whole.asked.stream && whole.at);
    EXPECT_EQ(whole.target, "here/m");
    EXPECT_THAT(*whole.order, ElementsAre("here/m"));
    EXPECT_THAT(*whole.refused_by, ElementsAre("home"));
    EXPECT_TRUE(whole.cost == parse_decimal("0.5").value());
    EXPECT_TRUE(loaded.tests[1].refused_by && loaded.tests[1].refused_by->empty());
    EXPECT_EQ(loaded.tests[1].asked.input_tokens, 1'000);
    EXPECT_FALSE(loaded.tests[1].target || loaded.tests[1].allowed || loaded.tests[1].cost || loaded.tests[1].at);
  }
}

TEST(RoutingTests, that_name_what_is_not_there_are_errors) {
  const auto told = [](const std::string& rest) { return errors(with_tests("tests: [{name: t, key: app, " + rest + "}]\n")); };
  EXPECT_THAT(told("expect: {target: here/n}"),
              ElementsAre("f.yaml:21:46: tests[0].expect.target: no target 'here/n'; did you mean 'here/m'?"));
  EXPECT_THAT(told("expect: {allowed: [here/m, here/x]}").size(), 1U);
  EXPECT_THAT(told("expect: {refused_by: hom}"),
              ElementsAre("f.yaml:21:50: tests[0].expect.refused_by[0]: no policy 'hom'; did you mean 'home'?"));
  EXPECT_THAT(told("expect: {}").size(), 1U);
  EXPECT_THAT(told("tokens: 1").size(), 1U) << "it expects nothing";
  EXPECT_THAT(errors(with_tests("tests: [{name: t, key: apple, expect: {target: here/m}}]\n")),
              ElementsAre("f.yaml:21:24: tests[0].key: no key 'apple'; there are: app"));
}

TEST(RoutingTests, do_without_secrets) {
  World world;
  world.files["f.yaml"] = small_config;
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("operator: ZA"), 12, "operator: ZA\n    api_key: ${env:NONE}");
  text.replace(text.find("hash: "), text.find("\n    team") - text.find("hash: "), "hash: ${env:NONE}");
  Sources sources = world.sources();
  EXPECT_TRUE(load("f.yaml", sources).snapshot->keys.empty());
  sources.secrets_assumed = true;
  const auto whole = load("f.yaml", sources);
  ASSERT_NE(whole.snapshot, nullptr);
  EXPECT_EQ(whole.snapshot->keys.at(0).name, "app");
  EXPECT_EQ(whole.snapshot->providers.at(0)->disabled_because, "");
}

}  // namespace
}  // namespace fairlead::config
