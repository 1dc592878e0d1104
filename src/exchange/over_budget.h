#pragma once
// What an attempt may cost at worst, and what an app is told when its budget has no room for that. Pure.
#include <fairlead/plan.h>
#include <fairlead/request.h>
#include <fairlead/result.h>

#include "state/budgets.h"

#include <optional>

namespace fairlead::exchange {

/// Tokens of output that are held: the app's cap, or the model's, or 4,096 where neither is stated, for each choice; no more than
/// can be counted.
std::int64_t held_output(const RequestFacts& facts, const Target& target, std::int64_t choices);

/// In USD, 10^-12, without markup. Input: no token is less than a byte of the request, nor do more of them fit than the model's
/// window; at the price of cache writes if that is the dearer one. Output: held_output(). Served in the dearest way that settlement
/// may find. Empty: the target has no price for that.
std::optional<Int128> worst_cost(const Candidate& candidate, const RequestFacts& facts, const ChatRequest& chat,
                                 const Snapshot& snapshot, TimePoint at);

/// 429. `worst`: what the attempt may be charged. Retry::before_commit: there is room for it beside what is spent, once what is
/// held for others is free.
Error over_budget(const state::BudgetState& budget, Int128 worst);

}  // namespace fairlead::exchange
