// The prover beside brute force: every request of small random worlds, one by one, through the rules as a real request meets them.
#include "plan/plan.h"
#include "plan/policy.h"
#include "plan/prove/prove.h"
#include "unit/plan/dice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace fairlead {
namespace {

using prove::Proof;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Dice;
using testing::RandomWorld;
using testing::sunday;

constexpr int quarter_of_a_day = 6 * 60;
const TimePoint begin = sunday - days{1};

/// The values at and beside which any condition of random_when() can change.
const std::vector<std::int64_t> tokens{0, 1, 2, 9, 10, 11, 12, 999, 1'000, 1'001, 1'002, 100'000, 100'001, 130'000, 130'001};
const std::vector<std::string> addresses{"",          "10.0.0.0",   "10.255.255.255", "11.0.0.0",
                                         "192.0.2.1", "2001:db8::", "2001:db9::",     "::"};

const std::vector<std::string> classes{"iban", "payment_card", "secret"};

/// Which dimensions the rules of a world may speak of, so that the others need not be enumerated.
struct Spoken {
  bool tags, content, modality, endpoint, tokens, network, time;

  explicit Spoken(Dice& dice) {
    bool* const all[] = {&tags, &content, &modality, &endpoint, &tokens, &network, &time};
    for (bool* one : all) *one = false;
    for (int i = 1 + dice.below(3); i > 0; --i) *all[dice.below(7)] = true;
  }
  void reduce(When& when) const {
    if (!tags) when.tags.clear();
    if (!content) when.content.clear();
    if (!modality) when.modalities = 0;
    if (!endpoint) when.endpoints = 0;
    if (!tokens) when.input_tokens.clear();
    if (!network) when.networks.clear();
    if (!time) when.times.clear();
    for (TimeWindow& window : when.times) {
      window.from_minute -= window.from_minute % quarter_of_a_day;
      window.to_minute -= window.to_minute % quarter_of_a_day;
    }
  }
};

When asserted_when(Dice& dice) {
  When when = testing::random_when(dice);
  if (dice.chance(30)) when.content = dice.some(classes, 2);
  if (dice.chance(20)) when.input_tokens = {{.up_to = dice.of(testing::token_counts)}};
  return when;
}

struct AssertedWorld : RandomWorld {
  Spoken spoken;
  std::set<std::string> looked_for;  ///< classes that policies name; of others nobody knows, so they may be there

  explicit AssertedWorld(Dice& dice) : RandomWorld(dice, 5), spoken(dice) {
    for (const auto& key : keys) {
      if (dice.chance(60)) key->request_tags = dice.some(testing::tags, 2);
      key->may_name_targets = dice.chance(50);
      snapshot.keys.push_back(*key);
    }
    std::vector<Policy> policies;
    for (int i = dice.below(6); i > 0; --i) policies.push_back(random_policy(dice, i));
    for (Policy& policy : policies) {
      policy.when = asserted_when(dice);
      spoken.reduce(policy.when);
      looked_for.insert(policy.when.content.begin(), policy.when.content.end());
    }
    set_policies(*this, std::move(policies));
    Assertion assertion{"assertion", "", dice.chance(60), asserted_when(dice), testing::random_rules(dice, 2)};
    if (assertion.target.empty()) assertion.target.push_back({Fact::hosting, {"cloud"}});
    spoken.reduce(assertion.when);
    if (dice.chance(50)) assertion.when.keys.reset();
    snapshot.assertions.push_back(std::move(assertion));
  }

  const Assertion& assertion() const { return snapshot.assertions.front(); }

  /// Else a request that asks its provider to keep it may reach no more than others, and nothing else counts as forbidden.
  bool on_retention() const {
    const auto& target = assertion().target;
    return std::any_of(target.begin(), target.end(), [](const FactRule& rule) { return rule.fact == Fact::retention; });
  }

  bool forbids(const Target& target, Keeping keeping, TimePoint at) const {
    for (const FactRule& rule : assertion().target)
      if (keeping != Keeping::not_asked && rule.fact == Fact::retention) {
        if (!assertion().never) return true;
      } else if (assertion().never ? !may_have(target, rule, snapshot.region_groups)
                                   : !states(target, rule, snapshot.region_groups, at))
        return !assertion().never;
    return assertion().never;
  }
};

/// For each of the facts one for each value.
template <class Values, class Set>
void multiply(std::vector<RequestFacts>& requests, bool spoken, const Values& values, const Set& set) {
  if (!spoken) return;
  std::vector<RequestFacts> product;
  for (const RequestFacts& facts : requests)
    for (const auto& value : values) set(product.emplace_back(facts), value);
  requests = std::move(product);
}

std::vector<RequestFacts> requests_of(const AssertedWorld& world, const Key& key) {
  std::vector<RequestFacts> requests(1);
  requests[0].key = &key;
  const std::vector<int> sets{0, 1, 2, 3, 4, 5, 6, 7};
  multiply(requests, world.spoken.tags, sets, [&](RequestFacts& facts, int set) {
    for (std::size_t i = 0; i < key.request_tags.size(); ++i)
      if ((set >> i & 1) != 0) facts.tags.push_back(key.request_tags[i]);
  });
  multiply(requests, world.spoken.content, sets, [&](RequestFacts& facts, int set) {
    for (const std::string& name : world.looked_for) {
      facts.content.push_back({name, set & 1});
      set >>= 1;
    }
  });
  multiply(requests, world.spoken.modality, sets, [](RequestFacts& facts, int set) {
    if ((set & 1) != 0) facts.needs.add(Capability::vision);
    if ((set & 2) != 0) facts.needs.add(Capability::audio);
    if ((set & 4) != 0) facts.needs.add(Capability::tools);
  });
  multiply(requests, world.spoken.endpoint, std::vector{0, 1, 2, 3},
           [](RequestFacts& facts, int endpoint) { facts.endpoint = static_cast<Endpoint>(endpoint); });
  multiply(requests, world.spoken.tokens, tokens, [](RequestFacts& facts, std::int64_t count) { facts.input_tokens = count; });
  multiply(requests, world.spoken.network, addresses,
           [](RequestFacts& facts, const std::string& address) { facts.client = parse_ip(address); });
  multiply(requests, world.on_retention(), std::vector{Keeping::not_asked, Keeping::store},
           [](RequestFacts& facts, Keeping keeping) { facts.keeping = keeping; });
  std::vector<RequestFacts> asking;
  for (const RequestFacts& facts : requests)
    for (const Route* route : key.routes) {
      asking.emplace_back(facts).route = route;
      if (key.may_name_targets)
        for (const Target* target : route->targets) asking.emplace_back(facts).target = target;
    }
  return asking;
}

/// Labels end at one of three midnights: the times before, and then all of a week.
std::vector<TimePoint> times_of(const AssertedWorld& world) {
  std::vector<TimePoint> times;
  const TimePoint end = sunday + days{world.spoken.time ? 10 : 4};
  for (TimePoint at = begin; at < end; at += world.spoken.time ? minutes{quarter_of_a_day} : days{1}) times.push_back(at);
  return times;
}

Proof::Verdict by_brute_force(const AssertedWorld& world) {
  bool any = false;
  const auto times = times_of(world);
  for (const Key& key : world.snapshot.keys)
    for (const RequestFacts& facts : requests_of(world, key))
      for (const TimePoint at : times) {
        if (!matches(world.assertion().when, facts, at)) continue;
        any = true;
        const auto allowed = allowed_targets(matching_policies(facts, world.snapshot, at), facts.keeping, at);
        for (const Target* target : facts.route ? facts.route->targets : std::vector{facts.target})
          if ((!allowed || allowed->has(target->index)) && world.forbids(*target, facts.keeping, at)) return Proof::Verdict::fails;
      }
  return any ? Proof::Verdict::holds : Proof::Verdict::nobody;
}

/// The counterexample, planned like any request: the target is a candidate, or it is stopped by something else than a rule about
/// targets.
void expect_broken(const AssertedWorld& world, const prove::Counterexample& example) {
  EXPECT_TRUE(matches(world.assertion().when, example.facts, example.at));
  EXPECT_TRUE(world.forbids(*example.target, example.facts.keeping, example.at));
  EXPECT_GE(example.at, begin);
  for (const std::string& tag : example.facts.tags) {
    const auto& may_add = example.facts.key->request_tags;
    EXPECT_NE(std::find(may_add.begin(), may_add.end(), tag), may_add.end());
  }
  const Plan plan = make_plan(example.facts, world.snapshot, world.conditions, example.at);
  const auto is_target = [&](const auto& one) { return one.target == example.target; };
  const bool candidate = std::any_of(plan.candidates.begin(), plan.candidates.end(), is_target);
  EXPECT_EQ(candidate, example.rejections.empty());
  EXPECT_EQ(std::count_if(plan.rejections.begin(), plan.rejections.end(), is_target), std::ssize(example.rejections));
  for (const Rejection& rejection : example.rejections) EXPECT_FALSE(rejection.rule.empty()) << "a rule about targets";
}

TEST(BruteForce, agrees_with_the_prover_on_every_request_of_1000_worlds) {
  std::map<Proof::Verdict, int> verdicts;
  for (std::uint32_t seed = 0; seed < 1'000 / FAIRLEAD_FEWER; ++seed) {
    Dice dice(seed);
    const AssertedWorld world(dice);
    const auto proofs = prove::prove(world.snapshot, begin);
    ASSERT_EQ(proofs.proofs.size(), 1U);
    const Proof& proof = proofs.proofs.front();
    ASSERT_EQ(proof.verdict, by_brute_force(world)) << "seed " << seed;
    ASSERT_EQ(proof.verdict == Proof::Verdict::fails, proof.counterexample.has_value());
    if (proof.counterexample) expect_broken(world, *proof.counterexample);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    ++verdicts[proof.verdict];
  }
  EXPECT_GT(verdicts[Proof::Verdict::holds], 150 / FAIRLEAD_FEWER);
  EXPECT_GT(verdicts[Proof::Verdict::fails], 150 / FAIRLEAD_FEWER);
  EXPECT_GT(verdicts[Proof::Verdict::nobody], 20 / FAIRLEAD_FEWER);
}

/// A zone with summer time from the last Sunday of March to that of October or November, as `shift` has it.
std::shared_ptr<const Zone> zone(int offset_minutes, int shift_days) {
  auto made = std::make_shared<Zone>();
  made->changes = {{TimePoint::min(), offset_minutes}};
  for (int year = 2026; year < 2040; ++year) {
    using namespace std::chrono;
    const auto change = [&](month in, int offset) {
      made->changes.push_back({sys_days(std::chrono::year(year) / in / Sunday[last]) + days{shift_days} + hours{1}, offset});
    };
    change(March, offset_minutes + 60);
    change(October, offset_minutes);
  }
  return made;
}

TimeWindow random_window(Dice& dice) {
  static const std::vector<std::shared_ptr<const Zone>> zones{nullptr, zone(60, 0), zone(-300, 14), zone(345, 2)};
  static const auto calendar = [] {
    auto made = std::make_shared<Calendar>();
    made->years = {2026};
    for (int day = 1; day < 20; day += 3) made->days_off.push_back(std::chrono::sys_days(std::chrono::year(2026) / 12 / day));
    made->work_days = {std::chrono::sys_days(std::chrono::year(2026) / 12 / 6)};
    return std::shared_ptr<const Calendar>(made);
  }();
  TimeWindow window{static_cast<std::uint8_t>(1 + dice.below(127)), 15 * dice.below(96), 15 * dice.below(97), dice.of(zones)};
  if (dice.chance(40)) window.calendar = calendar;
  window.on_work_days = window.calendar && dice.chance(50);
  return window;
}

/// Every quarter of an hour of a year and more, with summer times that do not begin together and a calendar that ends.
TEST(BruteForce, agrees_about_times) {
  std::map<Proof::Verdict, int> verdicts;
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    Dice dice(seed);
    testing::World world;
    Provider& provider = world.provider("p", {"CN", "CN", "cloud", "none"});
    Route& route = world.route("r", {&world.target(provider, world.model("m", "CN"))});
    Key& key = world.snapshot.keys.emplace_back();
    key.name = "k";
    key.routes = {&route};
    std::vector<Policy> policies;
    for (int i = 1 + dice.below(4); i > 0; --i) {
      When when;
      for (int j = 1 + dice.below(3); j > 0; --j) when.times.push_back(random_window(dice));
      policies.push_back(testing::policy("p" + std::to_string(i), when, {}, {{Fact::origin, {"CN"}}}));
    }
    set_policies(world, std::move(policies));
    When when;
    when.times = {random_window(dice)};
    world.snapshot.assertions.push_back({"a", "", true, when, {{Fact::origin, {"CN"}}}});
    RequestFacts facts;
    facts.key = &key;
    facts.route = &route;
    const auto proofs = prove::prove(world.snapshot, sunday);
    ASSERT_EQ(proofs.end, TimePoint(std::chrono::sys_days(std::chrono::year(2028) / 1 / 1)));
    bool any = false;
    std::optional<TimePoint> broken;
    for (TimePoint at = sunday; at < *proofs.end && !broken; at += minutes{15}) {
      if (!matches(when, facts, at)) continue;
      any = true;
      if (matching_policies(facts, world.snapshot, at).empty()) broken = at;
    }
    const auto expected = broken ? Proof::Verdict::fails : any ? Proof::Verdict::holds : Proof::Verdict::nobody;
    const Proof& proof = proofs.proofs.front();
    ASSERT_EQ(proof.verdict, expected) << "seed " << seed;
    if (proof.counterexample) {
      EXPECT_TRUE(matching_policies(facts, world.snapshot, proof.counterexample->at).empty());
      EXPECT_TRUE(matches(when, facts, proof.counterexample->at));
    }
    ++verdicts[proof.verdict];
  }
  EXPECT_GT(verdicts[Proof::Verdict::holds], 10);
  EXPECT_GT(verdicts[Proof::Verdict::fails], 10);
}

}  // namespace
}  // namespace fairlead
