// A second plan(), written from the manual in the plainest way, without a look at the first. Both agree on everything: who may be
// reached, in which order, and at which cost, to the last digit.
#include "plan/plan.h"

#include "unit/plan/dice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace fairlead {
namespace {

using testing::Dice;
using testing::RandomRequest;
using testing::RandomWorld;
using testing::rejected;
using Strings = std::vector<std::string>;

std::string small(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool contains(const Strings& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

/// Does the text match, with `*` for anything? By the definition of it.
bool like(const std::string& text, const std::string& pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return like(text, pattern.substr(1)) || (!text.empty() && like(text.substr(1), pattern));
  return !text.empty() && text[0] == pattern[0] && like(text.substr(1), pattern.substr(1));
}

class Reference {
 public:
  Reference(const RandomRequest& request, const RandomWorld& world) : facts_(request.facts), world_(world), at_(request.at) {}

  struct Ranked {
    const Target* target;
    std::optional<Int128> usd;
  };
  std::vector<Ranked> plan() {
    std::vector<Ranked> left;
    for (const Target* target : targets())
      if (serves(*target) && allowed(*target) && affordable(*target) && wished(*target)) left.push_back({target, usd(*target)});
    sort(left);
    return left;
  }

 private:
  std::vector<const Target*> targets() const { return facts_.route ? facts_.route->targets : std::vector{facts_.target}; }

  /// The routes whose rules hold for the target.
  std::vector<const Route*> routes(const Target& target) const {
    if (facts_.route) return {facts_.route};
    std::vector<const Route*> routes;
    for (const Route* route : facts_.key->routes)
      if (std::count(route->targets.begin(), route->targets.end(), &target) > 0) routes.push_back(route);
    return routes;
  }

  bool serves(const Target& target) const {
    if (!target.provider->disabled_because.empty()) return false;
    for (int i = 0; i < capability_count; ++i) {
      const auto capability = static_cast<Capability>(i);
      if (!facts_.needs.has(capability)) continue;
      if (target.provider->profile->lacks.has(capability)) return false;
      if (capability == Capability::streaming || capability == Capability::choices) continue;
      if (target.model->capabilities_stated && !target.model->capabilities.has(capability)) return false;
    }
    const std::int64_t output = facts_.output_tokens_max.value_or(0);
    if (target.model->context_window != 0 && 5 * facts_.input_tokens > 6 * (target.model->context_window - output)) return false;
    return target.model->output_tokens_max == 0 || output <= target.model->output_tokens_max;
  }

  /// Minutes since the Monday before.
  bool in_window(int weekdays, int from, int to) const {
    const auto since_monday = [](TimePoint at) {
      const auto day = std::chrono::floor<std::chrono::days>(at);
      const int weekday = static_cast<int>(std::chrono::weekday(day).iso_encoding()) - 1;
      return weekday * 1440 + static_cast<int>(std::chrono::floor<std::chrono::minutes>(at - day).count());
    };
    const int now = since_monday(at_), length = to > from ? to - from : 1440 - from + to;
    for (int day = 0; day < 7; ++day)
      for (int minute = 0; (weekdays >> day & 1) != 0 && minute < length; ++minute)
        if ((day * 1440 + from + minute) % (7 * 1440) == now) return true;
    return false;
  }

  bool applies(const Policy& policy, const Target& target) const {
    const When& when = policy.when;
    if (when.keys && !when.keys->has(facts_.key->index)) return false;
    bool right = !when.routes;
    for (const Route* route : routes(target)) right |= when.routes && when.routes->has(route->index);
    if (!right) return false;
    right = when.tags.empty();
    for (const std::string& tag : when.tags) right |= contains(facts_.tags, tag) || contains(facts_.key->tags, tag);
    if (!right) return false;
    if (when.endpoints != 0 && (when.endpoints & 1) == 0) return false;
    const bool image = facts_.needs.has(Capability::vision), audio = facts_.needs.has(Capability::audio),
               tools = facts_.needs.has(Capability::tools);
    const int carried = 1 + 2 * image + 4 * audio + 8 * tools;
    if (when.modalities != 0 && (when.modalities & carried) == 0) return false;
    right = when.input_tokens.empty();
    for (const TokenRange& range : when.input_tokens)
      right |= range.above < facts_.input_tokens && facts_.input_tokens <= range.up_to;
    if (!right) return false;
    right = when.networks.empty() || !facts_.client;
    for (const Network& network : when.networks) right |= facts_.client && in(*facts_.client, network);
    if (!right) return false;
    right = when.times.empty();
    for (const TimeWindow& window : when.times) right |= in_window(window.weekdays, window.from_minute, window.to_minute);
    return right;
  }

  static bool in(const Address& address, const Network& network) {
    for (int bit = 0; bit < network.bits; ++bit) {
      const auto byte = static_cast<std::size_t>(bit / 8);
      if (((address[byte] ^ network.first[byte]) >> (7 - bit % 8) & 1) != 0) return false;
    }
    return true;
  }

  /// The countries that a word for a region may mean.
  Strings meant(const std::string& word, bool any_case) const {
    for (const RegionGroup& group : world_.snapshot.region_groups)
      if (group.name == word || (any_case && small(group.name) == small(word))) return group.members;
    return {any_case ? small(word) : word};
  }

  bool holds(const FactRule& rule, const Target& target) const {
    const Facts& facts = target.provider->facts;
    bool found = false;
    switch (rule.fact) {
      case Fact::label:
        for (const auto& [label, end] : facts.labels) found |= contains(rule.values, label) && at_ < end;
        return found;
      case Fact::provider:
        for (const std::string& value : rule.values) found |= like(target.provider->name, value);
        return found;
      case Fact::model:
        for (const std::string& value : rule.values) found |= like(target.model->name, value);
        return found;
      case Fact::hosting: return contains(rule.values, facts.hosting);
      case Fact::retention: return !facts.retention.empty() && contains(rule.values, facts.retention);
      default: break;
    }
    const std::string& stated = region(rule.fact, target);
    if (stated.empty()) return false;
    Strings allowed;
    for (const std::string& value : rule.values)
      for (const std::string& country : meant(value, false)) allowed.push_back(country);
    for (const std::string& country : meant(stated, false))
      if (!contains(allowed, country)) return false;
    return true;
  }

  bool may_hold(const FactRule& rule, const Target& target) const {
    const Facts& facts = target.provider->facts;
    bool found = false;
    const auto any_like = [&](const std::string& text) {
      for (const std::string& value : rule.values) found |= like(small(text), small(value));
      return found;
    };
    switch (rule.fact) {
      case Fact::label:
        for (const auto& [label, end] : facts.labels) found |= contains(rule.values, label);
        return found;
      case Fact::provider: return any_like(target.provider->name);
      case Fact::model: return any_like(target.model->name);
      case Fact::hosting: return contains(rule.values, facts.hosting);
      case Fact::retention: return facts.retention.empty() || contains(rule.values, facts.retention);
      default: break;
    }
    const std::string& stated = region(rule.fact, target);
    if (stated.empty()) return true;
    for (const std::string& value : rule.values)
      for (const std::string& denied : meant(value, true))
        for (const std::string& country : meant(stated, true)) found |= small(denied) == small(country);
    return found;
  }

  static const std::string& region(Fact fact, const Target& target) {
    return fact == Fact::origin      ? target.model->origin
           : fact == Fact::operator_ ? target.provider->facts.operator_
                                     : target.provider->facts.region;
  }

  bool allowed(const Target& target) const {
    for (const Policy& policy : world_.snapshot.policies) {
      if (!applies(policy, target)) continue;
      for (const FactRule& rule : policy.allow)
        if (!holds(rule, target)) return false;
      for (const FactRule& rule : policy.deny)
        if (may_hold(rule, target)) return false;
      if (policy.max_cost && (!usd(target) || *usd(target) > *policy.max_cost)) return false;
    }
    return true;
  }

  struct Pair {
    Int128 input, output;
  };
  /// What it charges now, per million tokens, in its own currency.
  std::optional<Pair> rates(const Target& target) const {
    if (target.model->prices.empty() || at_ < target.model->prices[0].from) return std::nullopt;
    const Price& price = target.model->prices[0];
    Pair pair{*price.rates.input, *price.rates.output};
    if (!price.tiers.empty() && facts_.input_tokens > 10) {
      pair.input = *price.tiers[0].rates.input;
    } else if (!price.windows.empty() &&
               in_window(price.windows[0].time.weekdays, price.windows[0].time.from_minute, price.windows[0].time.to_minute)) {
      pair.output = *price.windows[0].rates.output;
    }
    if (!target.provider->discounts.empty())
      for (Int128* rate : {&pair.input, &pair.output}) *rate = (*rate * 85 + 50) / 100;
    return pair;
  }

  Int128 in_usd(Int128 pico, const Target& target) const {
    constexpr Int128 one = pico_per_unit;
    const Int128 rate = target.provider->currency.view() == "USD" ? one : one * 1407 / 10'000;
    return (pico * rate + one / 2) / one;
  }

  std::optional<Int128> usd(const Target& target) const {
    const auto pair = rates(target);
    if (!pair) return std::nullopt;
    const std::int64_t output = std::min<std::int64_t>(400, facts_.output_tokens_max.value_or(400));
    return in_usd((pair->input * facts_.input_tokens + pair->output * output + 500'000) / 1'000'000, target);
  }

  bool no_dearer(const Target& target, const std::optional<Int128>& input, const std::optional<Int128>& output) const {
    const auto pair = rates(target);
    if (!pair) return !input && !output;
    return (!input || in_usd(pair->input, target) <= *input) && (!output || in_usd(pair->output, target) <= *output);
  }

  bool affordable(const Target& target) const {
    for (const Route* route : routes(target)) {
      if (!no_dearer(target, route->max_price.input, route->max_price.output)) return false;
      if (route->max_cost && (!usd(target) || *usd(target) > *route->max_cost)) return false;
    }
    return true;
  }

  static std::size_t provider_place(const Strings& list, const Target& target) {
    std::size_t i = 0;
    while (i < list.size() && list[i] != target.provider->name && list[i] != target.name) ++i;
    return i;
  }
  std::size_t model_place(const Target& target) const {
    const Strings& models = facts_.wishes->models;
    for (std::size_t i = 0; i < models.size(); ++i) {
      if (models[i] == target.name || models[i] == target.model->name) return i;
      for (const Route* route : facts_.key->routes)
        if (route->name == models[i] && std::count(route->targets.begin(), route->targets.end(), &target) > 0) return i;
    }
    return models.size();
  }

  bool wished(const Target& target) const {
    if (!facts_.wishes) return true;
    const Wishes& wishes = *facts_.wishes;
    if (!wishes.models.empty() && model_place(target) == wishes.models.size()) return false;
    if (!wishes.only.empty() && provider_place(wishes.only, target) == wishes.only.size()) return false;
    if (provider_place(wishes.ignore, target) < wishes.ignore.size()) return false;
    if (!wishes.fallbacks && !wishes.order.empty() && provider_place(wishes.order, target) == wishes.order.size()) return false;
    if (wishes.keep_nothing && target.provider->facts.retention != "none") return false;
    if (wishes.require_parameters)
      for (const Member& field : facts_.fields)
        if (contains(target.provider->profile->drop, field.key)) return false;
    return no_dearer(target, wishes.max_input_price, wishes.max_output_price);
  }

  bool may_be_too_small(const Ranked& ranked) const {
    const std::int64_t window = ranked.target->model->context_window;
    return window != 0 && facts_.input_tokens + facts_.output_tokens_max.value_or(0) > window;
  }

  void sort(std::vector<Ranked>& left) const {
    const Wishes* wishes = facts_.wishes;
    const bool by_price = wishes && wishes->sort == Wishes::Sort::price;
    if (by_price || (facts_.route && facts_.route->strategy == "cheapest"))
      std::stable_sort(left.begin(), left.end(), [](const Ranked& a, const Ranked& b) {
        constexpr Int128 last = Int128{1} << 120;
        return a.usd.value_or(last) < b.usd.value_or(last);
      });
    std::stable_sort(left.begin(), left.end(),
                     [&](const Ranked& a, const Ranked& b) { return may_be_too_small(a) < may_be_too_small(b); });
    if (wishes) {
      std::stable_sort(left.begin(), left.end(), [&](const Ranked& a, const Ranked& b) {
        return provider_place(wishes->order, *a.target) < provider_place(wishes->order, *b.target);
      });
      std::stable_sort(left.begin(), left.end(),
                       [&](const Ranked& a, const Ranked& b) { return model_place(*a.target) < model_place(*b.target); });
    }
    std::stable_sort(left.begin(), left.end(), [&](const Ranked& a, const Ranked& b) { return ill(a) < ill(b); });
    if (wishes && !wishes->fallbacks && wishes->order.empty() && left.size() > 1) left.resize(1);
  }

  bool ill(const Ranked& ranked) const { return world_.conditions.unhealthy[static_cast<std::size_t>(ranked.target->index)]; }

  const RequestFacts& facts_;
  const RandomWorld& world_;
  TimePoint at_;
};

TEST(Reference, AgreesWithThePlanToTheLastDigitOfCost) {
  Dice dice(19570526);
  constexpr int requests = 20;
  std::int64_t cases = 0, reached = 0, priced = 0;
  while (cases < 100'000 / FAIRLEAD_FEWER) {
    RandomWorld world(dice, 1 + dice.below(8));
    for (int n = dice.below(5); n > 0; --n) world.snapshot.policies.push_back(testing::random_policy(dice, n));
    resolve_policies(world.snapshot);
    for (int i = 0; i < requests; ++i, ++cases) {
      const RandomRequest request(dice, world);
      const Plan plan = make_plan(request.facts, world.snapshot, world.conditions, request.at);
      const auto expected = Reference(request, world).plan();
      ASSERT_EQ(plan.candidates.size(), expected.size()) << "case " << cases << "\n" << rejected(plan);
      for (std::size_t at = 0; at < expected.size(); ++at, ++reached) {
        ASSERT_EQ(plan.candidates[at].target, expected[at].target) << "case " << cases << ", place " << at;
        ASSERT_EQ(plan.candidates[at].expected.has_value(), expected[at].usd.has_value()) << "case " << cases;
        if (!expected[at].usd) continue;
        ++priced;
        ASSERT_TRUE(plan.candidates[at].expected->usd_pico == *expected[at].usd)
            << "case " << cases << ": " << format_decimal(plan.candidates[at].expected->usd_pico) << " and "
            << format_decimal(*expected[at].usd);
      }
      std::set<const Target*> seen;
      for (const Candidate& candidate : plan.candidates) seen.insert(candidate.target);
      for (const Rejection& rejection : plan.rejections) seen.insert(rejection.target);
      ASSERT_EQ(seen.size(), request.facts.route ? request.facts.route->targets.size() : 1U) << "each target has its verdict";
    }
  }
  EXPECT_GT(reached, 20'000 / FAIRLEAD_FEWER) << "the cases must reach both ends";
  EXPECT_GT(priced, 10'000 / FAIRLEAD_FEWER);
}

}  // namespace
}  // namespace fairlead
