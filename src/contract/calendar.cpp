#include <fairlead/calendar.h>

#include <algorithm>

namespace fairlead {
namespace {

bool begins_on(const TimeWindow& window, std::chrono::sys_days day, bool in_unknown_years) {
  const unsigned monday_is_1 = std::chrono::weekday(day).iso_encoding();
  const bool weekday = (window.weekdays >> (monday_is_1 - 1) & 1) != 0;
  if (!window.calendar) return weekday;
  if (!window.calendar->knows(day)) return in_unknown_years && (weekday || window.on_work_days);
  if (window.calendar->is_off(day)) return false;
  return weekday || (window.on_work_days && window.calendar->is_work_day(day));
}

}  // namespace

int Zone::offset_minutes(TimePoint at) const {
  if (changes.empty()) return 0;
  const auto next =
      std::upper_bound(changes.begin(), changes.end(), at, [](TimePoint time, const Change& change) { return time < change.from; });
  return next == changes.begin() ? next->offset_minutes : std::prev(next)->offset_minutes;
}

TimePoint Zone::local(TimePoint at) const { return at + std::chrono::minutes(offset_minutes(at)); }

TimePoint Zone::first_at(TimePoint local) const {
  constexpr std::chrono::days offsets_max{1};
  if (changes.empty()) return local;
  for (std::size_t i = 0; i + 1 < changes.size(); ++i) {
    const TimePoint until = changes[i + 1].from;
    if (until <= local - offsets_max) continue;
    // While this offset holds, the clocks show it at `at`, or have passed it when it begins to hold.
    TimePoint at = local - std::chrono::minutes(changes[i].offset_minutes);
    if (i > 0) at = std::max(at, changes[i].from);
    if (at < until) return at;
  }
  const TimePoint at = local - std::chrono::minutes(changes.back().offset_minutes);
  return changes.size() == 1 ? at : std::max(at, changes.back().from);
}

bool Calendar::knows(std::chrono::sys_days day) const {
  return std::binary_search(years.begin(), years.end(), static_cast<int>(std::chrono::year_month_day(day).year()));
}

bool Calendar::is_off(std::chrono::sys_days day) const { return std::binary_search(days_off.begin(), days_off.end(), day); }

bool Calendar::is_work_day(std::chrono::sys_days day) const { return std::binary_search(work_days.begin(), work_days.end(), day); }

bool TimeWindow::holds(TimePoint at, bool in_unknown_years) const {
  const TimePoint local = zone ? zone->local(at) : at;
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const int minute = static_cast<int>(std::chrono::floor<std::chrono::minutes>(local - day).count());
  const auto begins = [&](std::chrono::sys_days on) { return begins_on(*this, on, in_unknown_years); };
  if (from_minute < to_minute) return minute >= from_minute && minute < to_minute && begins(day);
  return (minute >= from_minute && begins(day)) || (minute < to_minute && begins(day - std::chrono::days(1)));
}

}  // namespace fairlead
