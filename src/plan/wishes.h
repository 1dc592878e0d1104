#pragma once
// What the request itself wishes: it narrows and reorders what the rules leave, and never widens it. Pure.
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <optional>
#include <vector>

namespace fairlead {

/// Errors: bad_request with `param`, for a wish that can never be met, or not be meant: a model that the key may not ask for, an
/// order that no strategy gives, a provider or target that the configuration does not have. A mistyped `ignore` would leave open
/// what the app wants closed.
Result<void> check_wishes(const RequestFacts& facts, const Snapshot& snapshot);

/// Appends a rejection for each wish that the target does not meet, by the wish's field: "provider.only".
void reject_by_wish(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected,
                    std::vector<Rejection>& rejections);

/// The strategy that the wished `sort` stands for; the route's own if there is no such wish.
std::string_view wished_strategy(const RequestFacts& facts, std::string_view own);

/// Puts the candidates in the order of `models`, then of `order`; what neither names keeps its place behind.
void reorder_by_wishes(const RequestFacts& facts, Plan& plan);
/// Where the request wishes for no fallbacks, and for no order, all candidates but the first go.
void keep_the_best_alone(const RequestFacts& facts, Plan& plan);

}  // namespace fairlead
