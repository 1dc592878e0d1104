#pragma once
// A small world to route in: providers, models, routes, policies and a key, built in the order of a file.
#include <fairlead/plan.h>

#include "plan/reasons.h"

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::testing {

inline const TimePoint sunday = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

struct World {
  Snapshot snapshot;
  Conditions conditions;

  World() {
    snapshot.usd_per["USD"] = pico_per_unit;
    snapshot.region_groups = built_in_region_groups();
  }

  Provider& provider(const std::string& name, Facts facts = {}) {
    snapshot.profiles.push_back(std::make_unique<Profile>());
    auto added = std::make_unique<Provider>();
    added->name = name;
    added->profile = snapshot.profiles.back().get();
    added->facts = std::move(facts);
    snapshot.providers.push_back(std::move(added));
    return *snapshot.providers.back();
  }

  Profile& profile_of(const Provider& provider) {
    for (const auto& profile : snapshot.profiles)
      if (profile.get() == provider.profile) return *profile;
    std::abort();
  }

  Model& model(const std::string& name, const std::string& origin = "") {
    auto added = std::make_unique<Model>();
    added->name = name;
    added->origin = origin;
    snapshot.models.push_back(std::move(added));
    return *snapshot.models.back();
  }

  const Target& target(const Provider& provider, const Model& model) {
    auto added = std::make_unique<Target>();
    added->name = provider.name + "/" + model.name;
    added->provider = &provider;
    added->model = &model;
    added->index = static_cast<int>(snapshot.targets.size());
    snapshot.target_by_name.emplace(added->name, added.get());
    snapshot.targets.push_back(std::move(added));
    return *snapshot.targets.back();
  }

  Route& route(const std::string& name, std::vector<const Target*> targets) {
    auto added = std::make_unique<Route>();
    added->name = name;
    added->index = static_cast<int>(snapshot.routes.size());
    added->targets = std::move(targets);
    snapshot.routes.push_back(std::move(added));
    return *snapshot.routes.back();
  }
};

/// The words of a rule: fact -> values.
using Words = std::vector<std::pair<Fact, std::vector<std::string>>>;

inline std::vector<FactRule> rules(const Words& words) {
  std::vector<FactRule> rules;
  for (const auto& [fact, values] : words) rules.push_back({fact, values});
  return rules;
}

inline IndexSet only(std::initializer_list<int> indexes) {
  IndexSet set;
  for (const int index : indexes) set.add(index);
  return set;
}

/// Takes the place of all policies before, resolved as a load would.
inline void set_policies(World& world, std::vector<Policy> policies) {
  world.snapshot.policies = std::move(policies);
  resolve_policies(world.snapshot);
}

inline Policy policy(std::string name, When when, const Words& allow, const Words& deny = {}, std::string reason = "") {
  Policy policy;
  policy.name = std::move(name);
  policy.when = std::move(when);
  policy.allow = rules(allow);
  policy.deny = rules(deny);
  policy.reason = std::move(reason);
  return policy;
}

/// A price since 2026-01-01, per million tokens.
inline Price price(const char* input, const char* output, const char* currency = "USD") {
  Price added;
  added.from = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
  added.currency = *parse_currency(currency);
  added.rates.input = *parse_decimal(input);
  added.rates.output = *parse_decimal(output);
  return added;
}

/// The candidates' names, best first: "a/x b/y".
inline std::string ranked(const Plan& plan) {
  std::string names;
  for (const Candidate& candidate : plan.candidates) names += (names.empty() ? "" : " ") + candidate.target->name;
  return names;
}

/// "target: by rule", one a line.
inline std::string rejected(const Plan& plan) {
  std::string lines;
  for (const Rejection& r : plan_reasons(plan)) lines += r.target->name + ": " + std::string(to_string(r.by)) + " " + r.rule + "\n";
  return lines;
}

}  // namespace fairlead::testing
