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

/// At the price in force at `now` for the whole of this input, served in this mode. Empty if the target has no price then, or none
/// that can be told in USD.
std::optional<ExpectedCost> expected_cost(const Target& target, const ExpectedTokens& tokens, const RequestMode& mode,
                                          const Snapshot& snapshot, TimePoint now);

/// A price of the target in USD per million tokens, 10^-12; empty if there is none.
std::optional<Int128> in_usd(const std::optional<ExpectedCost>& expected, std::optional<Int128> Rates::*kind);

/// Appends a rejection, "max_price.input" or "max_price.output", for each limit of the route that the price in force passes. A
/// target without a price passes every limit.
void reject_by_price(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected,
                     std::vector<Rejection>& rejections);

/// Where the configuration is strict, a rejection "prices.strict" for each doubt about the target's price.
void reject_by_doubt(const Target& target, const Snapshot& snapshot, TimePoint now, std::vector<Rejection>& rejections);

}  // namespace fairlead
