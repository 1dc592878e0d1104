#pragma once
// What a target charges. Immutable parts of the snapshot.
#include <fairlead/calendar.h>
#include <fairlead/mode.h>
#include <fairlead/money.h>
#include <fairlead/time.h>
#include <fairlead/usage.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// Prices by kind. Units: 10^-12 of the currency per million tokens. Empty: no price of its own; cached_input and
/// cache_write then cost what input costs.
struct Rates {
  std::optional<Int128> input;
  std::optional<Int128> cached_input;
  std::optional<Int128> cache_write;
  std::optional<Int128> output;
  bool operator==(const Rates&) const = default;
};
struct RateKind {
  std::string_view name;
  std::optional<Int128> Rates::*rate;
};
inline constexpr RateKind rate_kinds[] = {{"input", &Rates::input},
                                          {"cached_input", &Rates::cached_input},
                                          {"cache_write", &Rates::cache_write},
                                          {"output", &Rates::output}};
/// `own`, and where it has no price of a kind, the base's.
Rates over(const Rates& own, const Rates& base);

/// Above this total input, `rates` hold for the whole request; if it thinks, `thinking` over them.
struct PriceTier {
  std::int64_t above_input_tokens = 0;
  Rates rates;
  Rates thinking{};
};

/// Inside of it, `rates` hold.
struct PriceWindow {
  std::string name;
  TimeWindow time;
  Rates rates;
  bool dearer = false;  ///< than the entry outside of it: in a year that the calendar does not know, only such a window holds
  Rates thinking{};     ///< over `rates`, if the request thinks
};

/// One dated entry of the price list.
struct Price {
  TimePoint from;                  ///< in force from here on, until a later entry begins
  std::optional<TimePoint> until;  ///< a promotion's end
  Currency currency;
  Rates rates;
  std::vector<PriceTier> tiers;  ///< ascending
  std::vector<PriceWindow> windows;
  std::string source;      ///< where the figure was read
  std::string confidence;  ///< high, medium or low
  Rates thinking;          ///< over `rates` outside of tiers and windows, if the request thinks
  std::array<std::optional<Int128>, service_tier_count> service_tiers;  ///< what amounts are multiplied by there, 10^-12
  std::optional<Int128> regional;                    ///< what amounts are multiplied by at a regional endpoint, 10^-12
  std::vector<std::string> regions, except_regions;  ///< of providers for which it holds, or does not; none: for all
  std::optional<TimePoint> seen;                     ///< when the figures were last seen in force, if later than `from`
  std::string implausible;                           ///< why it cannot well be; empty: it can
  bool built_in = false;                             ///< of the product's own list
};

/// What one unit of a currency is in USD, by date.
struct UsdRate {
  std::optional<TimePoint> from;  ///< empty: always
  Int128 usd = 0;                 ///< 10^-12
};
struct UsdRates {
  UsdRates() = default;
  UsdRates(Int128 always) : dated{{{}, always}} {}  // not explicit: a rate without a date
  std::vector<UsdRate> dated;                       ///< ascending
  const UsdRate* at(TimePoint time) const;          ///< null: none had begun
};

/// Who is billed.
struct Account {
  // Not explicit: most accounts are a currency.
  Account(Currency billed_in, std::string_view processed_in = {}, bool at_regional_endpoint = false)
      : currency(billed_in), region(processed_in), regional(at_regional_endpoint) {}
  Currency currency;
  std::string_view region;  ///< of the provider; empty: not stated, so entries of every region hold
  bool regional = false;    ///< its endpoint is a regional one
};

/// Is the entry in the currency of this account, and for its region?
bool is_for(const Price& price, const Account& account);

/// What of a request moves its price.
struct PricedBy {
  // Not explicit: for most requests it is their input.
  PricedBy(std::int64_t input, bool thinks = false, ServiceTier tier = ServiceTier::standard)
      : input_tokens(input), thinking(thinks), service_tier(tier) {}
  std::int64_t input_tokens;
  bool thinking;
  ServiceTier service_tier;
};

/// What was charged and why: kept in the attempt's row, so that the cost can be recomputed.
struct PriceInForce {
  const Price* entry = nullptr;
  Rates rates;
  std::string window;                   ///< the window's name; empty outside of one
  int window_number = 0;                ///< which of the entry's it is, from 1, since several may have one name
  std::int64_t above_input_tokens = 0;  ///< the tier; 0 for the base
  bool contract = false;                ///< the target's own price, not the list's
  Int128 discount = 0;                  ///< taken off the list's rates: a share, 10^-12
  Int128 surcharge = 0;                 ///< put on them, after that
  bool thinking = false;                ///< rates of thinking are in it
  ServiceTier service_tier = ServiceTier::standard;
  std::optional<Int128> service_factor{};   ///< what the rates were multiplied by for it; empty: the entry lists none
  std::optional<Int128> regional_factor{};  ///< the same for the regional endpoint
};

/// The entry in force for such a request at this time: the latest that has begun, of those for the account's region before those
/// for all. Tiers win over windows; each factor is rounded half up to 10^-12. Errors: none; empty if no entry for this account
/// holds then.
std::optional<PriceInForce> price_in_force(const std::vector<Price>& prices, const Account& account, const PricedBy& by,
                                           TimePoint at);

/// The cost of one attempt.
/// Shapes: Usage in disjoint kinds, each possibly empty (not reported counts as none); the price in force when it was sent.
/// Units:  tokens; result in 10^-12 of the price's currency, rounded half up once, at the end.
/// Errors: internal for counts below 0 or above 10^12 (the dialect flags those before), and for tokens of a kind that has no rate:
///         their cost is unknown, never 0. Never throws.
Result<Money> cost_of(const Usage& usage, const PriceInForce& price);

}  // namespace fairlead
