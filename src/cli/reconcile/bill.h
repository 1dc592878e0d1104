#pragma once
// A provider's bill as sums by day and model, or by attempt, of each kind of token and the cost. Pure.
#include "cli/reconcile/amount.h"

#include <fairlead/time.h>

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace fairlead::cli {

enum class Measure : std::uint8_t { requests, input, cached_input, cache_write, output, cost };
inline constexpr std::size_t measure_count = 6;
std::string_view to_string(Measure measure);

/// 10^-18 of each; empty: not told.
using Figures = std::array<std::optional<Int128>, measure_count>;

/// What a line is about: a day and a model, or one attempt.
struct BillKey {
  std::string day;  ///< "2026-11-01", in the bill's zone
  std::string model;
  std::string attempt;  ///< empty: all of the day
  auto operator<=>(const BillKey&) const = default;
};

struct Bill {
  std::string format;
  int zone_minutes = 0;  ///< its days begin at UTC plus this
  bool by_attempt = false;
  std::array<bool, measure_count> measures{};  ///< that it tells of
  std::string currency;                        ///< empty: it tells no cost
  std::map<BillKey, Figures> lines;

  bool has(Measure measure) const { return measures[static_cast<std::size_t>(measure)]; }
};

void add_figure(Figures& figures, Measure measure, Int128 attos);

/// The day of this time in the bill's zone.
std::string bill_day(TimePoint at, int zone_minutes);

struct Mapping;

/// A CSV export by a mapping (docs/audit.md); or, where that is null, by the built-in mapping whose columns it has. The simulator's
/// bill is known by itself. Errors: config, with line and column.
Result<Bill> read_bill(std::string_view text, const Mapping* mapping);

}  // namespace fairlead::cli
