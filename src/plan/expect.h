#pragma once
// What a request is expected to be for a target, in tokens. Pure.
#include <fairlead/plan.h>

#include <cstdint>
#include <optional>

namespace fairlead {

/// Tokens of the whole input, by the target's own measure; rounded up.
std::int64_t expected_input(const RequestFacts& facts, const TargetEstimate& estimate);
/// Of it, what comes from the target's prompt cache.
std::int64_t expected_cached(std::int64_t input_tokens, const TargetEstimate& estimate);
/// Tokens that the app caps each choice of the answer at. An app that states both `max_tokens` and `max_completion_tokens` is sent
/// on with both where the provider's profile knows no better: the larger counts there, as nobody knows which of them the server
/// heeds.
std::optional<std::int64_t> output_cap(const RequestFacts& facts, const Target& target);
/// The most that a choice may have: the app's cap, or else the model's limit. Empty: neither is stated.
std::optional<std::int64_t> output_limit(const RequestFacts& facts, const Target& target);
/// Tokens of the answer, of all choices; no more than the limit.
std::int64_t expected_output(const RequestFacts& facts, const Target& target, const Conditions& conditions,
                             const TargetEstimate& estimate);

}  // namespace fairlead
