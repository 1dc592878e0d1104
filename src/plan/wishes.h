#pragma once
// What the request itself wishes: it narrows and reorders what the rules leave, and never widens it. Pure.
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace fairlead {

/// Errors: bad_request with `param`, for a wish that can never be met, or not be meant: a model that the key may not ask for, a
/// provider or target that the configuration does not have. A mistyped `ignore` would leave open what the app wants closed.
Result<void> check_wishes(const RequestFacts& facts, const Snapshot& snapshot);

/// Where a request's `models` name each target, by Target::index; their number: nowhere. Empty: it has no `models`.
using ModelPlaces = std::vector<std::size_t>;
/// Of these, and of the targets of routes that they name: once for all, since there may be a thousand.
ModelPlaces places_in_models(const RequestFacts& facts, std::span<const Target* const> targets);

/// Appends the rejection "models", if they do not name the target, which is one of those whose places these are.
void reject_by_models(const Target& target, const RequestFacts& facts, const ModelPlaces& places,
                      std::vector<Rejection>& rejections);
/// Appends a rejection for each other wish that the target does not meet, by the wish's field: "provider.only".
void reject_by_wish(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected,
                    std::vector<Rejection>& rejections);

/// The strategy that the wished `sort` stands for; the route's own if there is no such wish.
std::string_view wished_strategy(const RequestFacts& facts, std::string_view own);

/// Puts the candidates in the order of `models`, then of `order`; what neither names keeps its place behind.
void reorder_by_wishes(const RequestFacts& facts, const ModelPlaces& places, Plan& plan);
/// Where the request wishes for no fallbacks, and for no order, all candidates but the first go.
void keep_the_best_alone(const RequestFacts& facts, Plan& plan);

}  // namespace fairlead
