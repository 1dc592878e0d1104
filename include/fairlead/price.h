#pragma once
// What a target charges. Immutable parts of the snapshot.
#include <fairlead/calendar.h>
#include <fairlead/money.h>
#include <fairlead/time.h>
#include <fairlead/usage.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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

/// Above this total input, `rates` hold for the whole request.
struct PriceTier {
  std::int64_t above_input_tokens = 0;
  Rates rates;
};

/// Inside this weekly window, `rates` hold. Local time; `weekdays` bit 0 is Monday; minutes since midnight, `to` exclusive.
struct PriceWindow {
  std::string name;
  std::uint8_t weekdays = 0;
  int from_minute = 0;
  int to_minute = 0;
  Rates rates;
  std::shared_ptr<const Zone> zone = nullptr;          ///< null: UTC
  std::shared_ptr<const Calendar> calendar = nullptr;  ///< it does not begin on the days off of this one; null: none
  bool on_work_days = false;                           ///< it begins on the calendar's work days too, whatever their weekday
  bool dearer = false;  ///< than the entry outside of it: in a year that the calendar does not know, only such a window holds
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
};

/// What was charged and why: kept in the attempt's row, so that the cost can be recomputed.
struct PriceInForce {
  const Price* entry = nullptr;
  Rates rates;
  std::string window;                   ///< the window's name; empty outside of one
  std::int64_t above_input_tokens = 0;  ///< the tier; 0 for the base
  bool contract = false;                ///< the target's own price, not the list's
  Int128 discount = 0;                  ///< taken off the list's rates: a share, 10^-12
};

/// The entry in force for a request of this input at this time. Tiers win over windows.
/// Errors: none; empty if no entry of this currency holds then.
std::optional<PriceInForce> price_in_force(const std::vector<Price>& prices, Currency currency, std::int64_t input_tokens,
                                           TimePoint at);

/// The cost of one attempt.
/// Shapes: Usage in disjoint kinds, each possibly empty (not reported counts as none); the price in force when it was sent.
/// Units:  tokens; result in 10^-12 of the price's currency, rounded half up once, at the end.
/// Errors: internal for counts below 0 or above 10^12 (the dialect flags those before), and for tokens of a kind that has no rate:
/// their cost is
///         unknown, never 0. Never throws.
Result<Money> cost_of(const Usage& usage, const PriceInForce& price);

}  // namespace fairlead
