#include <fairlead/price.h>

#include <array>
#include <utility>

namespace fairlead {
namespace {

constexpr Int128 tokens_per_price = 1'000'000;
constexpr std::int64_t tokens_max = 1'000'000'000'000;  // of one kind: with any price, the sum stays within 128 bits

/// `own`, and where it has no price of a kind, the base's.
Rates over(const Rates& own, const Rates& base) {
  const auto either = [](const auto& a, const auto& b) { return a ? a : b; };
  return {either(own.input, base.input), either(own.cached_input, base.cached_input), either(own.cache_write, base.cache_write),
          either(own.output, base.output)};
}

const Price* entry_at(const std::vector<Price>& prices, Currency currency, TimePoint at) {
  const Price* found = nullptr;
  for (const Price& price : prices) {
    if (price.currency != currency || price.from > at || (price.until && *price.until <= at)) continue;
    if (!found || found->from <= price.from) found = &price;  // of two that begin together, the later written
  }
  return found;
}

const PriceTier* tier_for(const Price& price, std::int64_t input_tokens) {
  const PriceTier* found = nullptr;
  for (const PriceTier& tier : price.tiers)
    if (input_tokens > tier.above_input_tokens && (!found || found->above_input_tokens < tier.above_input_tokens)) found = &tier;
  return found;
}

/// A window from 22:00 to 02:00 belongs to the day on which it begins; from == to is a whole day.
bool holds(const PriceWindow& window, int weekday, int minute) {
  const auto on = [&](int day) { return (window.weekdays >> day & 1) != 0; };
  if (window.from_minute < window.to_minute) return on(weekday) && minute >= window.from_minute && minute < window.to_minute;
  return (on(weekday) && minute >= window.from_minute) || (on((weekday + 6) % 7) && minute < window.to_minute);
}

const PriceWindow* window_at(const Price& price, TimePoint at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const int weekday = static_cast<int>(std::chrono::weekday(day).iso_encoding()) - 1;
  const int minute = static_cast<int>(std::chrono::floor<std::chrono::minutes>(at - day).count());
  for (const PriceWindow& window : price.windows)
    if (holds(window, weekday, minute)) return &window;
  return nullptr;
}

}  // namespace

std::optional<PriceInForce> price_in_force(const std::vector<Price>& prices, Currency currency, std::int64_t input_tokens,
                                           TimePoint at) {
  const Price* entry = entry_at(prices, currency, at);
  if (!entry) return std::nullopt;
  if (const PriceTier* tier = tier_for(*entry, input_tokens))
    return PriceInForce{entry, over(tier->rates, entry->rates), {}, tier->above_input_tokens};
  if (const PriceWindow* window = window_at(*entry, at))
    return PriceInForce{entry, over(window->rates, entry->rates), window->name, 0};
  return PriceInForce{entry, entry->rates, {}, 0};
}

Result<Money> cost_of(const Usage& usage, const PriceInForce& price) {
  const Rates& rates = price.rates;
  const auto rate = [](const std::optional<Int128>& own, const std::optional<Int128>& fallback) { return own ? own : fallback; };
  const std::array<std::pair<std::optional<std::int64_t>, std::optional<Int128>>, 5> lines{{
      {usage.input, rates.input},
      {usage.cached_input, rate(rates.cached_input, rates.input)},
      {usage.cache_write, rate(rates.cache_write, rates.input)},
      {usage.output, rates.output},
      {usage.reasoning, rates.output},
  }};
  Int128 sum = 0;
  for (const auto& [count, per_million] : lines) {
    const std::int64_t tokens = count.value_or(0);
    if (tokens < 0 || tokens > tokens_max)
      return Error(ErrorKind::internal, ErrorOrigin::fairlead, "a negative or absurd token count has no cost");
    if (tokens > 0 && !per_million)  // unknown, which is not 0
      return Error(ErrorKind::internal, ErrorOrigin::fairlead, "the price in force has no rate for these tokens");
    sum += Int128{tokens} * per_million.value_or(0);
  }
  Money cost;
  if (price.entry) cost.currency = price.entry->currency;
  cost.pico = (sum + tokens_per_price / 2) / tokens_per_price;
  return cost;
}

}  // namespace fairlead
