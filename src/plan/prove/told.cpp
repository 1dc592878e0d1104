#include "plan/prove/told.h"

#include <fairlead/near.h>

#include <algorithm>
#include <string_view>

namespace fairlead::prove {
namespace {

constexpr std::size_t evaded_shown = 5;

/// As a shell takes it for one word.
std::string word(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+:@/";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

template <class Holds>
bool asked_by_any(const Snapshot& snapshot, const Holds& asks) {
  return std::any_of(snapshot.policies.begin(), snapshot.policies.end(), [&](const Policy& policy) { return asks(policy.when); }) ||
         std::any_of(snapshot.assertions.begin(), snapshot.assertions.end(),
                     [&](const Assertion& assertion) { return asks(assertion.when); });
}

std::string_view modality_of(const RequestFacts& facts) {
  if (facts.needs.has(Capability::vision)) return to_string(Modality::image);
  if (facts.needs.has(Capability::audio)) return to_string(Modality::audio);
  return facts.needs.has(Capability::tools) ? to_string(Modality::tools) : "";
}

std::string named(const Policy& policy) {
  return policy.name + (policy.when_text.empty() ? "" : " (when " + policy.when_text + ")");
}

/// "not refused by a, b and 3 more, which refuse it to others"
std::string refusing_others(const std::vector<const Policy*>& policies) {
  std::string text = "not refused by ";
  for (std::size_t i = 0; i < std::min(policies.size(), evaded_shown); ++i) text += (i == 0 ? "" : ", ") + named(*policies[i]);
  if (policies.size() > evaded_shown) text += " and " + std::to_string(policies.size() - evaded_shown) + " more";
  return text + ", which refuse" + (policies.size() == 1 ? "s" : "") + " it to others";
}

/// Of a policy that lets the target pass until one of its labels ends.
std::string refusing_by_date(const Policy& policy, const Counterexample& example) {
  const auto end = std::find_if(policy.ends.begin(), policy.ends.end(),
                                [&](const Policy::End& one) { return one.target == example.target->index; });
  if (end == policy.ends.end()) return refusing_others({&policy});
  const bool ended = end->at <= example.at;
  return "not refused by " + named(policy) + ", which refuses it" + (ended || !policy.when_text.empty() ? " to others" : "") +
         (ended ? " since " : " from ") + day_text(end->at) + (ended ? "" : " on") + ", when its label ends";
}

}  // namespace

std::string request_options(const Counterexample& example, const Snapshot& snapshot) {
  const RequestFacts& facts = example.facts;
  std::string options;
  const auto add = [&](const char* option, std::string_view value) {
    options += (options.empty() ? "" : " ") + std::string(option) + " " + word(value);
  };
  add("--key", facts.key->name);
  add("--route", facts.route->name);
  for (const std::string& tag : facts.tags) add("--tag", tag);
  for (const ContentCount& one : facts.content)
    if (one.count > 0) add("--class", one.name);
  if (!modality_of(facts).empty()) add("--modality", modality_of(facts));
  if (facts.keeping != Keeping::not_asked) options += " --store";
  if (asked_by_any(snapshot, [](const When& when) { return when.endpoints != 0; })) add("--endpoint", to_string(facts.endpoint));
  if (asked_by_any(snapshot, [](const When& when) { return !when.input_tokens.empty(); }))
    add("--tokens", std::to_string(facts.input_tokens));
  if (asked_by_any(snapshot, [](const When& when) { return !when.networks.empty(); }))
    add("--network", fairlead::to_string(*facts.client));
  add("--at", iso_8601(example.at));
  return options;
}

std::string explain_command(const Counterexample& example, const Snapshot& snapshot) {
  return "fairlead explain --config " + word(snapshot.file) + " " + request_options(example, snapshot);
}

std::vector<std::string> evaded_lines(const Counterexample& example) {
  std::vector<const Policy*> to_others;
  std::vector<std::string> lines;
  for (const Policy* policy : example.evaded) {
    if (!policy->targets.has(example.target->index))
      to_others.push_back(policy);
    else if (lines.size() < evaded_shown)
      lines.push_back(refusing_by_date(*policy, example));
  }
  if (!to_others.empty()) lines.insert(lines.begin(), refusing_others(to_others));
  if (lines.empty()) lines.emplace_back("no policy refuses this target to anybody");
  return lines;
}

}  // namespace fairlead::prove
