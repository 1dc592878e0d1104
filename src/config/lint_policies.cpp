// Warnings about rules that may not mean what they say.
#include "config/build.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace fairlead::config {
namespace {

/// What keys and targets state, by fact: what a mistyped value may have meant.
using Stated = std::map<std::string, std::set<std::string, std::less<>>, std::less<>>;

Stated stated_by(const Build& build) {
  Stated stated;
  for (const auto& target : build.snapshot.targets)
    for (const Fact fact : {Fact::provider, Fact::model, Fact::origin, Fact::operator_, Fact::region})
      stated[std::string(to_string(fact))].emplace(stated_fact(*target, fact));
  for (const auto& provider : build.snapshot.providers) {
    stated["provider"].insert(provider->name);
    stated["operator"].insert(provider->facts.operator_);
    stated["region"].insert(provider->facts.region);
    for (const auto& [label, end] : provider->facts.labels) stated["label"].insert(label);
  }
  for (const char* name : {"label", "team", "project", "tags"}) stated[name];
  // Of the file, not of the snapshot: a key without its secret is a key of the rules all the same.
  for (const Section& key : build.root.sections("keys")) {
    for (const char* name : {"team", "project"})
      if (const Value* value = key.find(name)) stated[name].insert(lower(value->text));
    for (const char* option : {"tags", "request_tags"})
      for (const std::string& tag : key.texts(option)) stated["tags"].insert(lower(tag));
  }
  for (auto& [fact, values] : stated) values.erase("");
  return stated;
}

/// Does any target have the value, as this part of a rule understands it?
bool any_target(const Build& build, std::string_view part, Fact fact, const std::string& value) {
  const FactRule rule{fact, {value}};
  return std::any_of(build.snapshot.targets.begin(), build.snapshot.targets.end(), [&](const auto& target) {
    if (part == "allow") return states(*target, rule, build.snapshot.region_groups, TimePoint::min());
    return (fact == Fact::label || !stated_fact(*target, fact).empty()) && may_have(*target, rule, build.snapshot.region_groups);
  });
}

bool ever_matches(const Build& build, std::string_view part, const std::string& name, const Value& value,
                  const std::set<std::string, std::less<>>& known) {
  if (part == "when") return known.count(lower(value.text)) != 0;
  const auto fact = parse_fact(name);
  return known.count(value.text) != 0 || (fact && any_target(build, part, *fact, value.text));
}

void lint_values(const Build& build, const Stated& stated, std::string_view part, const Value& facts) {
  for (const Value& fact : facts.children) {
    const auto known = stated.find(fact.key);
    if (known == stated.end()) continue;
    for (const Value& value : fact.children)
      if (value.good && !ever_matches(build, part, fact.key, value, known->second))
        build.findings.warning(value, "nothing here has the " + fact.key + " " + in_quotes(value.raw) + ", so this never matches",
                               did_you_mean(value.text, {known->second.begin(), known->second.end()}));
  }
}

void lint_labels(const Build& build, TimePoint now) {
  constexpr std::chrono::days ahead{30};
  for (const auto& [provider, place] : build.provider_places) {
    const Value* labels = place->find("labels");
    if (labels == nullptr) continue;
    for (const Value& label : labels->children) {
      const auto end = provider->facts.labels.find(label.key);
      if (end == provider->facts.labels.end() || end->second > now + ahead) continue;
      const bool ended = end->second <= now;
      build.findings.warning(label,
                             "the label " + in_quotes(label.key) + (ended ? " has ended" : " ends on " + day_text(end->second)),
                             std::string("no policy that asks for it lets this provider through") + (ended ? "" : " from then on"));
    }
  }
}

}  // namespace

void lint_policies(const Build& build) {
  const Stated stated = stated_by(build);
  for (const Section& policy : build.root.sections("policies"))
    for (std::string_view part : {"when", "allow", "deny"})
      if (const Value* facts = policy.find(part)) lint_values(build, stated, part, *facts);
  for (const Section& assertion : build.root.sections("assertions"))
    for (const auto& [says, part] : {std::pair("never", "deny"), std::pair("always", "allow")}) {
      const Value* said = assertion.find(says);
      if (said == nullptr) continue;
      if (const Value* when = said->find("when")) lint_values(build, stated, "when", *when);
      if (const Value* target = said->find("target")) lint_values(build, stated, part, *target);
    }
  if (build.now) lint_labels(build, *build.now);
}

}  // namespace fairlead::config
