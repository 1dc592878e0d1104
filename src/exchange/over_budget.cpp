#include "exchange/over_budget.h"

#include "exchange/settle.h"
#include "plan/expect.h"

#include <algorithm>

namespace fairlead::exchange {
namespace {

constexpr std::int64_t output_tokens_unknown = 4096;  // reserved for where neither the app nor the model states a limit

/// "the budget of team payments per month", "the credit of key checkout"
std::string name_of(const state::BudgetState& budget) {
  const std::string whose =
      budget.of == BudgetOf::installation ? "this installation" : std::string(to_string(budget.of)) + " " + budget.name;
  if (budget.per == BudgetPeriod::credit) return "the credit of " + whose;
  const std::string per = budget.per == BudgetPeriod::all ? " in all" : " per " + std::string(to_string(budget.per));
  return "the budget of " + whose + per;
}

}  // namespace

std::optional<Int128> worst_cost(const Candidate& candidate, const RequestFacts& facts, const ChatRequest& chat,
                                 const Snapshot& snapshot, TimePoint at) {
  const Model& model = *candidate.target->model;
  const auto bytes = static_cast<std::int64_t>(chat.body.view().size());
  const std::int64_t window = model.context_window > 0 ? model.context_window : bytes;
  Usage worst;
  worst.input = std::max(candidate.input_tokens, std::min(bytes, window));
  worst.output =
      output_cap(facts, *candidate.target).value_or(model.output_tokens_max > 0 ? model.output_tokens_max : output_tokens_unknown) *
      chat.choices;
  auto cost = cost_at(*candidate.target, worst, {facts.mode, {}}, at, snapshot);
  if (!cost) return std::nullopt;
  const Rates& rates = cost->price.rates;
  if (rates.cache_write && rates.input && *rates.cache_write > *rates.input) {
    worst.cache_write = std::exchange(worst.input, std::nullopt);
    if (auto dearer = cost_at(*candidate.target, worst, {facts.mode, {}}, at, snapshot)) cost = std::move(dearer);
  }
  return cost->usd_pico;
}

Error over_budget(const state::BudgetState& budget, Int128 worst) {
  const Int128 left = std::max<Int128>(budget.left(), 0);
  std::string message = name_of(budget) + " has " + format_decimal(left) + " USD left of " + format_decimal(budget.limit) +
                        ", and this request may cost up to " + format_decimal(worst);
  if (budget.span.until)
    message += "; it begins anew at " + iso_8601(*budget.span.until);
  else if (budget.per == BudgetPeriod::credit)
    message += "; it can be topped up";
  return {ErrorKind::over_budget, ErrorOrigin::fairlead, message, budget.id};
}

}  // namespace fairlead::exchange
