#include "cli/assertions.h"

#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::cli {
namespace {

using testing::HasSubstr;

const std::string yaml = R"(providers:
  near: {base_url: "http://127.0.0.1:1/v1", operator: ZA, region: ZA, hosting: self, retention: none}
  far: {base_url: "http://127.0.0.1:2/v1", operator: US, region: US, retention: none}
routes:
  chat: {targets: [near/m, far/m]}
  cheap: {targets: [near/m], max_cost: "0.000001"}
contracts:
  near/m: {prices: [{from: 2026-01-01, input: "2", output: "2"}]}
policies:
  - {name: home, when: {tags: secret, input_tokens: {above: 10}}, allow: {hosting: self}}
  - {name: cards, when: {content: [payment_card, iban], tags: secret}, allow: {hosting: self}}
keys:
  - {name: app, hash: "sha256:20112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", team: blue, routes: [chat, cheap], request_tags: [secret]}
assertions:
)";

std::string told(const std::string& assertions, bool coloured = false, const std::string& file = "f.yaml",
                 const std::string& rest = yaml) {
  config::Sources sources;
  sources.read_file = [&](const std::string&) { return rest + assertions; };
  sources.environment = [](const std::string&) { return std::nullopt; };
  const config::Loaded loaded = config::load(file, sources);
  if (!loaded.snapshot) return loaded.findings.empty() ? "" : config::format(loaded.findings.front());
  const auto proofs =
      prove::prove(*loaded.snapshot, std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + std::chrono::hours(7));
  return proofs_text(proofs, *loaded.snapshot, coloured) + (all_hold(proofs) ? "all hold" : "not all hold");
}

TEST(AssertionsTold, with_a_command_that_shows_the_request_that_breaks_one) {
  EXPECT_EQ(told(R"(  - {name: at-home, always: {target: {hosting: self}}}
  - {name: long-secrets, always: {when: {tags: SECRET, input_tokens: {above: 100}}, target: {hosting: self}}}
  - {name: secrets, never: {when: {tags: secret}, target: {operator: US}}}
  - {name: others, never: {when: {team: red}, target: {operator: US}}}
)"),
            R"(
assertions
  FAILS  at-home (f.yaml:15:5)
          far/m may be reached:
            fairlead explain --config f.yaml --key app --route chat --tokens 1000 --at 2026-11-26T07:00:00Z
          not refused by home (when tags secret; input_tokens above 10), cards (when content payment_card, iban; tags secret), which refuse it to others
  proved  long-secrets
  FAILS  secrets (f.yaml:17:5)
          far/m may be reached:
            fairlead explain --config f.yaml --key app --route chat --tag secret --tokens 0 --at 2026-11-26T07:00:00Z
          not refused by home (when tags secret; input_tokens above 10), cards (when content payment_card, iban; tags secret), which refuse it to others
  proved  others, but of nobody: no request can match its `when`
  2 proved, 2 not, for all requests
not all hold)");
}

TEST(AssertionsTold, with_every_option_that_some_rule_asks_for) {
  const std::string text = told(R"(  - name: all
    never:
      when: {modality: image, endpoint: responses, network: 10.0.0.0/8, time: {weekdays: sun}}
      target: {provider: near}
)",
                                false, "my file's.yaml");
  EXPECT_THAT(text, HasSubstr("fairlead explain --config 'my file'\\''s.yaml' --key app --route chat --modality image --endpoint "
                              "responses --tokens 1000 --network 10.0.0.0 --at 2026-11-29T00:00:00Z\n"));
  EXPECT_THAT(text, HasSubstr("no policy refuses this target to anybody\n"));
  EXPECT_THAT(text, HasSubstr("0 proved, 1 not, for all requests before 2028-01-01\n"));
}

TEST(AssertionsTold, with_the_content_that_policies_look_for) {
  const std::string text = told(R"(  - {name: a, never: {when: {content: [iban, payment_card]}, target: {operator: US}}}
)");
  EXPECT_THAT(text, HasSubstr("--route chat --class iban --tokens 1000 ")) << text;
}

TEST(AssertionsTold, with_content_that_no_policy_looks_for) {
  const std::string text = told("  - {name: a, never: {when: {content: phone}, target: {operator: US}}}\n");
  EXPECT_THAT(text, HasSubstr("FAILS  a ")) << text;
  EXPECT_THAT(text, HasSubstr("--route chat --class phone --tokens 1000 ")) << text;
}

TEST(AssertionsTold, with_the_day_on_which_a_policy_begins_to_refuse) {
  std::string labelled = yaml;
  labelled.replace(labelled.find("region: US, "), 12, "region: US, labels: {dpa: 2027-06-30}, ");
  labelled.replace(
      labelled.find("policies:\n"), 10,
      "policies:\n  - {name: agreed, allow: {label: dpa}}\n  - {name: tagged, when: {tags: secret}, allow: {label: dpa}}\n");
  const std::string text = told("  - {name: a, never: {target: {operator: US}}}\n", false, "f.yaml", labelled);
  EXPECT_THAT(text, HasSubstr("not refused by agreed, which refuses it from 2027-06-30 on, when its label ends\n"));
  EXPECT_THAT(text, HasSubstr("not refused by tagged (when tags secret), which refuses it to others from 2027-06-30 on, when its "
                              "label ends\n"));
  EXPECT_THAT(text, HasSubstr("not refused by home (when tags secret; input_tokens above 10), cards"));
}

TEST(AssertionsTold, with_what_else_stops_the_request) {
  EXPECT_THAT(
      told("  - {name: a, never: {when: {route: cheap}, target: {operator: ZA}}}\n"),
      HasSubstr("          this very request would be stopped by price max_cost: it is expected to cost 0.0028 USD, at most is "
                "0.000001 on route cheap\n"));
}

TEST(AssertionsTold, in_colour_on_a_terminal) {
  const std::string text =
      told("  - {name: a, never: {target: {operator: ZA}}}\n  - {name: b, never: {target: {operator: CN}}}\n", true);
  EXPECT_THAT(text, HasSubstr("  \x1b[31mFAILS\x1b[0m  a (f.yaml:15:5)\n"));
  EXPECT_THAT(text, HasSubstr("  \x1b[32mproved\x1b[0m  b\n"));
}

}  // namespace
}  // namespace fairlead::cli
