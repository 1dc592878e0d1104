#include <fairlead/calendar.h>

#include <algorithm>

namespace fairlead {

int Zone::offset_minutes(TimePoint at) const {
  if (changes.empty()) return 0;
  const auto next =
      std::upper_bound(changes.begin(), changes.end(), at, [](TimePoint time, const Change& change) { return time < change.from; });
  return next == changes.begin() ? next->offset_minutes : std::prev(next)->offset_minutes;
}

bool Calendar::knows(std::chrono::sys_days day) const {
  return std::binary_search(years.begin(), years.end(), static_cast<int>(std::chrono::year_month_day(day).year()));
}

bool Calendar::is_off(std::chrono::sys_days day) const { return std::binary_search(days_off.begin(), days_off.end(), day); }

bool Calendar::is_work_day(std::chrono::sys_days day) const { return std::binary_search(work_days.begin(), work_days.end(), day); }

}  // namespace fairlead
