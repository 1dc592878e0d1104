#include "plan/policy.h"

#include "plan/plan.h"
#include "plan/reasons.h"
#include "plan/refusal.h"
#include "unit/plan/stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::only;
using testing::policy;
using testing::price;
using testing::rejected;
using testing::sunday;
using testing::Words;

/// One target, and rules about it.
struct PolicyStage : testing::PlanStage {
  Provider& provider = world.provider("deepseek", {"CN", "CN", "cloud", "provider"});
  Model& model = world.model("deepseek-flash", "CN");
  const Target& target = world.target(provider, model);
  Route& chat = world.route("chat", {&target});

  PolicyStage() { ask_for({&chat}); }

  bool allowed(std::vector<Policy> policies, TimePoint now = sunday) {
    set_policies(world, std::move(policies));
    return !plan(now).candidates.empty();
  }
  bool allowed(const Words& allow, const Words& deny, TimePoint now = sunday) {
    return allowed({policy("rule", {}, allow, deny)}, now);
  }
  /// Is the request among those that a rule with this `when` is about?
  bool matches(When when, TimePoint now = sunday) {
    return !allowed({policy("rule", std::move(when), {{Fact::origin, {"US"}}})}, now);
  }
};

TEST_F(PolicyStage, AllowAndDeny) {
  struct Row {
    const char* meaning;
    Words allow, deny;
    bool allowed;
  };
  for (const Row& row : std::vector<Row>{
           {"a rule without conditions", {}, {}, true},
           {"allowed origin", {{Fact::origin, {"US", "CN"}}}, {}, true},
           {"other origin", {{Fact::origin, {"US", "EU"}}}, {}, false},
           {"two allowed facts", {{Fact::origin, {"CN"}}, {Fact::hosting, {"cloud"}}}, {}, true},
           {"one of two allowed facts", {{Fact::origin, {"CN"}}, {Fact::hosting, {"self"}}}, {}, false},
           {"allowed by nothing", {{Fact::origin, {}}}, {}, false},
           {"allowed provider", {{Fact::provider, {"deepseek"}}}, {}, true},
           {"allowed model", {{Fact::model, {"deepseek-flash"}}}, {}, true},
           {"a part of the model's name", {{Fact::model, {"deepseek"}}}, {}, false},
           {"a pattern of the model's name", {{Fact::model, {"deepseek-*"}}}, {}, true},
           {"a pattern in another case", {{Fact::model, {"DeepSeek-*"}}}, {}, false},
           {"a pattern within", {{Fact::model, {"d*s*k-f*h"}}}, {}, true},
           {"a pattern that wants more", {{Fact::model, {"deepseek-flash*x"}}}, {}, false},
           {"no pattern in other facts", {{Fact::origin, {"*"}}}, {}, false},
           {"allow is exact", {{Fact::origin, {"cn"}}}, {}, false},
           {"denied operator", {}, {{Fact::operator_, {"CN"}}}, false},
           {"other operator denied", {}, {{Fact::operator_, {"US"}}}, true},
           {"deny in another case", {}, {{Fact::operator_, {"cn"}}}, false},
           {"denied model in another case", {}, {{Fact::model, {"DeepSeek-Flash"}}}, false},
           {"denied pattern in another case", {}, {{Fact::model, {"DEEP*"}}}, false},
           {"denied retention", {}, {{Fact::retention, {"trains", "provider"}}}, false},
           {"deny of nothing", {}, {{Fact::origin, {}}}, true},
           {"allowed and denied", {{Fact::origin, {"CN"}}}, {{Fact::operator_, {"CN"}}}, false},
       })
    EXPECT_EQ(allowed(row.allow, row.deny), row.allowed) << row.meaning;
}

TEST_F(PolicyStage, M50AModelIsDeniedByAnyOfItsNamesAndAllowedByItsOwn) {
  model.also_named = {"deepseek-v4-flash", "deepseek-latest"};
  EXPECT_FALSE(allowed({}, {{Fact::model, {"deepseek-latest"}}}));
  EXPECT_FALSE(allowed({}, {{Fact::model, {"DeepSeek-V4*"}}}));
  EXPECT_TRUE(allowed({}, {{Fact::model, {"deepseek-v3"}}}));
  EXPECT_FALSE(allowed({{Fact::model, {"deepseek-latest"}}}, {}));
}

TEST_F(PolicyStage, AGroupStandsForItsMembersAndAStatedGroupForAllThatItMayBe) {
  struct Row {
    const char* meaning;
    const char* region;
    std::vector<std::string> allow, deny;
    bool allowed;
  };
  for (const Row& row : std::vector<Row>{
           {"a member of an allowed group", "DE", {"EU"}, {}, true},
           {"Norway is not in the EU", "NO", {"EU"}, {}, false},
           {"and is in the EEA", "NO", {"EEA"}, {}, true},
           {"a group is written in capitals", "DE", {"eu"}, {}, false},
           {"the group itself", "EU", {"EU"}, {}, true},
           {"somewhere in the EU is in the EEA", "EU", {"EEA"}, {}, true},
           {"somewhere in the EEA may be outside of the EU", "EEA", {"EU"}, {}, false},
           {"somewhere in the EEA is in the EU, Iceland, Liechtenstein or Norway", "EEA", {"EU", "IS", "LI", "NO"}, {}, true},
           {"somewhere in the EU is not surely in Germany", "EU", {"DE"}, {}, false},
           {"a member of a denied group", "AE", {}, {"GCC"}, false},
           {"a denied group in another case", "sg", {}, {"asean"}, false},
           {"somewhere in the EU may be in Germany", "EU", {}, {"DE"}, false},
           {"somewhere in the EU is nowhere in the Gulf", "EU", {}, {"GCC"}, true},
           {"groups that share members", "EEA", {}, {"EU"}, false},
       }) {
    provider.facts.region = row.region;
    const Words allow = row.allow.empty() ? Words{} : Words{{Fact::region, row.allow}};
    const Words deny = row.deny.empty() ? Words{} : Words{{Fact::region, row.deny}};
    EXPECT_EQ(allowed(allow, deny), row.allowed) << row.meaning;
  }
}

TEST_F(PolicyStage, AFactThatIsNotStatedSatisfiesNeitherAllowNorDeny) {
  provider.facts = {};
  for (const Fact fact : {Fact::operator_, Fact::region, Fact::hosting, Fact::retention}) {
    EXPECT_FALSE(allowed({{fact, {"US", "CN", "EU", "self", "cloud", "none"}}}, {})) << to_string(fact);
    EXPECT_FALSE(allowed({{fact, {""}}}, {})) << to_string(fact);
    EXPECT_FALSE(allowed({}, {{fact, {"trains"}}})) << to_string(fact);
    EXPECT_FALSE(allowed({}, {{fact, {}}})) << to_string(fact);
  }
}

TEST_F(PolicyStage, ToARequestThatAsksItsProviderToKeepItNoRetentionIsStated) {
  provider.facts.retention = "none";
  const Words none{{Fact::retention, {"none"}}}, trains{{Fact::retention, {"trains"}}}, cn{{Fact::origin, {"CN"}}};
  ASSERT_TRUE(allowed(none, trains));
  for (const Keeping keeping : {Keeping::store, Keeping::prompt_cache_retention}) {
    facts.keeping = keeping;
    EXPECT_FALSE(allowed(none, {}));
    EXPECT_FALSE(allowed({{Fact::retention, {"none", "provider", "trains"}}}, {}));
    EXPECT_FALSE(allowed({}, trains)) << "what is not stated may be any";
    EXPECT_FALSE(allowed({policy("cn", {}, cn), policy("none", {}, none)}));
    EXPECT_TRUE(allowed(cn, {}));
    EXPECT_TRUE(allowed({}));
  }
  facts.keeping = Keeping::store;
  set_policies(world, {policy("cn", {}, cn), policy("zero", {}, none, {}, "memo 3")});
  const Plan refused = plan();
  EXPECT_EQ(rejected(refused), "deepseek/deepseek-flash: policy zero\n");
  EXPECT_EQ(plan_reasons(refused)[0].reason, "the request asks the provider to keep it (store), allowed is none: memo 3");
  EXPECT_EQ(refusal_of(refused, "r1").message(),
            "request r1 is refused by policy 'zero': the request asks the provider to keep it (store)");
  facts.keeping = Keeping::not_asked;
  set_policies(world, {policy("rule", {}, none, trains)});
  std::string kept, after;
  append_plan_key(after, plan());
  facts.keeping = Keeping::store;
  append_plan_key(kept, plan());
  EXPECT_NE(kept, after) << "another text";
}

TEST_F(PolicyStage, ALabelHoldsUntilItsEnd) {
  const Words dpa{{Fact::label, {"dpa"}}}, either{{Fact::label, {"dpa", "audited"}}};
  EXPECT_FALSE(allowed(dpa, {})) << "it has none";
  EXPECT_TRUE(allowed({}, dpa)) << "nor one that is denied";
  provider.facts.labels["dpa"] = sunday + hours{1};
  EXPECT_TRUE(allowed(dpa, {}));
  EXPECT_FALSE(allowed(dpa, {}, sunday + hours{1}));
  EXPECT_FALSE(allowed({}, dpa, sunday + hours{1})) << "a denied one shuts out whatever its end";
  provider.facts.labels["audited"] = sunday + hours{2};
  EXPECT_TRUE(allowed(either, {}, sunday + hours{1}));
  EXPECT_FALSE(allowed(either, {}, sunday + hours{2}));
  const Words both{{Fact::label, {"dpa"}}, {Fact::label, {"audited"}}};
  EXPECT_TRUE(allowed(both, {}));
  EXPECT_FALSE(allowed(both, {}, sunday + hours{1}));
  EXPECT_EQ(plan_reasons(plan(sunday + hours{1}))[0].reason, "its labels are audited, dpa (ended 2026-11-22), allowed is dpa");
}

TEST_F(PolicyStage, AnEndedLabelIsAnotherPlanText) {
  provider.facts.labels["dpa"] = sunday + hours{1};
  set_policies(world, {policy("dpa", {}, {{Fact::label, {"dpa"}}}), policy("us", {}, {{Fact::origin, {"US"}}})});
  std::string before, after;
  append_plan_key(before, plan());
  append_plan_key(after, plan(sunday + hours{1}));
  EXPECT_NE(before, after);
  EXPECT_NE(plan_text(plan()), plan_text(plan(sunday + hours{1})));
}

TEST_F(PolicyStage, EveryReasonOfEveryPolicyIsKept) {
  provider.facts.region.clear();
  set_policies(world,
               {policy("memo-14", {}, {{Fact::origin, {"US", "EU"}}, {Fact::region, {"US"}}}, {}, "No models made in China"),
                policy("passes", {}, {{Fact::origin, {"CN"}}}), policy("no-keeping", {}, {}, {{Fact::retention, {"provider"}}})});
  const auto found = plan_reasons(plan());
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].rule, "memo-14");
  EXPECT_EQ(found[0].reason, "its origin is CN, allowed is US, EU: No models made in China");
  EXPECT_EQ(found[1].reason, "its region is not stated, allowed is US: No models made in China");
  EXPECT_EQ(found[2].rule, "no-keeping");
  EXPECT_EQ(found[2].reason, "its retention is provider, denied is provider");
  for (const Rejection& r : found) EXPECT_TRUE(r.by == RejectedBy::policy && r.target == &target);
}

TEST_F(PolicyStage, WhoAsksAndWhatRoute) {
  key.index = 1;
  chat.index = 2;
  EXPECT_TRUE(matches({}));
  EXPECT_TRUE(matches({.keys = only({0, 1})}));
  EXPECT_FALSE(matches({.keys = only({0, 64, 65})}));
  EXPECT_FALSE(matches({.keys = only({})})) << "a condition that no key meets";
  EXPECT_TRUE(matches({.routes = only({2})}));
  EXPECT_FALSE(matches({.routes = only({1})}));
  EXPECT_FALSE(matches({.keys = only({1}), .routes = only({1})})) << "all of it must hold";
  EXPECT_TRUE(matches({.keys = only({1}), .routes = only({2})}));
}

TEST_F(PolicyStage, ATagMoreMakesMoreRulesApply) {
  const When internal{.tags = {"internal", "pilot"}};
  EXPECT_FALSE(matches(internal));
  facts.tags = {"batch"};
  EXPECT_FALSE(matches(internal));
  facts.tags = {"batch", "pilot"};
  EXPECT_TRUE(matches(internal));
  facts.tags = {};
  key.tags = {"internal"};
  EXPECT_TRUE(matches(internal));
  facts.tags = {"batch"};
  EXPECT_TRUE(matches(internal)) << "nothing that a request adds takes a tag of its key away";
}

TEST_F(PolicyStage, WhatTheRequestCarries) {
  const auto bit = [](Modality modality) { return static_cast<std::uint8_t>(1 << static_cast<int>(modality)); };
  EXPECT_TRUE(matches({.modalities = bit(Modality::text)}));
  for (const auto& [modality, capability] :
       {std::pair{Modality::image, Capability::vision}, std::pair{Modality::audio, Capability::audio},
        std::pair{Modality::tools, Capability::tools}}) {
    facts.needs = {};
    EXPECT_FALSE(matches({.modalities = bit(modality)})) << to_string(modality);
    facts.needs.add(capability);
    EXPECT_TRUE(matches({.modalities = bit(modality)})) << to_string(modality);
    EXPECT_TRUE(matches({.modalities = bit(Modality::text)})) << "it carries text beside it";
  }
  facts.needs = {};
  facts.unknown_content = true;
  EXPECT_TRUE(matches({.modalities = bit(Modality::image)})) << "what is not known may be an image";
  EXPECT_TRUE(matches({.modalities = bit(Modality::audio)})) << "or sound";
  EXPECT_FALSE(matches({.modalities = bit(Modality::tools)}));
  EXPECT_TRUE(matches({.endpoints = 1}));
  EXPECT_FALSE(matches({.endpoints = 1 << static_cast<int>(Endpoint::embeddings)}));
}

TEST_F(PolicyStage, HowLongItIs) {
  const When range{.input_tokens = {{.above = 10, .up_to = 20}, {.above = 100}}};
  for (const auto& [tokens, inside] : std::vector<std::pair<int, bool>>{
           {0, false}, {10, false}, {11, true}, {20, true}, {21, false}, {100, false}, {101, true}, {1'000'000, true}}) {
    facts.input_tokens = tokens;
    EXPECT_EQ(matches(range), inside) << tokens;
  }
  facts.input_tokens = 0;
  EXPECT_TRUE(matches({.input_tokens = {{.up_to = 0}}}));
}

TEST_F(PolicyStage, WhereItComesFrom) {
  const When office{.networks = {*parse_network("10.0.0.0/8"), *parse_network("2001:db8::/32")}};
  for (const auto& [address, inside] : std::vector<std::pair<const char*, bool>>{
           {"10.255.0.1", true}, {"11.0.0.1", false}, {"2001:db8:1::1", true}, {"2001:db9::1", false}, {"::ffff:10.0.0.1", true}}) {
    facts.client = parse_ip(address);
    EXPECT_EQ(matches(office), inside) << address;
  }
  facts.client.reset();
  EXPECT_TRUE(matches(office)) << "not known: it may be from there";
}

TEST_F(PolicyStage, WhenItComes) {
  auto johannesburg = std::make_shared<Zone>();
  johannesburg->changes = {{TimePoint{}, 120}};
  const TimePoint monday = sunday + days{1};
  const When night{.times = {{.weekdays = 0b11111, .from_minute = 18 * 60, .to_minute = 8 * 60, .zone = johannesburg}}};
  EXPECT_FALSE(matches(night, monday + hours{15}));
  EXPECT_TRUE(matches(night, monday + hours{16})) << "18:00 there";
  EXPECT_TRUE(matches(night, monday + hours{29})) << "07:00 on Tuesday";
  EXPECT_FALSE(matches(night, monday + hours{30}));
  EXPECT_FALSE(matches(night, sunday + hours{16})) << "it does not begin on a Sunday";
}

TEST_F(PolicyStage, InAYearThatTheCalendarDoesNotKnowAWindowMayBeginOnAnyDayThatItMight) {
  auto calendar = std::make_shared<Calendar>();
  calendar->years = {2026};
  calendar->days_off = {std::chrono::floor<days>(sunday + days{1})};
  When weekdays{.times = {{.weekdays = 0b11111, .from_minute = 0, .to_minute = 1440, .calendar = calendar}}};
  EXPECT_FALSE(matches(weekdays, sunday + days{1})) << "a day off";
  EXPECT_TRUE(matches(weekdays, sunday + days{2}));
  const TimePoint in_2027 = std::chrono::sys_days{std::chrono::year{2027} / 1 / 1};  // a Friday
  EXPECT_TRUE(matches(weekdays, in_2027));
  EXPECT_FALSE(matches(weekdays, in_2027 + days{1}));
  weekdays.times[0].on_work_days = true;
  EXPECT_TRUE(matches(weekdays, in_2027 + days{1})) << "a Saturday that may be worked";
}

TEST_F(PolicyStage, M50NamingATargetGetsRoundNoPolicyOnARouteThatHoldsIt) {
  const Route& other = world.route("other", {});
  key.routes.push_back(&other);
  facts.route = nullptr;
  facts.target = &target;
  EXPECT_TRUE(matches({.routes = only({chat.index})}));
  EXPECT_FALSE(matches({.routes = only({other.index})}));
}

TEST_F(PolicyStage, WhatARequestMayCost) {
  const auto limit = [&](const char* usd) {
    Policy rule = policy("thrift", {}, {});
    rule.max_cost = parse_decimal(usd).value();
    rule.reason = "no more than that";
    return std::vector{rule};
  };
  EXPECT_FALSE(allowed(limit("1000"))) << "its cost is not known";
  EXPECT_EQ(plan_reasons(plan())[0].reason, "its cost is not known, at most is 1000: no more than that");
  model.prices = {price("1", "10")};  // 0.005 for 1,000 in and 400 out
  EXPECT_TRUE(allowed(limit("0.005")));
  EXPECT_FALSE(allowed(limit("0.004999")));
  EXPECT_EQ(rejected(plan()), "deepseek/deepseek-flash: policy thrift\n");
  EXPECT_EQ(plan_reasons(plan())[0].reason, "it is expected to cost 0.005 USD, at most is 0.004999: no more than that");
  set_policies(world, {});
  chat.max_cost = *parse_decimal("0.004");
  EXPECT_EQ(rejected(plan()), "deepseek/deepseek-flash: price max_cost\n");
  EXPECT_EQ(plan_reasons(plan())[0].reason, "it is expected to cost 0.005 USD, at most is 0.004 on route chat");
  model.prices.clear();
  EXPECT_EQ(plan_reasons(plan())[0].reason, "its cost is not known, at most is 0.004 on route chat");
}

TEST_F(PolicyStage, ContentIsAConditionLikeAnyOther) {
  const When card{.content = {"payment_card", "secret"}};
  struct Row {
    std::vector<ContentCount> found;
    bool allowed;
  };
  for (const Row& row : std::vector<Row>{{{{"payment_card", 0}, {"secret", 0}}, true},
                                         {{{"payment_card", 1}, {"secret", 0}}, false},
                                         {{{"payment_card", 0}, {"secret", 7}}, false},
                                         {{{"payment_card", 0}, {"iban", 1}, {"secret", 0}}, true},
                                         {{{"payment_card", 0}}, false},  // nobody looked for secrets
                                         {{}, false}}) {
    facts.content = row.found;
    EXPECT_EQ(!matches(card), row.allowed) << content_text(row.found);
  }
  facts.content = {{"payment_card", 1}, {"secret", 0}};
  EXPECT_FALSE(matches({.keys = only({}), .content = {"payment_card"}}));
  EXPECT_TRUE(matches({.content = {"payment_card"}}));
}

TEST(ContentText, is_what_the_ledger_keeps) {
  EXPECT_EQ(content_text({}), "");
  EXPECT_EQ(content_text({{"secret", 0}, {"payment_card", 2}}), R"({"secret":0,"payment_card":2})");
}

}  // namespace
}  // namespace fairlead
