#pragma once
// The stage that works out what a request is expected to cost at a target. Pure.
#include <fairlead/plan.h>

#include <optional>
#include <vector>

namespace fairlead {

/// At the list price in force at `now` for this input: the estimated input, all of it uncached, and the expected output, which the
/// app's own cap may shorten. Empty if the target has no price then, or none that can be told in USD.
std::optional<ExpectedCost> expected_cost(const Target& target, const RequestFacts& facts, const Snapshot& snapshot,
                                          const Conditions& conditions, TimePoint now);

/// A price of the target in USD per million tokens, 10^-12; empty if there is none.
std::optional<Int128> in_usd(const std::optional<ExpectedCost>& expected, std::optional<Int128> Rates::*kind);

/// Appends a rejection, "max_price.input" or "max_price.output", for each limit of the route that the price in force passes. A
/// target without a price passes every limit.
void reject_by_price(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected,
                     std::vector<Rejection>& rejections);

/// Where the configuration is strict, a rejection "prices.strict" for each doubt about the target's price.
void reject_by_doubt(const Target& target, const Snapshot& snapshot, TimePoint now, std::vector<Rejection>& rejections);

}  // namespace fairlead
