#include "plan/prove/prove.h"

#include "plan/plan.h"
#include "unit/plan/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::only;
using testing::policy;
using testing::rules;
using testing::sunday;
using testing::Words;
using testing::World;

constexpr std::uint8_t text_or_image = 0b11, image = 0b10, audio_or_tools = 0b1100;
const Words from_cn{{Fact::origin, {"CN"}}};

/// Three targets, of which one states no origin, two routes, and the keys "guest" (0) and "clerk" (1).
struct ProveStage : ::testing::Test {
  World world;
  Provider& deepseek = world.provider("deepseek", {"CN", "CN", "cloud", "provider"});
  Provider& openai = world.provider("openai", {"US", "US", "cloud", "none"});
  Route& chat =
      world.route("chat", {&world.target(openai, world.model("luna", "US")), &world.target(deepseek, world.model("flash", "CN")),
                           &world.target(openai, world.model("mystery"))});
  Route& safe = world.route("safe", {chat.targets[0]});

  ProveStage() {
    for (const char* name : {"guest", "clerk"}) {
      Key& key = world.snapshot.keys.emplace_back();
      key.name = name;
      key.index = static_cast<int>(world.snapshot.keys.size()) - 1;
      key.routes = {&chat, &safe};
      key.may_name_targets = true;
      key.request_tags = {"pilot", "secret"};
    }
    world.snapshot.keys[1].tags = {"internal"};
  }

  /// "proved", "nobody", "undecided", or the request that breaks it: "guest chat deepseek/flash +image ...".
  std::string verdict(std::vector<Policy> policies, bool never, When when, const Words& target) {
    set_policies(world, std::move(policies));
    world.snapshot.assertions = {{"assertion", "", never, std::move(when), rules(target)}};
    const auto proofs = prove::prove(world.snapshot, sunday);
    const prove::Proof& proof = proofs.proofs.at(0);
    using Verdict = prove::Proof::Verdict;
    if (proof.verdict != Verdict::fails)
      return proof.verdict == Verdict::holds ? "proved" : proof.verdict == Verdict::nobody ? "nobody" : "undecided";
    return text_of(*proof.counterexample);
  }
  std::string never(std::vector<Policy> policies, When when = {}, const Words& target = from_cn) {
    return verdict(std::move(policies), true, std::move(when), target);
  }
  std::string always(std::vector<Policy> policies, When when, const Words& target) {
    return verdict(std::move(policies), false, std::move(when), target);
  }

  static std::string text_of(const prove::Counterexample& example) {
    const RequestFacts& facts = example.facts;
    std::string text = facts.key->name + " " + facts.route->name + " " + example.target->name;
    for (const std::string& tag : facts.tags) text += " +" + tag;
    for (const ContentCount& one : facts.content)
      if (one.count > 0) text += " +" + one.name;
    if (facts.needs.has(Capability::vision)) text += " +image";
    if (facts.needs.has(Capability::audio)) text += " +audio";
    if (facts.needs.has(Capability::tools)) text += " +tools";
    if (facts.keeping != Keeping::not_asked) text += " +store";
    if (facts.endpoint != Endpoint::chat_completions) text += " " + std::string(to_string(facts.endpoint));
    if (facts.input_tokens != 1'000) text += " " + std::to_string(facts.input_tokens);
    if (to_string(*facts.client) != "192.0.2.1") text += " " + to_string(*facts.client);
    if (example.at != sunday) text += " " + iso_8601(example.at);
    return text;
  }
};

Policy refuse(When when, const Words& deny = from_cn) { return policy("refuse", std::move(when), {}, deny); }

TEST_F(ProveStage, ARuleMustCoverAllRequestsThatTheAssertionIsAbout) {
  struct Row {
    const char* meaning;
    When rule, about;
    const char* verdict;
  };
  for (const Row& row : std::vector<Row>{
           {"a rule for all", {}, {}, "proved"},
           {"a rule for one key", {.keys = only({0})}, {}, "clerk chat deepseek/flash"},
           {"about that key", {.keys = only({0})}, {.keys = only({0})}, "proved"},
           {"about the other", {.keys = only({0})}, {.keys = only({1})}, "clerk chat deepseek/flash"},
           {"about no key", {}, {.keys = only({})}, "nobody"},
           {"a rule on a route", {.routes = only({0})}, {}, "proved"},
           {"a rule on the route that does not hold it", {.routes = only({1})}, {}, "guest chat deepseek/flash"},
           {"about the route that does not hold it", {.routes = only({1})}, {.routes = only({1})}, "proved"},
           {"tags that each request of a key has", {.tags = {"internal"}}, {.keys = only({1})}, "proved"},
           {"tags that a request may leave out", {.tags = {"pilot"}}, {}, "guest chat deepseek/flash"},
           {"about requests with the tag", {.tags = {"pilot"}}, {.tags = {"pilot"}}, "proved"},
           {"about requests with one of two tags",
            {.tags = {"pilot"}},
            {.tags = {"pilot", "secret"}},
            "guest chat deepseek/flash +secret"},
           {"a rule with more tags", {.tags = {"pilot", "secret"}}, {.tags = {"pilot"}}, "proved"},
           {"about a tag that no key may set", {.tags = {"pilot"}}, {.tags = {"nobodys"}}, "nobody"},
           {"about a tag of a key's own", {.tags = {"pilot"}}, {.tags = {"internal"}}, "clerk chat deepseek/flash"},
           {"what a prompt may not hold", {.content = {"iban"}}, {}, "guest chat deepseek/flash"},
           {"about prompts that hold it", {.content = {"iban", "secret"}}, {.content = {"iban"}}, "proved"},
           {"about one of two classes",
            {.content = {"iban"}},
            {.content = {"iban", "secret"}},
            "guest chat deepseek/flash +secret"},
           {"images", {.modalities = image}, {}, "guest chat deepseek/flash"},
           {"about images", {.modalities = image}, {.modalities = image}, "proved"},
           {"about more than images", {.modalities = image}, {.modalities = audio_or_tools}, "guest chat deepseek/flash +audio"},
           {"every request carries text", {.modalities = text_or_image}, {.modalities = audio_or_tools}, "proved"},
           {"every request carries text, and is asserted about",
            {.modalities = image},
            {.modalities = text_or_image},
            "guest chat deepseek/flash"},
           {"an endpoint", {.endpoints = 0b0011}, {}, "guest chat deepseek/flash embeddings"},
           {"about the endpoint", {.endpoints = 0b0011}, {.endpoints = 0b0001}, "proved"},
           {"all endpoints", {.endpoints = 0b1111}, {}, "proved"},
           {"long requests", {.input_tokens = {{.above = 8'000}}}, {}, "guest chat deepseek/flash"},
           {"about longer ones", {.input_tokens = {{.above = 8'000}}}, {.input_tokens = {{.above = 9'000}}}, "proved"},
           {"about a little shorter ones",
            {.input_tokens = {{.above = 8'000}}},
            {.input_tokens = {{.above = 7'999}}},
            "guest chat deepseek/flash 8000"},
           {"two ranges that meet", {.input_tokens = {{.up_to = 8'000}, {.above = 8'000}}}, {}, "proved"},
           {"two ranges with a hole", {.input_tokens = {{.up_to = 8'000}, {.above = 8'001}}}, {}, "guest chat deepseek/flash 8001"},
           {"a network", {.networks = {*parse_network("192.0.2.0/24")}}, {}, "guest chat deepseek/flash 0.0.0.0"},
           {"about a part of it",
            {.networks = {*parse_network("10.0.0.0/8")}},
            {.networks = {*parse_network("10.9.0.0/16")}},
            "proved"},
           {"about more than it",
            {.networks = {*parse_network("10.0.0.0/9")}},
            {.networks = {*parse_network("10.0.0.0/8")}},
            "guest chat deepseek/flash 10.128.0.0"},
           {"both halves",
            {.networks = {*parse_network("10.0.0.0/9"), *parse_network("10.128.0.0/9")}},
            {.networks = {*parse_network("10.0.0.0/8")}},
            "proved"},
           {"IPv4 alone", {.networks = {*parse_network("0.0.0.0/0")}}, {}, "guest chat deepseek/flash ::"},
           {"all addresses", {.networks = {*parse_network("::/0")}}, {}, "proved"},
           {"mornings", {.times = {{.from_minute = 0, .to_minute = 720}}}, {}, "guest chat deepseek/flash 2026-11-22T12:00:00Z"},
           {"about Mondays",
            {.times = {{.from_minute = 0, .to_minute = 720}}},
            {.times = {{.weekdays = 1, .from_minute = 60, .to_minute = 780}}},
            "guest chat deepseek/flash 2026-11-23T12:00:00Z"},
           {"about Monday mornings",
            {.times = {{.from_minute = 0, .to_minute = 720}}},
            {.times = {{.weekdays = 1, .from_minute = 60, .to_minute = 720}}},
            "proved"},
       })
    EXPECT_EQ(never({refuse(row.rule)}, row.about), row.verdict) << row.meaning;
}

TEST_F(ProveStage, RulesTogetherCoverWhatNoneOfThemDoes) {
  EXPECT_EQ(never({refuse({.input_tokens = {{.up_to = 100}}}), refuse({.input_tokens = {{.above = 100}}})}), "proved");
  EXPECT_EQ(never({refuse({.tags = {"pilot"}, .input_tokens = {{.up_to = 100}}}), refuse({.input_tokens = {{.above = 100}}})}),
            "guest chat deepseek/flash 0")
      << "without the tag, short requests are free";
  const When bank{.tags = {"pilot"}, .networks = {*parse_network("10.0.0.0/8")}};
  EXPECT_EQ(never({refuse({.tags = {"pilot"}, .modalities = image}), refuse({.endpoints = 1, .networks = bank.networks}),
                   refuse({.endpoints = 0b1110, .modalities = 1})},
                  bank),
            "proved");
  EXPECT_EQ(never({refuse({.tags = {"pilot"}, .modalities = image}), refuse({.endpoints = 1, .networks = bank.networks}),
                   refuse({.endpoints = 0b0110, .modalities = 1})},
                  bank),
            "guest chat deepseek/flash +pilot responses 10.0.0.0");
}

TEST_F(ProveStage, AClassOfContentIsThereOrNotWhereSomePolicyLooksForIt) {
  const Policy iban = refuse({.content = {"iban"}}), secret = refuse({.content = {"secret"}}, {{Fact::operator_, {"ZA"}}});
  const When about{.content = {"iban", "secret"}};
  EXPECT_EQ(never({iban, secret}, about), "guest chat deepseek/flash +secret");
  EXPECT_EQ(never({iban}, {.content = {"secret"}}), "guest chat deepseek/flash +secret")
      << "nobody looks for it, so it may be there";
}

TEST_F(ProveStage, NeverUnderstandsFactsAsDenyDoesAndAlwaysAsAllowDoes) {
  const Policy not_cn = policy("not-cn", {}, {}, from_cn), us = policy("us", {}, {{Fact::origin, {"US"}}});
  EXPECT_EQ(never({policy("flash", {}, {}, {{Fact::model, {"flash"}}})}), "guest chat openai/mystery")
      << "a maker that is not stated may be any";
  EXPECT_EQ(never({not_cn}), "proved");
  EXPECT_EQ(always({}, {}, {{Fact::origin, {"US"}}}), "guest chat deepseek/flash");
  EXPECT_EQ(always({not_cn}, {}, {{Fact::origin, {"US"}}}), "proved") << "deny refuses what is not stated";
  EXPECT_EQ(always({us}, {}, {{Fact::origin, {"US", "CN"}}}), "proved");
  EXPECT_EQ(always({}, {.routes = only({1})}, {{Fact::origin, {"US"}}}), "proved");
  EXPECT_EQ(always({us}, {}, {{Fact::origin, {"US"}}, {Fact::retention, {"provider"}}}), "guest chat openai/luna")
      << "all facts must hold";
  EXPECT_EQ(never({}, {}, {{Fact::origin, {"CN"}}, {Fact::operator_, {"US"}}}), "guest chat openai/mystery");
  EXPECT_EQ(never({us}, {}, {{Fact::origin, {"CN"}}, {Fact::operator_, {"US"}}}), "proved");
}

TEST_F(ProveStage, ARequestMayAskItsProviderToKeepIt) {
  const Words none{{Fact::retention, {"none"}}}, kept{{Fact::retention, {"provider"}}};
  const Policy openai_alone = policy("openai", {}, {{Fact::provider, {"openai"}}});
  EXPECT_EQ(always({openai_alone}, {}, none), "guest chat openai/luna +store");
  EXPECT_EQ(never({openai_alone}, {}, kept), "guest chat openai/luna +store");
  EXPECT_EQ(always({openai_alone}, {}, {{Fact::operator_, {"US"}}}), "proved") << "keeping changes nothing of that";
  EXPECT_EQ(always({policy("none", {}, none)}, {}, none), "proved");
  EXPECT_EQ(never({policy("none", {}, {}, kept)}, {}, kept), "proved");
  EXPECT_EQ(never({policy("none", {.keys = only({0})}, none), openai_alone}, {}, kept), "clerk chat openai/luna +store");
  EXPECT_EQ(always({openai_alone, policy("none", {.tags = {"internal"}}, none)}, {.keys = only({1})}, none), "proved");
}

TEST_F(ProveStage, LabelsEndWhileRulesGoOn) {
  deepseek.facts.labels["dpa"] = sunday + days{30};
  const Words dpa{{Fact::label, {"dpa"}}};
  const When flash{.routes = only({0})};
  const Policy others = policy("others", {}, {}, {{Fact::operator_, {"US"}}});
  EXPECT_EQ(always({others}, flash, dpa), "guest chat deepseek/flash 2026-12-22T00:00:00Z") << "it stays reachable when it ends";
  EXPECT_EQ(always({others, policy("dpa", {}, dpa)}, flash, dpa), "proved");
  EXPECT_EQ(always({others, policy("dpa", {.times = {{.weekdays = 1, .from_minute = 0, .to_minute = 1440}}}, dpa)}, flash, dpa),
            "guest chat deepseek/flash 2026-12-22T00:00:00Z");
  EXPECT_EQ(never({policy("dpa", {}, dpa)}), "guest chat deepseek/flash") << "while it lasts, it is let through";
  deepseek.facts.labels["dpa"] = sunday;
  EXPECT_EQ(never({policy("dpa", {}, dpa)}, {}, {{Fact::operator_, {"CN"}}}), "proved");
  deepseek.facts.labels["dpa"] = sunday + days{365 * 20};
  EXPECT_EQ(always({others}, {.times = {{.weekdays = 0b10, .from_minute = 60, .to_minute = 120}}}, dpa),
            "guest chat deepseek/flash 2046-11-20T01:00:00Z")
      << "the first Tuesday after the end";
}

TEST_F(ProveStage, TimesAreThoseOfZonesAndCalendars) {
  auto calendar = std::make_shared<Calendar>();
  calendar->name = "holidays";
  calendar->years = {2026};
  calendar->days_off = {std::chrono::sys_days(std::chrono::year(2026) / 12 / 25)};
  const TimeWindow every_day{.from_minute = 0, .to_minute = 1440},
      working_days{.from_minute = 0, .to_minute = 1440, .calendar = calendar};
  EXPECT_EQ(never({refuse({.times = {every_day}})}), "proved");
  EXPECT_EQ(never({refuse({.times = {working_days}})}), "guest chat deepseek/flash 2026-12-25T00:00:00Z");
  auto zone = std::make_shared<Zone>();
  zone->changes = {{TimePoint::min(), 0}, {std::chrono::sys_days(std::chrono::year(2027) / 3 / 28) + hours{1}, 60}};
  const TimeWindow local{.from_minute = 540, .to_minute = 1020, .zone = zone}, winter{.from_minute = 540, .to_minute = 1020};
  EXPECT_EQ(never({refuse({.times = {winter}})}, {.times = {local}}), "guest chat deepseek/flash 2027-03-28T08:00:00Z")
      << "summer time begins at nine by eight o'clock UTC";
}

TEST_F(ProveStage, OnlyPolicyCounts) {
  deepseek.disabled_because = "no secret";
  chat.max_cost = 0;
  set_policies(world, {});
  world.snapshot.assertions = {{"assertion", "", true, {}, rules(from_cn)}};
  const auto proofs = prove::prove(world.snapshot, sunday);
  const auto& example = proofs.proofs.at(0).counterexample;
  ASSERT_TRUE(example);
  ASSERT_EQ(example->rejections.size(), 2U) << "what else stops it is told";
  EXPECT_EQ(example->rejections[0].by, RejectedBy::provider_disabled);
  EXPECT_EQ(example->rejections[1].rule, "max_cost");
}

TEST_F(ProveStage, ThePoliciesThatRefuseItToOthersAreTold) {
  set_policies(world, {refuse({.keys = only({1})}), policy("us", {.tags = {"pilot"}}, {{Fact::origin, {"US"}}}),
                       policy("cn", {.keys = only({1})}, {{Fact::origin, {"CN"}}})});
  world.snapshot.assertions = {{"assertion", "", true, {}, rules(from_cn)}};
  const auto proofs = prove::prove(world.snapshot, sunday);
  ASSERT_TRUE(proofs.proofs.at(0).counterexample);
  std::string names;
  for (const Policy* policy : proofs.proofs[0].counterexample->evaded) names += policy->name + " ";
  EXPECT_EQ(names, "refuse us ");
}

TEST_F(ProveStage, ProofsSayUntilWhenTheyHold) {
  const auto end = [&](std::vector<Policy> policies) {
    set_policies(world, std::move(policies));
    return prove::prove(world.snapshot, sunday).end;
  };
  world.snapshot.assertions = {{"assertion", "", true, {}, rules(from_cn)}};
  const auto year = [](int y) { return TimePoint(std::chrono::sys_days(std::chrono::year(y) / 1 / 1)); };
  EXPECT_EQ(end({refuse({})}), std::nullopt);
  TimeWindow window{.from_minute = 0, .to_minute = 60};
  EXPECT_EQ(end({refuse({.times = {window}})}), year(2028));
  auto calendar = std::make_shared<Calendar>();
  calendar->years = {2026, 2030};
  window.calendar = calendar;
  EXPECT_EQ(end({refuse({.times = {window}})}), year(2032));
}

/// "assertion guest"; "assertion guest undecided"; of no key, it is the files' own.
std::string breached(const World& world) {
  std::string text;
  for (const prove::Breach& breach : prove::breaches(world.snapshot, sunday))
    text += (text.empty() ? "" : ", ") + breach.assertion->name + (breach.key ? " " + breach.key->name : "") +
            (breach.counterexample ? "" : " undecided");
  return text;
}

TEST_F(ProveStage, WhatBreaksAnAssertionIsTheFilesOrSomeKeysOfTheDatabase) {
  Key& other = world.snapshot.keys.emplace_back(world.snapshot.keys[0]);
  other.name = "other";
  other.index = 2;
  world.snapshot.keys[0].stored = other.stored = true;
  world.snapshot.assertions = {{"first", "", true, {}, rules(from_cn)},
                               {"second", "", true, {.keys = only({0})}, rules({{Fact::provider, {"openai"}}})}};
  const auto breached_with = [&](std::vector<Policy> policies) {
    set_policies(world, std::move(policies));
    return breached(world);
  };
  EXPECT_EQ(breached_with({refuse({})}), "second guest");
  EXPECT_EQ(breached_with({refuse({.keys = only({1})})}), "first guest, first other, second guest");
  EXPECT_EQ(breached_with({refuse({.keys = only({1, 2})})}), "first guest, second guest");
  EXPECT_EQ(breached_with({refuse({.keys = only({0, 2})})}), "first, second guest") << "who else would break it is not told then";
  EXPECT_EQ(breached_with({refuse({.keys = only({1})}), policy("none", {.keys = only({0})}, {{Fact::origin, {"ZA"}}})}),
            "first other");
  world.snapshot.assertions.clear();
  EXPECT_EQ(breached_with({}), "");
}

/// Each of 60 rules holds at four of five values of each of three dimensions, at random: no request gets around all of them, and
/// nothing shows that before most of the two million combinations were seen.
TEST_F(ProveStage, WhatIsTooLongToDecideIsNotCalledProved) {
  std::uint32_t state = 1;
  const auto mostly = [&] { return (state = state * 1'664'525 + 1'013'904'223) >> 16U & 0xff; };
  std::vector<Policy> policies;
  for (int i = 0; i < 60; ++i) {
    When when;
    for (int value = 0; value < 128; ++value) {
      if (mostly() < 200) when.input_tokens.push_back({value - 1, value});
      if (mostly() < 200) when.networks.push_back(*parse_network(std::to_string(value) + ".0.0.0/8"));
      if (mostly() < 200) when.times.push_back({.from_minute = value * 10, .to_minute = value * 10 + 10});
    }
    policies.push_back(refuse(std::move(when)));
  }
  const When within{.input_tokens = {{.up_to = 127}},
                    .networks = {*parse_network("0.0.0.0/1")},
                    .times = {{.from_minute = 0, .to_minute = 1'280}}};
  EXPECT_EQ(never(policies, within), "undecided");
  world.snapshot.keys[1].stored = true;
  EXPECT_EQ(breached(world), "assertion undecided");
  world.snapshot.keys[0].stored = true;
  EXPECT_EQ(breached(world), "assertion guest undecided, assertion clerk undecided");
  policies.pop_back();
  policies.push_back(refuse(within));
  EXPECT_EQ(never(policies, within), "proved") << "a rule for all of them is seen at once";
}

}  // namespace
}  // namespace fairlead
