#pragma once
// The stage that works out what a request is expected to cost at a target. Pure.
#include <fairlead/plan.h>

#include <optional>
#include <vector>

namespace fairlead {

/// What a request is expected to be at a target. `cached_tokens` are a part of `input_tokens`.
struct ExpectedTokens {
  std::int64_t input_tokens = 0, cached_tokens = 0, output_tokens = 0;
};

/// At the price in force at `now` for the whole of this input. Empty if the target has no price then, or none that can be told in
/// USD.
std::optional<ExpectedCost> expected_cost(const Target& target, const ExpectedTokens& tokens, const Snapshot& snapshot,
                                          TimePoint now);

/// Appends a rejection, "max_price.input" or "max_price.output", for each limit of the route that the price in force passes. A
/// target without a price passes every limit.
void reject_by_price(const Target& target, const RequestFacts& facts, const Snapshot& snapshot,
                     const std::optional<ExpectedCost>& expected, std::vector<Rejection>& rejections);

}  // namespace fairlead
