// Rules as they are read: every word of the vocabulary becomes what it says.
#include "config/config.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string two_keys = R"(
  - name: batch
    hash: sha256:10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
    team: Research
    project: maths
    tags: [Slow]
    request_tags: [pilot]
    routes: [chat]
)";

Loaded with_rules(const std::string& rules) {
  World world;
  world.files["f.yaml"] = small_config + two_keys.substr(1) + rules;
  world.now = [] { return std::chrono::sys_days(std::chrono::year(2026) / 6 / 1); };
  return world.load();
}

/// The one policy with this `when`.
Policy rule_when(const std::string& when) {
  const auto loaded = with_rules("policies: [{name: p, when: {" + when + "}, allow: {origin: CN}}]\n");
  EXPECT_THAT(errors(loaded), IsEmpty()) << when;
  EXPECT_THAT(warnings(loaded), IsEmpty()) << when;
  return loaded.snapshot ? loaded.snapshot->policies.at(0) : Policy{};
}

IndexSet set_of(std::initializer_list<int> indexes) {
  IndexSet set;
  for (const int index : indexes) set.add(index);
  return set;
}

TEST(Policies, conditions_about_who_asks_become_one_set_of_keys) {
  EXPECT_EQ(rule_when("").when.keys, std::nullopt);
  EXPECT_EQ(rule_when("key: batch").when.keys, set_of({1}));
  EXPECT_EQ(rule_when("key: [app, batch]").when.keys, set_of({0, 1}));
  EXPECT_EQ(rule_when("team: research").when.keys, set_of({1})) << "case does not count";
  EXPECT_EQ(rule_when("project: maths, key: [app, batch]").when.keys, set_of({1}));
  const auto nobody = with_rules("policies: [{name: p, when: {team: payments, project: maths}, allow: {origin: CN}}]\n");
  EXPECT_TRUE(nobody.snapshot && nobody.snapshot->policies[0].when.keys->empty()) << "all of it must hold";
}

TEST(Policies, the_other_conditions_are_typed) {
  EXPECT_EQ(rule_when("route: chat").when.routes, set_of({0}));
  EXPECT_THAT(rule_when("tags: [SLOW, pilot]").when.tags, ElementsAre("slow", "pilot"));
  EXPECT_EQ(rule_when("endpoint: chat.completions").when.endpoints, 1);
  EXPECT_EQ(rule_when("modality: [image, tools]").when.modalities, 0b1010);
  EXPECT_THAT(rule_when("input_tokens: {above: 1000}").when.input_tokens, ElementsAre(TokenRange{.above = 1000}));
  EXPECT_THAT(rule_when("input_tokens: [{up_to: 5}, {above: 7, up_to: 9}]").when.input_tokens,
              ElementsAre(TokenRange{.up_to = 5}, TokenRange{.above = 7, .up_to = 9}));
  EXPECT_THAT(rule_when("network: [10.0.0.0/8, '2001:db8::/32']").when.networks,
              ElementsAre(*parse_network("10.0.0.0/8"), *parse_network("2001:db8::/32")));
}

TEST(Policies, a_time_is_a_weekly_window_with_zone_and_calendar) {
  const Policy rule = rule_when(
      "time: {weekdays: [sat, sun], from: '18:00', to: '08:00', zone: Asia/Shanghai, calendar: cn-public-holidays, on_work_days: "
      "true}");
  ASSERT_EQ(rule.when.times.size(), 1U);
  const TimeWindow& window = rule.when.times[0];
  EXPECT_EQ(window.weekdays, 0b1100000);
  EXPECT_EQ(window.from_minute, 18 * 60);
  EXPECT_EQ(window.to_minute, 8 * 60);
  EXPECT_EQ(window.zone->name, "Asia/Shanghai");
  EXPECT_EQ(window.calendar->name, "cn-public-holidays");
  EXPECT_TRUE(window.on_work_days);
  const Policy whole_days = rule_when("time: {weekdays: sun}");
  EXPECT_EQ(whole_days.when.times[0].from_minute, 0);
  EXPECT_EQ(whole_days.when.times[0].to_minute, 24 * 60);
}

TEST(Policies, are_told_as_they_were_written) {
  EXPECT_EQ(rule_when("team: [payments, Research], input_tokens: {above: 10, up_to: 20}").when_text,
            "team payments, Research; input_tokens above 10 up_to 20");
}

TEST(Policies, are_resolved_to_the_targets_that_they_let_pass) {
  const auto target_passes = [](const std::string& rule) {
    const auto loaded = with_rules("policies: [{name: p, " + rule + "}]\nregion_groups: {SADC: [ZA, NA], africa: [SADC, KE]}\n");
    EXPECT_THAT(errors(loaded), IsEmpty()) << rule;
    return loaded.snapshot && loaded.snapshot->policies.at(0).targets.has(0);
  };
  EXPECT_TRUE(target_passes("allow: {region: SADC}"));
  EXPECT_TRUE(target_passes("allow: {region: africa}")) << "a group of a group";
  EXPECT_FALSE(target_passes("allow: {region: EU}"));
  EXPECT_FALSE(target_passes("deny: {operator: africa}"));
  EXPECT_TRUE(target_passes("allow: {provider: 'he*', hosting: self}"));
  EXPECT_TRUE(target_passes("max_cost: '0.01'"));
}

/// grp0: [grp1, grp1], grp1: [grp2, grp2], ..., the last of which is ZA.
std::string nested_groups(int depth) {
  std::string text = "region_groups:\n";
  for (int i = 0; i + 1 < depth; ++i) {
    const std::string next = "grp" + std::to_string(i + 1);
    text += "  grp" + std::to_string(i) + ": [" + next + ", " + next + "]\n";
  }
  return text + "  grp" + std::to_string(depth - 1) + ": [ZA]\n";
}

TEST(Policies, a_group_is_resolved_once_however_often_it_is_named) {
  const auto loaded = with_rules("policies: [{name: p, deny: {region: grp0}}]\n" + nested_groups(32));
  ASSERT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
  EXPECT_TRUE(loaded.snapshot->policies.at(0).targets.empty());
}

TEST(Policies, groups_within_groups_have_an_end) {
  EXPECT_THAT(errors(with_rules(nested_groups(33))), Contains(testing::HasSubstr("more than 32 groups within each other")));
  EXPECT_THAT(errors(with_rules(nested_groups(1'000))), Contains(testing::HasSubstr("more than 32 groups within each other")));
  EXPECT_THAT(errors(with_rules(nested_groups(1'001))), Contains(testing::HasSubstr("these are more than 1000 groups")));
  EXPECT_THAT(errors(with_rules("region_groups: {a1x: [b1x], b1x: [c1x], c1x: [a1x]}\n")),
              Contains(testing::HasSubstr("is in itself")));
}

TEST(Policies, names_of_groups_differ_by_more_than_case) {
  EXPECT_THAT(
      errors(with_rules("region_groups: {gcc: [US]}\n")),
      ElementsAre("f.yaml:27:17: region_groups.gcc: 'gcc' and the built-in group 'GCC' differ by case alone, which `deny` does "
                  "not see; write 'GCC' to replace that one, or choose another name"));
  EXPECT_THAT(errors(with_rules("region_groups: {Allies: [US], allies: [GB]}\n")),
              ElementsAre(testing::HasSubstr("'allies' and the group 'Allies' differ by case alone")));
  EXPECT_THAT(errors(with_rules("region_groups: {GCC: [US]}\n")), IsEmpty());
}

TEST(Policies, an_alias_in_a_route_is_no_way_round_a_denied_model_M50) {
  World world;
  world.files["f.yaml"] = small_config;
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("{origin: CN"), 11, "{aliases: [m-latest, n], origin: CN");
  text.replace(text.find("[here/m]"), 8, "[here/m-latest, here/m]");
  for (const char* name : {"m", "m-latest", "n"}) {
    World denied = world;
    denied.files["f.yaml"] += "policies: [{name: p, deny: {model: " + std::string(name) + "}}]\n";
    const auto loaded = denied.load();
    ASSERT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
    EXPECT_TRUE(loaded.snapshot->policies[0].targets.empty()) << name;
  }
}

TEST(Policies, an_entry_of_ones_own_ends_no_relation_of_the_built_in_list) {
  const auto let_pass = [](const std::string& entry, const std::string& target, const std::string& denied) {
    World world;
    world.files["f.yaml"] = small_config + "policies: [{name: p, deny: {model: " + denied + "}}]\n";
    std::string& text = world.files["f.yaml"];
    text.replace(text.find("profile: plain"), 14, "profile: deepseek");
    text.replace(text.find("plain/m:"), 8, entry + ":");
    text.replace(text.find("[here/m]"), 8, "[here/" + target + "]");
    const auto loaded = world.load();
    EXPECT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
    return !loaded.snapshot || !loaded.snapshot->policies[0].targets.empty();
  };
  for (const char* entry : {"deepseek/deepseek-v4-flash", "deepseek/deepseek-flash", "deepseek/other"})
    for (const char* target : {"deepseek-v4-flash", "deepseek-flash", "deepseek-v4-flash-vision-exp"})
      for (const char* denied : {"deepseek-v4-flash", "deepseek-flash", "deepseek-v4-flash-vision-exp"})
        EXPECT_FALSE(let_pass(entry, target, denied)) << entry << " " << target << " " << denied;
  EXPECT_TRUE(let_pass("deepseek/deepseek-flash", "deepseek-flash", "deepseek-v4-pro"));
}

TEST(Policies, labels_of_a_provider_end) {
  World world;
  world.files["f.yaml"] = small_config + "policies: [{name: p, allow: {label: dpa}}]\n";
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("retention: none"), 15, "retention: none\n    labels: {dpa: 2027-06-30, old: 2026-01-01}");
  world.now = [] { return std::chrono::sys_days(std::chrono::year(2026) / 6 / 1); };
  const auto loaded = world.load();
  ASSERT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
  const Policy& policy = loaded.snapshot->policies[0];
  ASSERT_EQ(policy.ends.size(), 1U);
  EXPECT_EQ(policy.ends[0].at, std::chrono::sys_days(std::chrono::year(2027) / 6 / 30));
  EXPECT_EQ(policy.ends[0].target, 0);
  EXPECT_THAT(warnings(loaded),
              ElementsAre("f.yaml:9:36: warning: providers.here.labels.old: the label 'old' has ended; no policy that "
                          "asks for it lets this provider through"));
}

TEST(Policies, a_label_that_ends_within_a_month_is_warned_of) {
  World world;
  world.files["f.yaml"] = small_config + "policies: [{name: p, allow: {label: dpa}}]\n";
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("retention: none"), 15, "retention: none\n    labels: {dpa: 2026-07-01}");
  const auto warned = [&](std::chrono::sys_days today) {
    world.now = [today] { return today; };
    return warnings(world.load());
  };
  const std::chrono::sys_days end{std::chrono::year(2026) / 7 / 1};
  EXPECT_THAT(warned(end - std::chrono::days(31)), testing::IsEmpty());
  EXPECT_THAT(
      warned(end - std::chrono::days(30)),
      ElementsAre("f.yaml:9:19: warning: providers.here.labels.dpa: the label 'dpa' ends on 2026-07-01; no policy that asks "
                  "for it lets this provider through from then on"));
  EXPECT_THAT(warned(end - std::chrono::days(1)), testing::SizeIs(1));
}

TEST(Policies, trusted_proxies_are_networks) {
  const auto loaded = with_rules(
      "trusted_proxies: [10.0.0.0/8, '::1']\npolicies: [{name: p, when: {network: 192.0.2.0/24}, deny: {origin: US}}]\n");
  ASSERT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
  EXPECT_THAT(loaded.snapshot->trusted_proxies, ElementsAre(*parse_network("10.0.0.0/8"), *parse_network("::1")));
  EXPECT_TRUE(loaded.snapshot->policies_need.network);
}

TEST(Policies, warnings_know_groups_and_patterns) {
  const auto told = [](const std::string& rule) {
    auto all = warnings(with_rules("policies: [{name: p, " + rule + "}]\n"));
    std::erase_if(all, [](const std::string& line) { return line.find("so this never matches") == std::string::npos; });
    return all;
  };
  EXPECT_THAT(
      told("allow: {operator: GCC}"),
      Contains("f.yaml:27:40: warning: policies[0].allow.operator[0]: nothing here has the operator 'GCC', so this never matches"));
  EXPECT_THAT(told("allow: {model: ['m*'], provider: 'h*e'}"), IsEmpty());
  EXPECT_THAT(told("deny: {model: M}"), IsEmpty()) << "deny does not mind the case";
  EXPECT_EQ(told("deny: {model: 'x*'}").size(), 1U);
  EXPECT_EQ(told("deny: {label: dpa}").size(), 1U);
  EXPECT_EQ(told("when: {tags: nobodys}, deny: {region: ZA}").size(), 1U);
  EXPECT_THAT(told("when: {tags: PILOT, project: Maths}, deny: {region: ZA}"), IsEmpty());
}

}  // namespace
}  // namespace fairlead::config
