#include "plan/capability.h"

#include "plan/expect.h"

#include <string>
#include <utility>

namespace fairlead {
namespace {

bool has(const Target& target, Capability capability) {
  const Profile* profile = target.provider->profile;
  if (profile && profile->lacks.has(capability)) return false;
  // Every model streams, and gives several answers, unless its provider does not.
  if (capability == Capability::streaming || capability == Capability::choices) return true;
  return !target.model->capabilities_stated || target.model->capabilities.has(capability);
}

constexpr std::int64_t estimate_off_by_percent = 20;  // docs/ranking.md

}  // namespace

WindowFit window_fit(const Target& target, const RequestFacts& facts, std::int64_t input_tokens) {
  if (target.model->context_window <= 0) return {};
  const Int128 room = Int128{target.model->context_window} - output_cap(facts, target).value_or(0);
  return {input_tokens <= room, Int128{input_tokens} * 100 <= room * (100 + estimate_off_by_percent)};
}

void reject_by_capability(const Target& target, const RequestFacts& facts, std::int64_t input_tokens,
                          std::vector<Rejection>& rejections) {
  const auto reject = [&](std::string rule, std::string reason) {
    rejections.push_back({&target, RejectedBy::capability, std::move(rule), std::move(reason)});
  };
  for (int i = 0; i < capability_count; ++i) {
    const auto capability = static_cast<Capability>(i);
    if (!facts.needs.has(capability) || has(target, capability)) continue;
    const std::string name(to_string(capability));
    reject(name, capability == Capability::choices ? "it gives one choice, and `n` asks for " + std::to_string(facts.choices)
                                                   : "it has no " + name);
  }
  const Model& model = *target.model;
  const std::int64_t cap = output_cap(facts, target).value_or(0);
  if (!window_fit(target, facts, input_tokens).possible)
    reject("context_window", "about " + std::to_string(input_tokens) + " tokens of input and " + std::to_string(cap) +
                                 " of output do not fit its window of " + std::to_string(model.context_window));
  if (model.output_tokens_max > 0 && cap > model.output_tokens_max)
    reject("output_tokens_max", "the request asks for up to " + std::to_string(cap) + " tokens of output, and it gives " +
                                    std::to_string(model.output_tokens_max) + " at most");
}

}  // namespace fairlead
