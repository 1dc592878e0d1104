#include "exchange/over_budget.h"

#include <fairlead/countable.h>

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

/// Of a token of input, whether it is read from a cache, written to one or neither, and of one of output.
void raise_to(Rates& dearest, const Rates& rates) {
  dearest.input = std::max({dearest.input, rates.input, rates.cached_input, rates.cache_write});
  dearest.output = std::max(dearest.output, rates.output);
}

/// Tiers multiply all amounts alike, so the one with the largest factor is the dearest whatever the usage.
ServiceTier dearest_tier(const Price& entry) {
  const auto& factors = entry.service_tiers;
  const auto cheaper = [](const auto& a, const auto& b) { return a.value_or(pico_per_unit) < b.value_or(pico_per_unit); };
  return static_cast<ServiceTier>(std::max_element(factors.begin(), factors.end(), cheaper) - factors.begin());
}

/// The highest amounts that settlement may find in force: the answer says which tier served it and whether it thought, and its
/// input may be less. A request that turns thinking off is taken at its word.
std::optional<PriceInForce> dearest_price(const Target& target, std::int64_t input_tokens, const ThinkingWish& wish, TimePoint at) {
  const Profile* profile = target.provider->profile;
  const bool may_think = wish.said(profile ? profile->thinking_switches : every_thinking_switch).value_or(true);
  PricedBy by(input_tokens, may_think);
  auto price = price_of(target, by, at);
  if (!price) return price;
  by.service_tier = dearest_tier(*price->entry);
  if (by.service_tier != ServiceTier::standard) price = price_of(target, by, at);
  Rates dearest;
  const auto raise_by = [&](const std::optional<PriceInForce>& other) {
    raise_to(dearest, other->rates);
    if (other->thinking) raise_to(dearest, price_of(target, {by.input_tokens, false, by.service_tier}, at)->rates);
  };
  raise_by(price);
  for (const PriceTier& tier : price->entry->tiers) {
    if (tier.above_input_tokens >= input_tokens) continue;
    by.input_tokens = tier.above_input_tokens;
    raise_by(price_of(target, by, at));
  }
  price->rates = dearest;
  return price;
}

}  // namespace

std::int64_t held_output(const RequestFacts& facts, const Target& target, std::int64_t choices) {
  return countable_tokens(Int128{output_limit(facts, target).value_or(output_tokens_unknown)} * choices);
}

std::optional<Int128> worst_cost(const Candidate& candidate, const RequestFacts& facts, const ChatRequest& chat,
                                 const Snapshot& snapshot, TimePoint at) {
  const Target& target = *candidate.target;
  const Model& model = *target.model;
  const auto bytes = static_cast<std::int64_t>(chat.body.view().size());
  const std::int64_t window = model.context_window > 0 ? model.context_window : bytes;
  Usage worst;
  worst.input = std::max(candidate.input_tokens, std::min(bytes, window));
  worst.output = held_output(facts, target, chat.choices);
  auto price = dearest_price(target, *worst.input, facts.mode.thinking, at);
  const UsdRate* rate = snapshot.usd_rate(target.provider->currency, at);
  if (!price || !rate) return std::nullopt;
  const auto cost = cost_of(worst, *price);
  if (!cost) return std::nullopt;
  return multiply_pico(cost->pico, rate->usd);
}

Error over_budget(const state::BudgetState& budget, Int128 worst) {
  const Int128 left = std::max<Int128>(budget.left(), 0);
  std::string message = name_of(budget) + " has " + format_decimal(left) + " USD left of " + format_decimal(budget.limit) +
                        ", and this request may cost up to " + format_decimal(worst);
  if (budget.charged + worst <= budget.limit) {
    message += "; " + format_decimal(budget.charged) + " are spent, and " + format_decimal(budget.held) +
               " held for requests under way: try again when these have ended";
    return {ErrorKind::over_budget, ErrorOrigin::fairlead, message, budget.id, Retry::before_commit};
  }
  if (budget.span.until)
    message += "; it begins anew at " + iso_8601(*budget.span.until);
  else if (budget.per == BudgetPeriod::credit)
    message += "; it can be topped up";
  return {ErrorKind::over_budget, ErrorOrigin::fairlead, message, budget.id};
}

}  // namespace fairlead::exchange
