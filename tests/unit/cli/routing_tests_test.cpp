#include "cli/routing_tests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::cli {
namespace {

const std::string routing_yaml = R"(providers:
  near: {base_url: "http://127.0.0.1:1/v1", operator: ZA, region: ZA, hosting: self, retention: none}
  far: {base_url: "http://127.0.0.1:2/v1", operator: US, region: US, retention: none}
routes:
  chat: {targets: [near/m, far/m]}
contracts:
  near/m: {prices: [{from: 2026-01-01, input: "2", output: "2"}]}
  far/m: {prices: [{from: 2026-01-01, input: "1", output: "1"}]}
policies:
  - {name: home, when: {tags: secret}, allow: {hosting: self}}
  - {name: abroad, when: {tags: public}, allow: {hosting: cloud}}
keys:
  - {name: app, hash: "sha256:20112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", routes: chat, request_tags: [secret, public]}
tests:
)";

std::vector<TestOutcome> outcomes_of(const std::string& tests) {
  config::Sources sources;
  sources.read_file = [&](const std::string&) { return routing_yaml + tests; };
  sources.environment = [](const std::string&) { return std::nullopt; };
  static config::Loaded loaded;
  loaded = config::load("f.yaml", sources);
  EXPECT_NE(loaded.snapshot, nullptr) << (loaded.findings.empty() ? "" : config::format(loaded.findings[0]));
  return run_tests(loaded.tests, *loaded.snapshot, std::chrono::sys_days{std::chrono::year{2026} / 6 / 1});
}

std::vector<std::string> differences(const std::string& rest) {
  return outcomes_of("  - {name: t, key: app, " + rest + "}\n").at(0).differences;
}

TEST(RoutingTests, what_is_expected_and_comes_is_no_difference) {
  for (const char* rest : {"expect: {target: far/m}", "expect: {allowed: [near/m, far/m]}", "expect: {order: [far/m, near/m]}",
                           "expect: {cost: '0.0014'}", "tokens: 2000, output_tokens: 0, expect: {cost: '0.002'}",
                           "tags: secret, expect: {order: near/m}", "tags: [secret, public], expect: {refused_by: [abroad, home]}"})
    EXPECT_THAT(differences(rest), testing::IsEmpty()) << rest;
}

TEST(RoutingTests, what_differs_is_told_with_its_reason) {
  using testing::ElementsAre;
  EXPECT_THAT(differences("expect: {target: near/m}"), ElementsAre("target", "- near/m", "+ far/m"));
  EXPECT_THAT(differences("tags: secret, expect: {target: far/m}"),
              ElementsAre("target", "- far/m (policy home: its hosting is cloud, allowed is self)", "+ near/m"));
  EXPECT_THAT(differences("expect: {order: [near/m, far/m]}"), ElementsAre("order", "- near/m, far/m", "+ far/m, near/m"));
  EXPECT_THAT(differences("tags: secret, expect: {allowed: [far/m]}"),
              ElementsAre("allowed", "- far/m (policy home: its hosting is cloud, allowed is self)", "+ near/m"));
  EXPECT_THAT(differences("expect: {refused_by: home}"), ElementsAre("refused_by", "- home", "+ not refused: far/m, near/m"));
  EXPECT_THAT(differences("tags: [secret, public], expect: {refused_by: home}"), ElementsAre("refused_by", "+ abroad"));
  EXPECT_THAT(differences("tags: [secret, public], expect: {target: near/m}"),
              ElementsAre("target", "- near/m (policy abroad: its hosting is self, allowed is cloud)",
                          "+ refused: request (hypothetical) is refused by the policies 'home', 'abroad'"));
  EXPECT_THAT(differences("expect: {cost: '0.0015'}"), ElementsAre("cost", "- 0.0015 USD", "+ 0.0014 USD for far/m"));
  EXPECT_THAT(differences("tags: unknown, expect: {target: far/m}"), ElementsAre("This key may not set the tag 'unknown'."));
}

TEST(RoutingTests, are_printed_with_a_sum_and_coloured_for_a_terminal) {
  const auto outcomes = outcomes_of(
      "  - {name: good, key: app, expect: {target: far/m}}\n"
      "  - {name: bad, key: app, expect: {target: near/m}}\n");
  EXPECT_EQ(outcomes_text(outcomes, false),
            "\ntests\n"
            "  pass  good\n"
            "  FAIL  bad (f.yaml:16:5)\n"
            "        target\n"
            "          - near/m\n"
            "          + far/m\n"
            "  1 passed, 1 failed\n");
  const std::string coloured = outcomes_text(outcomes, true);
  EXPECT_THAT(coloured, testing::HasSubstr("\x1b[32mpass\x1b[0m  good"));
  EXPECT_THAT(coloured, testing::HasSubstr("\x1b[31mFAIL\x1b[0m  bad"));
}

}  // namespace
}  // namespace fairlead::cli
