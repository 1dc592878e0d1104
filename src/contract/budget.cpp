#include <fairlead/budget.h>
#include <fairlead/names.h>
#include <fairlead/snapshot.h>

#include <array>

namespace fairlead {
namespace {

using std::chrono::days;

constexpr std::array<std::string_view, budget_of_count> of_names{"installation", "team", "project", "key", "route", "provider"};
constexpr std::array<std::string_view, 6> period_names{"hour", "day", "week", "month", "all", "credit"};

/// A time on the wall, as microseconds since 1970 on that wall.
using LocalTime = TimePoint;

LocalTime begin_of(BudgetPeriod per, LocalTime local) {
  if (per == BudgetPeriod::hour) return std::chrono::floor<std::chrono::hours>(local);
  const auto day = std::chrono::floor<days>(local);
  if (per == BudgetPeriod::day) return day;
  if (per == BudgetPeriod::week) return day - days(std::chrono::weekday(day).iso_encoding() - 1);
  const std::chrono::year_month_day date(day);
  return std::chrono::sys_days(date.year() / date.month() / 1);
}

LocalTime next_begin(BudgetPeriod per, LocalTime begin) {
  if (per == BudgetPeriod::hour) return begin + std::chrono::hours(1);
  if (per == BudgetPeriod::day) return begin + days(1);
  if (per == BudgetPeriod::week) return begin + days(7);
  const std::chrono::year_month_day date(std::chrono::floor<days>(begin));
  return std::chrono::sys_days((date.year() / date.month() + std::chrono::months(1)) / 1);
}

}  // namespace

BudgetSpan period_of(const Budget& budget, TimePoint at) {
  if (budget.per == BudgetPeriod::all || budget.per == BudgetPeriod::credit) return {TimePoint{}, std::nullopt};
  const Zone* zone = budget.zone.get();
  if (zone == nullptr || zone->changes.empty()) {
    const LocalTime begin = begin_of(budget.per, at);
    return {begin, next_begin(budget.per, begin)};
  }
  const LocalTime begin = begin_of(budget.per, zone->local(at));
  BudgetSpan span{zone->first_at(begin), zone->first_at(next_begin(budget.per, begin))};
  // The clocks were put back over the boundary, and show the time before it again: that belongs to what has begun.
  if (at >= *span.until) span = {*span.until, zone->first_at(next_begin(budget.per, next_begin(budget.per, begin)))};
  return span;
}

std::vector<const Budget*> all_budgets(const Snapshot& snapshot) {
  std::vector<const Budget*> all;
  const auto add = [&](const std::vector<Budget>& budgets) {
    for (const Budget& budget : budgets) all.push_back(&budget);
  };
  add(snapshot.budgets);
  for (const auto& [name, team] : snapshot.teams) add(team.budgets);
  for (const auto& [name, project] : snapshot.projects) add(project.budgets);
  for (const Key& key : snapshot.keys) add(key.budgets);
  for (const auto& route : snapshot.routes) add(route->budgets);
  for (const auto& provider : snapshot.providers) add(provider->budgets);
  return all;
}

std::string id_of(const Budget& budget) {
  std::string id(to_string(budget.of));
  if (!budget.name.empty()) id += " " + budget.name;
  if (budget.per == BudgetPeriod::credit) return id + " credit";
  if (budget.per == BudgetPeriod::all) return id + " in all";
  return id + " per " + std::string(to_string(budget.per)) + (budget.zone ? ", " + budget.zone->name : "");
}

std::string_view to_string(BudgetOf of) { return of_names.at(static_cast<std::size_t>(of)); }
std::string_view to_string(BudgetPeriod per) { return period_names.at(static_cast<std::size_t>(per)); }

std::optional<BudgetOf> parse_budget_of(std::string_view name) { return parse_name<BudgetOf>(name, budget_of_count); }

}  // namespace fairlead
