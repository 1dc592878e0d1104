#include <fairlead/countable.h>
#include <fairlead/snapshot.h>

#include <algorithm>
#include <utility>

namespace fairlead {
namespace {

constexpr std::int64_t tokens_per_price = 1'000'000;

const Price* entry_at(const std::vector<Price>& prices, const Account& account, TimePoint at) {
  const Price* found = nullptr;
  for (const Price& price : prices) {
    if (price.from > at || (price.until && *price.until <= at) || !is_for(price, account)) continue;
    const auto rank = [](const Price& p) { return std::make_pair(!p.regions.empty(), p.from); };
    if (!found || rank(*found) <= rank(price)) found = &price;  // of two that begin together, the later written
  }
  return found;
}

void multiply(Rates& rates, Int128 factor) {
  for (const RateKind& kind : rate_kinds)
    if (auto& rate = rates.*kind.rate) rate = multiply_pico(*rate, factor);
}

Int128 share_at(const std::vector<DatedShare>& shares, TimePoint at) {
  Int128 found = 0;
  for (const DatedShare& share : shares)
    if ((!share.from || *share.from <= at) && (!share.until || at < *share.until)) found = share.share;
  return found;
}

const PriceTier* tier_for(const Price& price, std::int64_t input_tokens) {
  const PriceTier* found = nullptr;
  for (const PriceTier& tier : price.tiers)
    if (input_tokens > tier.above_input_tokens && (!found || found->above_input_tokens < tier.above_input_tokens)) found = &tier;
  return found;
}

const PriceWindow* window_at(const Price& price, TimePoint at) {
  for (const PriceWindow& window : price.windows)
    if (window.time.holds(at, window.dearer)) return &window;
  return nullptr;
}

/// By the model's list, as the provider changes it.
std::optional<PriceInForce> listed_price(const Target& target, const Account& account, const PricedBy& by, TimePoint at) {
  auto price = price_in_force(target.model->prices, account, by, at);
  if (!price) return price;
  price->discount = share_at(target.provider->discounts, at);
  if (price->discount != 0) multiply(price->rates, pico_per_unit - price->discount);
  price->surcharge = share_at(target.provider->surcharges, at);
  if (price->surcharge != 0) multiply(price->rates, pico_per_unit + price->surcharge);
  return price;
}

}  // namespace

Rates over(const Rates& own, const Rates& base) {
  Rates both = base;
  for (const RateKind& kind : rate_kinds)
    if (own.*kind.rate) both.*kind.rate = own.*kind.rate;
  return both;
}

bool is_for(const Price& price, const Account& account) {
  if (price.currency != account.currency) return false;
  if (account.region.empty()) return true;
  const auto named = [&](const std::vector<std::string>& regions) {
    return std::find(regions.begin(), regions.end(), account.region) != regions.end();
  };
  return (price.regions.empty() || named(price.regions)) && !named(price.except_regions);
}

std::optional<PriceInForce> price_in_force(const std::vector<Price>& prices, const Account& account, const PricedBy& by,
                                           TimePoint at) {
  const Price* entry = entry_at(prices, account, at);
  if (!entry) return std::nullopt;
  std::optional<PriceInForce> found(std::in_place);  // made where it is returned: it is large, and worked out thrice a request
  PriceInForce& price = *found;
  price.entry = entry;
  price.rates = entry->rates;
  const Rates* thinking = &entry->thinking;
  if (const PriceTier* tier = tier_for(*entry, by.input_tokens)) {
    price.rates = over(tier->rates, entry->rates);
    price.above_input_tokens = tier->above_input_tokens;
    thinking = &tier->thinking;
  } else if (const PriceWindow* window = window_at(*entry, at)) {
    price.rates = over(window->rates, entry->rates);
    price.window = window->name;
    price.window_number = static_cast<int>(window - entry->windows.data()) + 1;
    thinking = &window->thinking;
  }
  if (by.thinking && *thinking != Rates{}) {
    price.rates = over(*thinking, price.rates);
    price.thinking = true;
  }
  price.service_tier = by.service_tier;
  price.service_factor = entry->service_tiers.at(static_cast<std::size_t>(by.service_tier));
  if (price.service_factor) multiply(price.rates, *price.service_factor);
  if (account.regional) price.regional_factor = entry->regional;
  if (price.regional_factor) multiply(price.rates, *price.regional_factor);
  return found;
}

std::optional<PriceInForce> price_of(const Target& target, const PricedBy& by, TimePoint at) {
  const Account account = account_of(*target.provider);
  if (!target.contract.empty())
    if (auto own = price_in_force(target.contract, account, by, at)) {
      own->contract = true;
      return own;
    }
  return listed_price(target, account, by, at);
}

Account account_of(const Provider& provider) { return {provider.currency, provider.facts.region, provider.regional}; }

bool thinks(const Target& target, const ThinkingWish& wish) {
  const Profile* profile = target.provider->profile;
  return wish.said(profile ? profile->thinking_switches : every_thinking_switch).value_or(target.model->thinks_by_default);
}

const UsdRate* UsdRates::at(TimePoint time) const {
  const UsdRate* found = nullptr;
  for (const UsdRate& rate : dated)
    if (!rate.from || *rate.from <= time) found = &rate;
  return found;
}

const UsdRate* Snapshot::usd_rate(Currency currency, TimePoint at) const {
  for (const auto& [code, rates] : usd_per)  // a handful
    if (code == currency.view()) return rates.at(at);
  return nullptr;
}

Result<Money> cost_of(const Usage& usage, const PriceInForce& price) {
  const Rates& rates = price.rates;
  const auto or_input = [&](const std::optional<Int128>& own) -> const std::optional<Int128>& { return own ? own : rates.input; };
  Int128 sum = 0;
  bool absurd = false, unpriced = false;
  const auto add = [&](const std::optional<std::int64_t>& count, const std::optional<Int128>& per_million) {
    const std::int64_t tokens = count.value_or(0);
    if (tokens == 0) return;
    absurd |= tokens < 0 || tokens > countable_tokens_max;
    unpriced |= !per_million;  // unknown, which is not 0
    if (!absurd && per_million) sum += Int128{tokens} * *per_million;
  };
  add(usage.input, rates.input);
  add(usage.cached_input, or_input(rates.cached_input));
  add(usage.cache_write, or_input(rates.cache_write));
  add(usage.output, rates.output);
  add(usage.reasoning, rates.output);
  if (absurd) return Error(ErrorKind::internal, ErrorOrigin::fairlead, "a negative or absurd token count has no cost");
  if (unpriced) return Error(ErrorKind::internal, ErrorOrigin::fairlead, "the price in force has no rate for these tokens");
  Money cost;
  if (price.entry) cost.currency = price.entry->currency;
  sum += tokens_per_price / 2;
  const auto small = static_cast<std::int64_t>(sum);  // a division of 128 bits costs more than all the rest
  cost.pico = small == sum ? Int128{small / tokens_per_price} : sum / tokens_per_price;
  return cost;
}

}  // namespace fairlead
