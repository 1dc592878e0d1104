// Routing tests: what they ask about and expect must be there.
#include "config/build.h"

#include <fairlead/names.h>

#include <algorithm>
#include <utility>

namespace fairlead::config {
namespace {

void check_known(Build& build, const Value& value, std::string_view what, const std::vector<std::string_view>& known) {
  if (std::find(known.begin(), known.end(), value.text) != known.end()) return;
  build.findings.error(value, "no " + std::string(what) + " " + in_quotes(value.text),
                       did_you_mean(value.text, known, "there are"));
}

std::optional<std::vector<std::string>> list_of(Build& build, const Section& expect, std::string_view option, std::string_view what,
                                                const std::vector<std::string_view>& known) {
  if (expect.find(option) == nullptr) return std::nullopt;
  for (const Value* value : expect.values(option)) check_known(build, *value, what, known);
  return expect.texts(option);
}

Hypothetical asked_by(Build& build, const Section& from) {
  Hypothetical asked;
  asked.key = from.text("key");
  if (const Value* key = from.find("key")) check_known(build, *key, "key", key_names(build));
  asked.route = from.text("route");
  asked.input_tokens = from.integer("tokens");
  if (from.find("output_tokens") != nullptr) asked.output_tokens_max = from.integer("output_tokens");
  asked.tags = from.texts("tags");
  asked.content = from.texts("content");
  for (const std::string& name : from.texts("modality"))
    if (const auto modality = parse_name<Modality>(name, modality_count)) asked.modalities.push_back(*modality);
  asked.endpoint = parse_name<Endpoint>(from.text("endpoint"), endpoint_count).value_or(Endpoint::chat_completions);
  asked.client = from.text("network");
  asked.stream = from.boolean("stream");
  asked.store = from.boolean("store");
  return asked;
}

std::vector<std::string_view> policy_names(const Snapshot& snapshot) {
  std::vector<std::string_view> names;
  for (const Policy& policy : snapshot.policies) names.push_back(policy.name);
  return names;
}

}  // namespace

std::vector<RoutingTest> build_tests(Build& build) {
  std::vector<RoutingTest> tests;
  const auto targets = names_of(build.snapshot.target_by_name);
  const auto policies = policy_names(build.snapshot);
  for (const Section& from : build.root.sections("tests")) {
    RoutingTest test;
    test.name = from.text("name");
    test.place = build.findings.where(from.value().place);
    test.asked = asked_by(build, from);
    test.at = from.instant("at");
    const Section expect = from.section("expect");
    if (const Value* target = expect.find("target")) {
      check_known(build, *target, "target", targets);
      test.target = target->text;
    }
    test.allowed = list_of(build, expect, "allowed", "target", targets);
    test.order = list_of(build, expect, "order", "target", targets);
    test.refused_by = list_of(build, expect, "refused_by", "policy", policies);
    test.cost = expect.decimal("cost");
    tests.push_back(std::move(test));
  }
  return tests;
}

}  // namespace fairlead::config
