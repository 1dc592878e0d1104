#pragma once
// The stage that asks whether a target can serve the request at all. Pure.
#include <fairlead/plan.h>

#include <vector>

namespace fairlead {

/// Does the input, with as much output as the app asks for, fit the window? As it is estimated, and if as little of it came as the
/// estimate may be off by. True if the model states no window.
struct WindowFit {
  bool expected = true, possible = true;
};
WindowFit window_fit(const Target& target, const RequestFacts& facts, std::int64_t input_tokens);

/// Appends one rejection for each thing that the request needs and the target lacks: a capability by its name, "context_window",
/// "output_tokens_max". `input_tokens` are the target's. What a model does not state, it is taken to have; what its provider's
/// profile lacks, it lacks. A window is too small only for what cannot fit: of the rest, its provider counts the tokens.
void reject_by_capability(const Target& target, const RequestFacts& facts, std::int64_t input_tokens,
                          std::vector<Rejection>& rejections);

}  // namespace fairlead
