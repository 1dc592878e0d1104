#include "exchange/charging.h"

#include "exchange/over_budget.h"
#include "plan/budgets.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace fairlead::exchange {

Charging::Charging(state::Budgets& budgets, const Snapshot& snapshot, const Key& key, TimePoint started_at)
    : budgets_(budgets), snapshot_(snapshot), key_(key), started_at_(started_at) {
  if (const Team* team = snapshot.teams.empty() ? nullptr : snapshot.team(key.team)) markup_ = team->markup;
}

void Charging::asks_for(const Route* route) {
  if (snapshot_.budgeted || !key_.budgets.empty()) wherever_ = budgets_of(snapshot_, key_, route);
}

Result<std::size_t> Charging::hold(Request& request, std::size_t candidate, TimePoint sent_at) {
  const Plan& plan = request.question->plan;
  for (;; ++candidate) {
    const Candidate& asked = plan.candidates[candidate];
    worst_ = worst_cost(asked, request.facts, request.question->chat, snapshot_, sent_at);
    if (worst_) worst_ = charge_of(*worst_, markup_);
    const std::vector<Budget>& at_provider = asked.target->provider->budgets;
    if (wherever_.empty() && at_provider.empty()) return candidate;
    const bool another = candidate + 1 < plan.candidates.size() && (!request.facts.route || request.facts.route->fallback);
    // It had a price when the plan was made. One that had none then is let through by its route: `unpriced: allow`.
    if (!worst_ && asked.expected) {
      if (another) continue;
      return Error(ErrorKind::policy, ErrorOrigin::fairlead, "a budget counts this request, and its target has no price now");
    }
    std::vector<const Budget*> budgets = wherever_;
    for (const Budget& budget : at_provider) budgets.push_back(&budget);
    auto held = budgets_.hold(budgets, worst_.value_or(0), started_at_);
    if (!held.refused) {
      hold_ = std::move(held.hold);
      request.budget_left = held.left;
      return candidate;
    }
    if (held.refused->of == BudgetOf::provider && another) continue;
    request.budget_left = held.refused->left();
    resets_ = held.refused->span.until;
    return over_budget(*held.refused, *worst_);
  }
}

std::optional<Int128> Charging::reserved() const {
  if (!worst_) return worst_;
  return std::min<Int128>(*worst_, std::numeric_limits<std::int64_t>::max());  // a row holds no more
}

void Charging::post(Request& request, std::optional<Int128> charge) {
  if (const auto left = hold_.post(charge.value_or(0))) request.budget_left = left;
}

}  // namespace fairlead::exchange
