#include "plan/prove/question.h"

#include <algorithm>
#include <map>
#include <utility>

namespace fairlead::prove {
namespace {

/// Every policy is a rule; and one more for each time at which a label ends that it asks for.
void add_rules(Question& question) {
  std::vector<std::pair<std::size_t, int>> shuts_out;
  for (const Policy& policy : question.snapshot.policies) {
    for (const auto& target : question.snapshot.targets)
      if (!policy.targets.has(target->index)) shuts_out.emplace_back(question.rules.size(), target->index);
    question.rules.push_back({&policy});
    for (const Policy::End& end : policy.ends) {  // ascending
      if (question.rules.back().from != end.at) question.rules.push_back({&policy, end.at});
      shuts_out.emplace_back(question.rules.size() - 1, end.target);
    }
    if (!policy.on_retention) continue;
    for (const auto& target : question.snapshot.targets) shuts_out.emplace_back(question.rules.size(), target->index);
    question.rules.push_back({&policy, TimePoint::min(), true});
  }
  question.against.assign(question.snapshot.targets.size(), Bits(question.rules.size()));
  for (const auto& [rule, target] : shuts_out) question.against[static_cast<std::size_t>(target)].add(rule);
}

template <class Parts, class May>
std::vector<Bits> rules_for_each(const Question& question, const Parts& parts, const May& may) {
  std::vector<Bits> found;
  for (const auto& part : parts) {
    Bits rules(question.rules.size());
    for (std::size_t i = 0; i < question.rules.size(); ++i)
      if (may(question.rules[i].policy->when, part)) rules.add(i);
    found.push_back(std::move(rules));
  }
  return found;
}

/// `kept`: by a request that asks for it, to which no retention is stated.
bool has_all(const Target& target, const Assertion& assertion, const std::vector<RegionGroup>& groups, bool kept, TimePoint at) {
  return std::all_of(assertion.target.begin(), assertion.target.end(), [&](const FactRule& rule) {
    if (kept && rule.fact == Fact::retention) return assertion.never;
    return assertion.never ? may_have(target, rule, groups) : states(target, rule, groups, at);
  });
}

/// From when on the assertion forbids the target; empty: it never does. Labels only end, so what is forbidden stays it.
std::optional<TimePoint> forbidden_from(const Target& target, const Assertion& assertion, const std::vector<RegionGroup>& groups,
                                        bool kept) {
  std::vector<TimePoint> changes{TimePoint::min()};
  for (const auto& [label, end] : target.provider->facts.labels) changes.push_back(end);
  std::sort(changes.begin(), changes.end());
  for (const TimePoint at : changes)
    if (has_all(target, assertion, groups, kept, at) == assertion.never) return at;
  return std::nullopt;
}

void add_goals(Question& question) {
  const Snapshot& snapshot = question.snapshot;
  for (const Assertion& assertion : snapshot.assertions) {
    std::map<std::pair<bool, TimePoint>, Bits> goals;
    const bool on_retention = std::any_of(assertion.target.begin(), assertion.target.end(),
                                          [](const FactRule& rule) { return rule.fact == Fact::retention; });
    for (const bool kept : on_retention ? std::vector{false, true} : std::vector{false})
      for (const auto& target : snapshot.targets)
        if (const auto from = forbidden_from(*target, assertion, snapshot.region_groups, kept))
          goals.try_emplace({kept, *from}, snapshot.targets.size()).first->second.add(static_cast<std::size_t>(target->index));
    goals.try_emplace({false, TimePoint::min()}, snapshot.targets.size());  // so that each has one, which tells whom it is about
    for (auto& [from, targets] : goals) question.goals.push_back({&assertion, from.second, from.first, std::move(targets)});
  }
}

}  // namespace

Question question_of(const Snapshot& snapshot) {
  Question question{snapshot, {}, {}, {}, {}, {}};
  add_rules(question);
  question.of_key = rules_for_each(question, snapshot.keys,
                                   [](const When& when, const Key& key) { return !when.keys || when.keys->has(key.index); });
  question.of_route = rules_for_each(question, snapshot.routes, [](const When& when, const auto& route) {
    return !when.routes || when.routes->has(route->index);
  });
  add_goals(question);
  return question;
}

}  // namespace fairlead::prove
