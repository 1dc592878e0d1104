#include "plan/reasons.h"

#include <fairlead/near.h>

#include <string>
#include <string_view>

namespace fairlead {
namespace {

/// "its origin is CN", "its labels are dpa (ended 2026-06-30)"
std::string stated(const Target& target, Fact fact, TimePoint at) {
  if (fact != Fact::label) {
    const std::string_view value = stated_fact(target, fact);
    return "its " + std::string(to_string(fact)) + (value.empty() ? " is not stated" : " is " + std::string(value));
  }
  std::vector<std::string> labels;
  for (const auto& [name, end] : target.provider->facts.labels)
    labels.push_back(end <= at ? name + " (ended " + day_text(end) + ")" : name);
  return labels.empty() ? "it has no label" : "its labels are " + joined(labels);
}

void add_reasons(const Plan& plan, const Target& target, const Policy& policy, std::vector<Rejection>& reasons) {
  const auto is_moot = [&](const FactRule& rule) { return rule.fact == Fact::retention && plan.keeping != Keeping::not_asked; };
  const auto add = [&](const FactRule& rule, const char* word) {
    reasons.push_back({&target, RejectedBy::policy, policy.name,
                       (is_moot(rule) ? in_words(plan.keeping) : stated(target, rule.fact, plan.at)) + word + joined(rule.values) +
                           (policy.reason.empty() ? "" : ": " + policy.reason)});
  };
  for (const FactRule& rule : policy.allow)
    if (is_moot(rule) || !states(target, rule, *plan.region_groups, plan.at)) add(rule, ", allowed is ");
  for (const FactRule& rule : policy.deny)
    if (is_moot(rule) || may_have(target, rule, *plan.region_groups)) add(rule, ", denied is ");
}

}  // namespace

std::vector<Rejection> plan_reasons(const Plan& plan) {
  std::vector<Rejection> reasons;
  for (const Rejection& rejection : plan.rejections) {
    if (rejection.by != RejectedBy::policy || !rejection.rule.empty()) {
      reasons.push_back(rejection);
      continue;
    }
    for (const Policy* policy : plan.policies) add_reasons(plan, *rejection.target, *policy, reasons);
  }
  return reasons;
}

}  // namespace fairlead
