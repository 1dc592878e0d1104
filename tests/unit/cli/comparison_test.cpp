// What a change of the configuration is told to change, and for whom.
#include "cli/comparison.h"

#include "unit/config/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace fairlead::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string start = R"(providers:
  a: {profile: generic, price_list: a, base_url: "http://a", operator: CN, region: CN, retention: none}
  b: {profile: generic, price_list: b, base_url: "http://b", operator: US, region: US, retention: none}
models:
  a/m: {origin: CN, prices: [{from: 2026-01-01, input: "1", output: "0"}]}
  b/m: {origin: US, prices: [{from: 2026-01-01, input: "2", output: "0"}]}
routes:
  chat: {targets: [a/m, b/m]}
  solo: {targets: [a/m]}
keys:
  - {name: one, hash: "${env:ONE}", team: red, routes: [chat]}
  - {name: two, hash: "${env:TWO}", team: blue, routes: [chat, solo]}
)";

/// The text with each first `from` replaced by its `to`.
std::string with(std::string text, const std::vector<std::pair<std::string, std::string>>& changes) {
  for (const auto& [from, to] : changes) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("the text has no " + from);
    text.replace(at, from.size(), to);
  }
  return text;
}

config::Loaded loaded_of(const std::string& text) {
  config::World world;
  world.files["f.yaml"] = text;
  config::Sources sources = world.sources();
  sources.secrets_assumed = true;
  auto loaded = config::load("f.yaml", sources);
  if (!loaded.snapshot) throw std::runtime_error(testing::PrintToString(config::errors(loaded)));
  return loaded;
}

Reference reference() {
  using namespace std::chrono;
  return {1'000, 400, sys_days(2026y / November / 26), {}};
}

Comparison compared(const std::string& after) { return compare(loaded_of(start), loaded_of(after), reference()); }

std::vector<std::string> told(const std::vector<TargetChange>& changes) {
  std::vector<std::string> all;
  for (const TargetChange& change : changes) all.push_back(change.target + ": " + change.why);
  return all;
}

TEST(Comparison, of_the_same_shows_nothing) {
  EXPECT_FALSE(compared(start).any());
  EXPECT_FALSE(compared("# a remark\n" + start).any());
}

TEST(Comparison, a_policy_is_told_for_the_keys_that_it_binds_alone) {
  const auto found = compared(start + "policies: [{name: p, when: {team: blue}, deny: {origin: CN}}]\n");
  ASSERT_THAT(found.effects, SizeIs(2));
  EXPECT_EQ(found.effects[0].route, "chat");
  EXPECT_THAT(found.effects[0].keys, ElementsAre("two"));
  EXPECT_THAT(told(found.effects[0].lost), ElementsAre("a/m: policy p: its origin is CN, denied is CN"));
  EXPECT_THAT(found.effects[0].gained, IsEmpty());
  EXPECT_EQ(cost_text(found.effects[0], " -> "), "1 USD -> 2 USD (+100 %)");
  EXPECT_EQ(found.effects[1].route, "solo");
  EXPECT_THAT(found.effects[1].after->targets, IsEmpty());
  EXPECT_EQ(cost_text(found.effects[1], " -> "), "1 USD -> refused");
  ASSERT_THAT(found.sections, SizeIs(1));
  EXPECT_EQ(found.sections[0].title, "policies");
  EXPECT_EQ(found.sections[0].changes[0].kind, ChangeKind::added);
}

TEST(Comparison, nothing_that_policies_look_for_is_in_the_prompt) {
  const std::string cards = start + "policies:\n- {name: cards, when: {content: [payment_card]}, deny: {provider: ['*']}}\n";
  EXPECT_THAT(compared(cards).effects, IsEmpty());
  const auto found = compare(loaded_of(cards), loaded_of(cards + "- {name: p, deny: {origin: CN}}\n"), reference());
  ASSERT_THAT(found.effects, SizeIs(2));
  EXPECT_THAT(told(found.effects[0].lost), ElementsAre("a/m: policy p: its origin is CN, denied is CN"));
}

TEST(Comparison, a_policy_that_goes_tells_what_stood_against_a_target) {
  const std::string bound = start + "policies: [{name: p, deny: {origin: CN}}]\n";
  const auto found = compare(loaded_of(bound), loaded_of(start), reference());
  EXPECT_THAT(told(found.effects.at(0).gained), ElementsAre("a/m: policy p: its origin is CN, denied is CN"));
}

TEST(Comparison, what_happens_to_several_keys_alike_is_told_once) {
  const auto found = compared(with(start, {{"[a/m, b/m]", "[b/m]"}}));
  ASSERT_THAT(found.effects, SizeIs(1));
  EXPECT_THAT(found.effects[0].keys, ElementsAre("one", "two"));
  EXPECT_THAT(told(found.effects[0].lost), ElementsAre("a/m: not in the route any more"));
}

TEST(Comparison, another_order_of_the_same_targets_is_told) {
  const auto found = compared(with(start, {{"input: \"1\"", "input: \"3\""}}));
  ASSERT_THAT(found.effects, SizeIs(2));
  EXPECT_TRUE(found.effects[0].reordered);
  EXPECT_THAT(found.effects[0].after->targets, ElementsAre("b/m", "a/m"));
  EXPECT_FALSE(found.effects[1].reordered) << "one target has no order, but another price";
  EXPECT_EQ(cost_text(found.effects[1], " -> "), "1 USD -> 3 USD (+200 %)");
  EXPECT_EQ(found.sections.at(0).title, "targets");
}

TEST(Comparison, routes_that_come_and_go_are_told_for_the_keys_that_had_or_get_them) {
  const auto gone = compared(with(start, {{"  solo: {targets: [a/m]}\n", ""}, {"[chat, solo]", "[chat]"}}));
  ASSERT_THAT(gone.effects, SizeIs(1));
  EXPECT_FALSE(gone.effects[0].after);
  EXPECT_THAT(gone.effects[0].keys, ElementsAre("two"));
  const auto given = compared(with(start, {{"team: red, routes: [chat]", "team: red, routes: [chat, solo]"}}));
  ASSERT_THAT(given.effects, SizeIs(1));
  EXPECT_FALSE(given.effects[0].before);
  EXPECT_THAT(given.effects[0].keys, ElementsAre("one"));
}

TEST(Comparison, a_key_that_comes_or_goes_is_told_with_its_routes) {
  const auto found = compared(with(start, {{"name: two", "name: three"}}));
  ASSERT_THAT(found.effects, SizeIs(4));
  EXPECT_THAT(found.effects[0].keys, ElementsAre("three"));
  EXPECT_THAT(found.effects[1].keys, ElementsAre("two"));
  ASSERT_THAT(found.sections, SizeIs(1));
  EXPECT_EQ(found.sections[0].changes[0].kind, ChangeKind::added);
  EXPECT_EQ(found.sections[0].changes[1].kind, ChangeKind::removed);
}

TEST(Comparison, a_price_that_is_missing_is_no_price_of_0) {
  const auto found = compared(
      with(start, {{"[{from: 2026-01-01, input: \"1\", output: \"0\"}]", "[{from: 2027-01-01, input: \"1\", output: \"0\"}]"}}));
  ASSERT_THAT(found.effects, SizeIs(2));
  EXPECT_EQ(cost_text(found.effects[0], " -> "), "1 USD -> 2 USD (+100 %)") << "the unpriced target ranks last";
  EXPECT_EQ(cost_text(found.effects[1], " -> "), "1 USD -> no price");
}

TEST(Comparison, costs_are_rounded_to_what_a_reviewer_reads) {
  const auto cost = [](const char* before, const char* after) {
    Effect effect;
    effect.before = Offer{{"x"}, *parse_decimal(before)};
    effect.after = Offer{{"x"}, *parse_decimal(after)};
    return cost_text(effect, " -> ");
  };
  EXPECT_EQ(cost("0.12344", "0.12345"), "0.1234 USD -> 0.1235 USD");
  EXPECT_EQ(cost("3", "2"), "3 USD -> 2 USD (-33.3 %)");
  EXPECT_EQ(cost("0", "1"), "0 USD -> 1 USD");
  EXPECT_EQ(cost("0.000001", "0.000002"), "0.000001 USD -> 0.000002 USD (+100 %)");
  EXPECT_EQ(cost("8", "8.001"), "8 USD -> 8.001 USD");
}

TEST(Comparison, what_needs_a_restart_is_named) {
  EXPECT_THAT(
      compared(start + "workers: 3\nledger_sync: os\nadmin: 127.0.0.1:1\nledger: sqlite:x\nlisten: 127.0.0.1:2\n").needs_restart,
      ElementsAre("listen", "admin", "ledger", "ledger_sync", "workers"));
  EXPECT_THAT(compared(start + "log: {level: warn}\n").needs_restart, IsEmpty());
}

TEST(Comparison, each_network_that_a_policy_tells_apart_is_asked_from) {
  const std::string one = start + "policies: [{name: p, when: {network: [10.0.0.0/8]}, deny: {origin: CN}}]\n";
  const auto found = compared(one);
  EXPECT_THAT(found.asked_from, ElementsAre("elsewhere", "10.0.0.0/8"));
  ASSERT_THAT(found.effects, SizeIs(2));
  EXPECT_EQ(found.effects[0].route, "chat");
  EXPECT_THAT(found.effects[0].keys, ElementsAre("one", "two"));
  EXPECT_THAT(found.effects[0].from, ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(told(found.effects[0].lost), ElementsAre("a/m: policy p: its origin is CN, denied is CN"));

  const std::string wider =
      start + "policies: [{name: p, when: {network: [10.0.0.0/8, 10.1.0.0/16, '2001:db8::/32']}, deny: {origin: CN}}]\n";
  const auto widened = compare(loaded_of(one), loaded_of(wider), reference());
  EXPECT_THAT(widened.asked_from, testing::UnorderedElementsAre("elsewhere", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"));
  ASSERT_THAT(widened.effects, SizeIs(2));
  EXPECT_THAT(widened.effects[0].from, ElementsAre("2001:db8::/32"));

  const auto everywhere =
      compare(loaded_of(one), loaded_of(with(one, {{"[a/m, b/m]", "[b/m]"}, {"solo: {targets: [a/m]}", "solo: {targets: [b/m]}"}})),
              reference());
  ASSERT_FALSE(everywhere.effects.empty());
  EXPECT_THAT(everywhere.effects.back().from, SizeIs(1)) << "from 10.0.0.0/8 it was refused, from elsewhere it was not";

  Reference from_home = reference();
  from_home.client = parse_ip("10.1.2.3");
  const auto single = compare(loaded_of(start), loaded_of(one), from_home);
  EXPECT_THAT(single.asked_from, IsEmpty());
  ASSERT_THAT(single.effects, SizeIs(2));
  EXPECT_THAT(single.effects[0].from, IsEmpty());
}

TEST(Comparison, what_changes_no_plan_is_told_as_it_is_written) {
  const std::string before = start + R"(limits: {attempts_max: 3}
content: {projects: {words: [north, south]}}
policies: [{name: p, when: {content: [projects]}, deny: {origin: CN}}]
)";
  const auto found =
      compare(loaded_of(before),
              loaded_of(with(before, {{"attempts_max: 3", "body_bytes_max: 8MiB"},
                                      {"[north, south]", "[north, west]"},
                                      {"region: US, retention: none", "region: US, retention: none, timeouts: {total: 60s}"},
                                      {"chat: {targets: [a/m, b/m]}",
                                       "chat: {targets: [a/m, {target: b/m, weight: 3, quality: 80}], quality_min: 10}"},
                                      {"name: one, hash: \"${env:ONE}\"", "name: one, hash: \"${env:OTHER}\""}})),
              reference());
  const auto options = std::find_if(found.sections.begin(), found.sections.end(),
                                    [](const Section& section) { return section.title == "other options"; });
  ASSERT_NE(options, found.sections.end());
  std::vector<std::string> told;
  for (const Change& change : options->changes)
    for (const FieldChange& field : change.fields)
      told.push_back(change.name + " " + field.field + ": " + field.before + " -> " + field.after);
  EXPECT_THAT(told, testing::UnorderedElementsAre("providers.b timeouts.total:  -> 60s",
                                                  "content.projects words: north, south -> north, west",
                                                  "limits body_bytes_max:  -> 8MiB", "limits attempts_max: 3 -> "));
  const auto routes =
      std::find_if(found.sections.begin(), found.sections.end(), [](const Section& section) { return section.title == "routes"; });
  ASSERT_NE(routes, found.sections.end());
  EXPECT_EQ(routes->changes.at(0).fields.at(0).after, "a/m, b/m (weight 3, quality 80)");
}

TEST(Comparison, no_secret_is_shown_wherever_it_was_written) {
  const auto found = compared(
      start + "content: {own: {words: [sk-0123456789abcdef]}}\npolicies: [{name: p, when: {content: own}, deny: {origin: CN}}]\n");
  ASSERT_FALSE(found.sections.empty());
  for (const Section& section : found.sections)
    for (const Change& change : section.changes)
      for (const FieldChange& field : change.fields) EXPECT_EQ(field.after.find("sk-0"), std::string::npos);
}

TEST(Comparison, a_provider_that_moves_or_changes_its_facts_is_told) {
  const auto found = compared(with(start, {{"http://a", "http://elsewhere:81/v1"}, {"region: US", "region: EU"}}));
  ASSERT_THAT(found.sections, SizeIs(1));
  const auto& changes = found.sections[0].changes;
  EXPECT_EQ(changes.at(0).fields.at(0).after, "http://elsewhere:81/v1");
  EXPECT_EQ(changes.at(1).fields.at(0).field, "region");
  EXPECT_THAT(found.effects, IsEmpty());
}

}  // namespace
}  // namespace fairlead::cli
