#include <fairlead/snapshot.h>

#include <algorithm>
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

bool holds(const PriceWindow& window, TimePoint at) {
  return WeeklySpan{window.weekdays,       window.from_minute,  window.to_minute, window.zone.get(),
                    window.calendar.get(), window.on_work_days, window.dearer}
      .holds(at);
}

const PriceWindow* window_at(const Price& price, TimePoint at) {
  for (const PriceWindow& window : price.windows)
    if (holds(window, at)) return &window;
  return nullptr;
}

/// When the window may begin or end on the days from `at` to `until`.
void add_edges(const PriceWindow& window, TimePoint at, TimePoint until, std::vector<TimePoint>& edges) {
  using namespace std::chrono;
  for (auto day = floor<days>(at) - days(2); day <= floor<days>(until) + days(2); day += days(1))
    for (const int minute : {window.from_minute, window.to_minute}) {
      const TimePoint local = day + minutes(minute);
      if (!window.zone) {
        edges.push_back(local);
        continue;
      }
      // Of the two offsets around a change to or from summer time, each is right for some of the day.
      for (const auto near : {-hours(12), hours(12)}) edges.push_back(local - minutes(window.zone->offset_minutes(local + near)));
    }
  if (!window.zone) return;
  for (const Zone::Change& change : window.zone->changes) edges.push_back(change.from);
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

std::optional<PriceInForce> price_of(const Target& target, std::int64_t input_tokens, TimePoint at) {
  const Provider& provider = *target.provider;
  if (auto own = price_in_force(target.contract, provider.currency, input_tokens, at)) {
    own->contract = true;
    return own;
  }
  auto listed = price_in_force(target.model->prices, provider.currency, input_tokens, at);
  if (!listed) return listed;
  for (const Discount& discount : provider.discounts)
    if ((!discount.from || *discount.from <= at) && (!discount.until || at < *discount.until)) listed->discount = discount.share;
  if (listed->discount == 0) return listed;
  for (auto* rate : {&listed->rates.input, &listed->rates.cached_input, &listed->rates.cache_write, &listed->rates.output})
    if (*rate) *rate = multiply_pico(**rate, pico_per_unit - listed->discount);
  return listed;
}

std::optional<TimePoint> next_change(const Target& target, std::int64_t input_tokens, TimePoint at, TimePoint until) {
  std::vector<TimePoint> edges;
  for (const auto* prices : {&target.contract, &target.model->prices})
    for (const Price& price : *prices) {
      edges.push_back(price.from);
      if (price.until) edges.push_back(*price.until);
      for (const PriceWindow& window : price.windows) add_edges(window, at, until, edges);
    }
  for (const Discount& discount : target.provider->discounts) {
    if (discount.from) edges.push_back(*discount.from);
    if (discount.until) edges.push_back(*discount.until);
  }
  std::sort(edges.begin(), edges.end());
  const auto rates_at = [&](TimePoint time) {
    const auto price = price_of(target, input_tokens, time);
    return price ? std::optional(price->rates) : std::nullopt;
  };
  const auto now = rates_at(at);
  for (const TimePoint edge : edges)
    if (edge > at && edge <= until && rates_at(edge) != now) return edge;
  return std::nullopt;
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
