#pragma once
// Budgets and credits as JSON. Amounts are exact decimals in texts. Pure.
#include <fairlead/budget_store.h>
#include <fairlead/result.h>

#include "state/budgets.h"

#include <span>
#include <string>
#include <string_view>

namespace fairlead::daemon {

std::string budgets_json(std::span<const state::BudgetState> budgets);
std::string credits_json(std::span<const Credit> credits);
std::string notice_json(const state::BudgetNotice& notice);
/// {"key" or "team": name, "usd": "25.00", "note": "..."}; "-25.00" takes back. Errors: bad_request.
Result<Credit> read_credit(std::string_view json);

}  // namespace fairlead::daemon
