#pragma once
// Random worlds, rules and requests over few values, so that they meet often. The same seed gives the same ones.
#include "unit/plan/world.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace fairlead::testing {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint32_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  const T& of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(below(static_cast<int>(all.size())))];
  }
  template <class T>
  std::vector<T> some(const std::vector<T>& all, int at_most) {
    std::vector<T> chosen;
    for (int i = 1 + below(at_most); i > 0; --i) chosen.push_back(of(all));
    return chosen;
  }

 private:
  std::mt19937 random_;
};

inline const std::vector<std::string> regions{"", "US", "DE", "NO", "SG", "CN", "cn", "EU", "EEA", "ASEAN"};
inline const std::vector<std::string> labels{"dpa", "audited"}, tags{"internal", "batch", "pilot"};
inline const std::vector<std::string> decimals{"0", "0.15", "0.000000000001", "3.999999", "75", "0.07", "2.5"};
inline const std::vector<std::int64_t> token_counts{0, 1, 9, 10, 11, 999, 1'000, 1'001, 130'000};

/// Targets, two routes and three keys.
struct RandomWorld : World {
  std::vector<std::unique_ptr<Key>> keys;

  RandomWorld(Dice& dice, int targets) {
    snapshot.usd_per["CNY"] = *parse_decimal("0.1407");
    for (int i = 0; i < targets; ++i) add_target(dice, i);
    std::vector<const Target*> all;
    for (const auto& target : snapshot.targets) all.push_back(target.get());
    Route& every = route("every", all);
    Route& some = route("some", {all.begin(), all.begin() + 1 + dice.below(targets)});
    for (Route* made : {&every, &some}) {
      made->strategy = dice.chance(70) ? "cheapest" : "ordered";
      if (dice.chance(30)) made->max_price.input = *parse_decimal(dice.of(decimals));
      if (dice.chance(30)) made->max_price.output = *parse_decimal(dice.of(decimals));
      if (dice.chance(20)) made->max_cost = *parse_decimal(dice.of(decimals));
    }
    for (int i = 0; i < 3; ++i) {
      keys.push_back(std::make_unique<Key>());
      keys.back()->name = "key-" + std::to_string(i);
      keys.back()->index = i;
      keys.back()->routes = {&every};
      if (dice.chance(50)) keys.back()->routes.push_back(&some);
      if (dice.chance(40)) keys.back()->tags = dice.some(tags, 2);
    }
    conditions.output_tokens_expected = 400;
    for (int i = 0; i < targets; ++i) conditions.unhealthy.push_back(dice.chance(20));
  }

  void add_target(Dice& dice, int i) {
    const std::vector<std::string> hostings{"cloud", "self"}, retentions{"", "none", "provider", "trains"};
    Facts facts{dice.of(regions), dice.of(regions), dice.of(hostings), dice.of(retentions), {}};
    for (const std::string& label : labels)
      if (dice.chance(50)) facts.labels[label] = sunday + std::chrono::days{dice.below(3)};
    Provider& made = provider("provider-" + std::to_string(i % 5), facts);
    made.currency = *parse_currency(dice.chance(70) ? "USD" : "CNY");
    if (dice.chance(10)) made.disabled_because = "no key";
    if (dice.chance(20)) made.discounts = {{{}, {}, *parse_decimal("0.15")}};
    if (dice.chance(20)) profile_of(made).drop = {"seed"};
    if (dice.chance(10)) profile_of(made).lacks.add(Capability::tools);
    Model& sold = model("model-" + std::to_string(i), dice.of(regions));
    sold.capabilities_stated = dice.chance(50);
    sold.capabilities.bits = static_cast<std::uint8_t>(dice.below(128));
    if (dice.chance(40)) sold.context_window = dice.of(token_counts) + 1;
    if (dice.chance(20)) sold.output_tokens_max = 500;
    if (dice.chance(80)) sold.prices = {random_price(dice, made.currency.view() == "USD" ? "USD" : "CNY")};
    const_cast<Target&>(target(made, sold)).name = made.name + "/" + sold.name;
  }

  static Price random_price(Dice& dice, const char* currency) {
    Price made = price(dice.of(decimals).c_str(), dice.of(decimals).c_str(), currency);
    if (dice.chance(10)) made.from = sunday + std::chrono::days{1};
    if (dice.chance(30)) {
      made.tiers.push_back({10, {}});
      made.tiers.back().rates.input = *parse_decimal(dice.of(decimals));
    }
    if (dice.chance(30)) {
      made.windows.push_back(
          {"window", {static_cast<std::uint8_t>(dice.below(128)), 60 * dice.below(24), 60 * dice.below(24)}, {}});
      made.windows.back().rates.output = *parse_decimal(dice.of(decimals));
    }
    return made;
  }
};

inline When random_when(Dice& dice) {
  When when;
  if (dice.chance(25)) when.keys = only({dice.below(3), dice.below(3)});
  if (dice.chance(25)) when.routes = only({dice.below(2)});
  if (dice.chance(20)) when.tags = dice.some(tags, 2);
  if (dice.chance(10)) when.endpoints = static_cast<std::uint8_t>(1 + dice.below(3));
  if (dice.chance(20)) when.modalities = static_cast<std::uint8_t>(1 + dice.below(15));
  if (dice.chance(20)) when.input_tokens = {{dice.of(token_counts), 1'000}, {.above = 100'000}};
  if (dice.chance(20)) when.networks = {*parse_network(dice.chance(50) ? "10.0.0.0/8" : "2001:db8::/32")};
  if (dice.chance(20)) {
    when.times = {{.from_minute = 60 * dice.below(24), .to_minute = 60 * dice.below(24)}};
    when.times[0].weekdays = static_cast<std::uint8_t>(dice.below(128));
  }
  return when;
}

inline std::vector<FactRule> random_rules(Dice& dice, int at_most) {
  const std::vector<std::string> names{"provider-1", "provider-*", "*-2", "PROVIDER-3", "model-1", "model-*", "*"};
  const std::vector<std::string> words{"cloud", "self", "none", "provider", "trains"};
  std::vector<FactRule> rules;
  for (int i = dice.below(at_most + 1); i > 0; --i) {
    const auto fact = static_cast<Fact>(dice.below(fact_count));
    const bool name = fact == Fact::provider || fact == Fact::model;
    const bool region = fact == Fact::origin || fact == Fact::operator_ || fact == Fact::region;
    rules.push_back({fact, dice.some(name ? names : region ? regions : fact == Fact::label ? labels : words, 3)});
  }
  return rules;
}

inline Policy random_policy(Dice& dice, int number) {
  Policy made;
  made.name = "policy-" + std::to_string(number);
  made.when = random_when(dice);
  made.allow = random_rules(dice, 2);
  made.deny = random_rules(dice, 1);
  if (dice.chance(15)) made.max_cost = *parse_decimal(dice.of(decimals));
  return made;
}

/// With what it points at.
struct RandomRequest {
  RequestFacts facts;
  std::unique_ptr<Wishes> wishes;
  std::vector<Member> fields;
  TimePoint at;

  RandomRequest(Dice& dice, const RandomWorld& world) {
    facts.key = dice.of(world.keys).get();
    facts.route = facts.key->routes[static_cast<std::size_t>(dice.below(static_cast<int>(facts.key->routes.size())))];
    if (dice.chance(25)) {
      facts.target = dice.of(facts.route->targets);
      facts.route = nullptr;
    }
    facts.needs.bits = dice.chance(50) ? 0 : static_cast<std::uint8_t>(dice.below(128));
    facts.input_tokens = dice.of(token_counts);
    if (dice.chance(40)) facts.output_tokens_max = dice.of(token_counts);
    if (dice.chance(30)) facts.tags = dice.some(tags, 2);
    if (dice.chance(80)) facts.client = parse_ip(dice.of(std::vector<std::string>{"10.1.2.3", "192.0.2.7", "2001:db8::1", "::1"}));
    fields.push_back({"model", 0, 0, 0});
    if (dice.chance(50)) fields.push_back({"seed", 0, 0, 0});
    at = sunday + std::chrono::minutes{dice.below(3 * 24 * 60)};
    if (dice.chance(50)) wish(dice);
    facts.wishes = wishes.get();
    facts.fields = fields;
  }

  void wish(Dice& dice) {
    const std::vector<std::string> providers{"provider-0", "provider-1", "provider-2/model-2", "nobody"};
    const std::vector<std::string> models{"every", "some", "model-1", "provider-2/model-2", "provider-3/model-3"};
    wishes = std::make_unique<Wishes>();
    if (dice.chance(20)) wishes->only = dice.some(providers, 3);
    if (dice.chance(20)) wishes->ignore = dice.some(providers, 2);
    if (dice.chance(40)) wishes->order = dice.some(providers, 3);
    if (dice.chance(20)) wishes->models = dice.some(models, 3);
    if (dice.chance(20)) wishes->max_input_price = *parse_decimal(dice.of(decimals));
    if (dice.chance(20)) wishes->max_output_price = *parse_decimal(dice.of(decimals));
    if (dice.chance(30)) wishes->sort = Wishes::Sort::price;
    wishes->keep_nothing = dice.chance(10);
    wishes->fallbacks = dice.chance(80);
    wishes->require_parameters = dice.chance(20);
  }
};

}  // namespace fairlead::testing
