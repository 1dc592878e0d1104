#include "exchange/charging.h"

#include "exchange/over_budget.h"
#include "plan/budgets.h"

#include <utility>

namespace fairlead::exchange {

Charging::Charging(state::Budgets& budgets, const Snapshot& snapshot, const Key& key, TimePoint started_at)
    : budgets_(budgets), snapshot_(snapshot), key_(key), started_at_(started_at) {
  if (const Team* team = snapshot.teams.empty() ? nullptr : snapshot.team(key.team)) markup_ = team->markup;
}

void Charging::asks_for(const Route* route) {
  if (snapshot_.budgeted || !key_.budgets.empty()) wherever_ = budgets_of(snapshot_, key_, route);
}

Result<std::size_t> Charging::hold(Request& request, std::size_t candidate) {
  const Plan& plan = request.plan;
  for (;; ++candidate) {
    const Target& target = *plan.candidates[candidate].target;
    reserved_ = worst_cost(plan.candidates[candidate], request.facts, request.chat, snapshot_, request.world.now());
    if (reserved_) reserved_ = charge_of(*reserved_, markup_);
    const std::vector<Budget>& at_provider = target.provider->budgets;
    if (wherever_.empty() && at_provider.empty()) return candidate;
    std::vector<const Budget*> budgets = wherever_;
    for (const Budget& budget : at_provider) budgets.push_back(&budget);
    auto held = budgets_.hold(budgets, reserved_.value_or(0), started_at_);
    if (!held.refused) {
      hold_ = std::move(held.hold);
      request.budget_left = held.left;
      return candidate;
    }
    const bool others = held.refused->of == BudgetOf::provider && (!request.facts.route || request.facts.route->fallback);
    if (others && candidate + 1 < plan.candidates.size()) continue;
    request.budget_left = held.refused->left();
    resets_ = held.refused->span.until;
    return over_budget(*held.refused, *reserved_);
  }
}

void Charging::post(Request& request, std::optional<Int128> charge) {
  if (const auto left = hold_.post(charge.value_or(0))) request.budget_left = left;
}

}  // namespace fairlead::exchange
