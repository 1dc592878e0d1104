// Warnings about who can reach what.
#include "config/config.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The small configuration, with a second target of another home on a second route.
std::vector<std::string> told(const std::string& rules, const std::string& key_routes = "[chat, far]",
                              const std::string& hash = "sha256:20112233445566778899aabbccddeeff00112233445566778899aabbccddeeff") {
  World world;
  world.files["f.yaml"] = R"(providers:
  here: {profile: plain, base_url: "http://127.0.0.1:9001/v1", operator: ZA, region: ZA, hosting: self, retention: none}
  there: {profile: plain, base_url: "https://there.example/v1", operator: US, region: US, retention: none, labels: {dpa: 2026-04-01}}
models:
  plain/m: {origin: CN, prices: [{from: 2026-01-01, input: "0.5", output: "2"}]}
  plain/m-large: {origin: US, prices: [{from: 2026-01-01, input: "0.5", output: "2"}]}
profiles:
  plain: {}
routes:
  chat: {targets: [here/m, there/m-large]}
  far: {targets: [there/m-large]}
keys:
  - {name: app, hash: ")" +
                          hash + R"(", team: payments, routes: )" + key_routes + "}\n" + rules;
  world.now = [] { return std::chrono::sys_days(std::chrono::year(2026) / 2 / 1); };
  const auto loaded = world.load();
  EXPECT_THAT(errors(loaded), IsEmpty());
  return warnings(loaded);
}

TEST(LintReach, is_silent_where_all_is_reached) {
  EXPECT_THAT(told(""), IsEmpty());
  EXPECT_THAT(told("policies: [{name: p, when: {key: app, route: chat}, allow: {region: ZA}}]\n"), IsEmpty());
}

TEST(LintReach, a_route_that_nobody_may_ask_for) {
  EXPECT_THAT(told("", "[chat]"),
              ElementsAre("f.yaml:11:8: warning: routes.far: no key may ask for this route; name it in the `routes` of a key"));
}

TEST(LintReach, a_policy_that_never_applies) {
  const std::string never =
      "f.yaml:14:12: warning: policies[0]: this policy never applies; no key that it is about can make such a "
      "request for a route that it is about";
  EXPECT_THAT(told("policies: [{name: p, when: {endpoint: embeddings}, deny: {region: US}}]\n"), ElementsAre(never));
  EXPECT_THAT(told("policies: [{name: p, when: {team: payments, project: x}, deny: {region: US}}]\n"), testing::Contains(never));
  EXPECT_THAT(told("policies: [{name: p, when: {route: far}, deny: {operator: ZA}}]\n", "[chat]"), testing::Contains(never));
}

TEST(LintReach, a_route_that_policies_leave_without_a_target) {
  EXPECT_THAT(
      told("policies: [{name: p, allow: {region: ZA}}]\n"),
      testing::Contains("f.yaml:11:8: warning: routes.far: the key 'app' can ask for this route, and policies leave it no target; "
                        "every request of it is refused"));
  EXPECT_THAT(
      told("policies: [{name: p, when: {modality: image}, allow: {region: ZA}}]\n"),
      ElementsAre("f.yaml:11:8: warning: routes.far: the key 'app' can make requests for this route to which policies leave no "
                  "target; where all of these apply: p"));
  EXPECT_THAT(told("policies: [{name: p, when: {route: far}, allow: {label: dpa}}]\n"), IsEmpty()) << "it has not ended yet";
}

TEST(LintReach, a_target_that_policies_refuse_to_all) {
  EXPECT_THAT(
      told("policies: [{name: p, deny: {region: ZA}}]\n"),
      ElementsAre("f.yaml:10:20: warning: routes.chat.targets[0].target: no key can reach this target; policies refuse it to all "
                  "that may ask for its routes"));
  EXPECT_THAT(told("policies: [{name: p, when: {modality: text}, deny: {region: ZA}}]\n").size(), 1U) << "all carry text";
  EXPECT_THAT(told("policies: [{name: p, when: {input_tokens: {above: 5}}, deny: {region: ZA}}]\n"), IsEmpty());
}

TEST(LintReach, a_pattern_that_allows_more_than_it_names) {
  EXPECT_THAT(told("policies: [{name: p, allow: {model: 'm*'}}]\n"),
              ElementsAre("f.yaml:14:37: warning: policies[0].allow.model[0]: 'm*' allows models of several makers; here/m (CN), "
                          "there/m-large (US)"));
  EXPECT_THAT(told("policies: [{name: p, allow: {provider: '*'}}]\n"), ElementsAre(HasSubstr("providers of several operators")));
  EXPECT_THAT(told("policies: [{name: p, when: {route: far}, allow: {model: 'm-*'}}]\n"), IsEmpty());
}

TEST(LintReach, says_nothing_while_a_key_lacks_its_secret) {
  EXPECT_THAT(told("policies: [{name: p, allow: {region: ZA}}]\n", "[chat]", "${env:NONE}"),
              ElementsAre(HasSubstr("the key 'app' is disabled until then")));
}

}  // namespace
}  // namespace fairlead::config
