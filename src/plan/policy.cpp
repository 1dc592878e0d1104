#include "plan/policy.h"

#include "plan/routes.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace fairlead {
namespace {

using Values = std::vector<std::string>;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool holds(const Values& values, std::string_view fact) { return std::find(values.begin(), values.end(), fact) != values.end(); }

bool holds_in_any_case(const Values& values, std::string_view fact) {
  return std::any_of(values.begin(), values.end(), [&](const std::string& value) { return same_but_for_case(value, fact); });
}

/// Empty: not stated, or no such fact.
std::string_view fact_of(const Target& target, std::string_view name) {
  const Facts& facts = target.provider->facts;
  if (name == "provider") return target.provider->name;
  if (name == "model") return target.model->name;
  if (name == "origin") return target.model->origin;
  if (name == "operator") return facts.operator_;
  if (name == "region") return facts.region;
  if (name == "hosting") return facts.hosting;
  if (name == "retention") return facts.retention;
  return {};
}

/// A class that nobody looked for may be there.
bool holds_content(const Values& classes, const std::vector<ContentCount>& found) {
  return std::any_of(classes.begin(), classes.end(), [&](const std::string& name) {
    const auto one = std::find_if(found.begin(), found.end(), [&](const ContentCount& c) { return c.name == name; });
    return one == found.end() || one->count > 0;
  });
}

bool matches(const std::string& name, const Values& values, const Target& target, const RequestFacts& facts) {
  if (name == "key") return holds_in_any_case(values, facts.key->name);
  if (name == "team") return holds_in_any_case(values, facts.key->team);
  if (name == "content") return holds_content(values, facts.content);
  if (name != "route") return true;
  const auto routes = routes_to(target, facts);
  return std::any_of(routes.begin(), routes.end(), [&](const Route* route) { return holds_in_any_case(values, route->name); });
}

bool applies(const Policy& policy, const Target& target, const RequestFacts& facts) {
  return std::all_of(policy.when.begin(), policy.when.end(),
                     [&](const auto& condition) { return matches(condition.first, condition.second, target, facts); });
}

std::string listed(const Values& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return text;
}

std::string stated(std::string_view name, std::string_view fact) {
  return "its " + std::string(name) + (fact.empty() ? " is not stated" : " is " + std::string(fact));
}

}  // namespace

void reject_by_policy(const Target& target, const RequestFacts& facts, const std::vector<Policy>& policies,
                      std::vector<Rejection>& rejections) {
  for (const Policy& policy : policies) {
    if (!applies(policy, target, facts)) continue;
    const auto reject = [&](const std::string& why) {
      rejections.push_back({&target, RejectedBy::policy, policy.name, policy.reason.empty() ? why : why + ": " + policy.reason});
    };
    for (const auto& [name, values] : policy.allow) {
      const std::string_view fact = fact_of(target, name);
      if (fact.empty() || !holds(values, fact)) reject(stated(name, fact) + ", allowed is " + listed(values));
    }
    for (const auto& [name, values] : policy.deny) {
      const std::string_view fact = fact_of(target, name);
      if (fact.empty() || holds_in_any_case(values, fact)) reject(stated(name, fact) + ", denied is " + listed(values));
    }
  }
}

}  // namespace fairlead
