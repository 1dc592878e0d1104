#pragma once
// The stage that asks whether a target can serve the request at all. Pure.
#include <fairlead/plan.h>

#include <vector>

namespace fairlead {

/// Appends one rejection for each thing that the request needs and the target lacks: a capability by its name, "context_window",
/// "output_tokens_max". `input_tokens` are the target's. What a model does not state, it is taken to have; what its provider's
/// profile lacks, it lacks.
void reject_by_capability(const Target& target, const RequestFacts& facts, std::int64_t input_tokens,
                          std::vector<Rejection>& rejections);

}  // namespace fairlead
