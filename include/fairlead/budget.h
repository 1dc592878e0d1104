#pragma once
// Limits on what may be charged, as the configuration states them. What was charged of them is in state/budgets. Plain values.
#include <fairlead/calendar.h>
#include <fairlead/money.h>
#include <fairlead/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// Whose charges a budget counts. `installation`: everybody's.
enum class BudgetOf : std::uint8_t { installation, team, project, key, route, provider };
inline constexpr int budget_of_count = 6;

/// `all`: from the first row on. `credit`: what was topped up, since the first time; it has no limit of its own.
enum class BudgetPeriod : std::uint8_t { hour, day, week, month, all, credit };

struct Budget {
  BudgetOf of = BudgetOf::installation;
  std::string name;  ///< of the team, key and so on; empty for the installation
  BudgetPeriod per = BudgetPeriod::month;
  Int128 usd_pico = 0;               ///< that may be charged in one period
  std::shared_ptr<const Zone> zone;  ///< in which periods begin; null: UTC
  std::vector<Int128> notify_at;     ///< shares of it in 10^-12, ascending: each is told once a period
  std::string id;                    ///< "team payments per month, Europe/Berlin": what a changed limit does not change
};

/// From `from` to before `until`; empty: for ever.
struct BudgetSpan {
  TimePoint from;
  std::optional<TimePoint> until;
};

/// The period of a budget that `at` is in. Hours, days, weeks (from Monday) and months begin by the clocks of its zone: a day may
/// have 23 or 25 hours. Where a clock is put back over a boundary, the period begins when the boundary comes first.
BudgetSpan period_of(const Budget& budget, TimePoint at);
std::string id_of(const Budget& budget);

std::string_view to_string(BudgetOf of);
std::string_view to_string(BudgetPeriod per);
std::optional<BudgetOf> parse_budget_of(std::string_view name);

}  // namespace fairlead
