#pragma once
// What a request is expected to be for a target, in tokens. Pure.
#include <fairlead/plan.h>

namespace fairlead {

/// Tokens of the whole input, by the target's own measure; rounded up.
std::int64_t expected_input(const RequestFacts& facts, const TargetEstimate& estimate);
/// Of it, what comes from the target's prompt cache.
std::int64_t expected_cached(std::int64_t input_tokens, const TargetEstimate& estimate);
/// Tokens of the answer, which the app's own cap may shorten.
std::int64_t expected_output(const RequestFacts& facts, const Conditions& conditions, const TargetEstimate& estimate);

}  // namespace fairlead
