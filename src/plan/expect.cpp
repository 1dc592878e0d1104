#include "plan/expect.h"

#include <algorithm>
#include <cmath>

namespace fairlead {

std::int64_t expected_input(const RequestFacts& facts, const TargetEstimate& estimate) {
  if (facts.text.empty()) return facts.input_tokens;
  return static_cast<std::int64_t>(std::ceil(tokens_of(facts.text, estimate.bytes_per_token)));
}

std::int64_t expected_cached(std::int64_t input_tokens, const TargetEstimate& estimate) {
  if (!estimate.repeated_tokens) return 0;
  const auto repeated = static_cast<double>(std::min(*estimate.repeated_tokens, input_tokens));
  return static_cast<std::int64_t>(repeated * estimate.cache_share);
}

std::optional<std::int64_t> output_cap(const RequestFacts& facts, const Target& target) {
  if (!facts.output_tokens_max_of_both) return facts.output_tokens_max;
  const Profile* profile = target.provider->profile;
  return profile && !profile->output_limit_field.empty() ? facts.output_tokens_max : facts.output_tokens_max_of_both;
}

std::optional<std::int64_t> output_limit(const RequestFacts& facts, const Target& target) {
  const auto cap = output_cap(facts, target);
  if (cap || target.model->output_tokens_max <= 0) return cap;
  return target.model->output_tokens_max;
}

std::int64_t expected_output(const RequestFacts& facts, const Target& target, const Conditions& conditions,
                             const TargetEstimate& estimate) {
  const auto expected = static_cast<std::int64_t>(std::llround(conditions.output_tokens_expected * estimate.output_ratio));
  return std::min(expected, output_limit(facts, target).value_or(expected)) * facts.choices;
}

}  // namespace fairlead
