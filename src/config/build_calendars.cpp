// Calendars, the user's own and the built-in ones.
#include "config/build.h"

#include <algorithm>
#include <chrono>
#include <memory>

namespace fairlead::config {
namespace {

std::vector<std::chrono::sys_days> days_of(const Section& from, std::string_view name, const Calendar& calendar,
                                           Findings& findings) {
  std::vector<std::chrono::sys_days> days;
  for (const Value* item : from.values(name)) {
    const auto at = parse_instant(item->text);
    if (!at) continue;
    const auto day = std::chrono::floor<std::chrono::days>(*at);
    if (*at != TimePoint(day))
      findings.error(*item, "a day has no time of day", "write it as " + item->text.substr(0, 10));
    else if (!calendar.knows(day))
      findings.error(*item, "its year is not among the years of this calendar", "add the year with all of its days");
    days.push_back(day);
  }
  std::sort(days.begin(), days.end());
  return days;
}

std::shared_ptr<const Calendar> calendar_of(const Section& from, Findings& findings) {
  auto calendar = std::make_shared<Calendar>();
  calendar->name = from.key();
  for (const Value* item : from.values("years"))
    if (const auto year = parse_integer(item->text)) calendar->years.push_back(static_cast<int>(*year));
  std::sort(calendar->years.begin(), calendar->years.end());
  calendar->days_off = days_of(from, "days_off", *calendar, findings);
  calendar->work_days = days_of(from, "work_days", *calendar, findings);
  for (const Value* item : from.values("work_days"))
    if (const auto at = parse_instant(item->text); at && calendar->is_off(std::chrono::floor<std::chrono::days>(*at)))
      findings.error(*item, "this day is among the days off too", "a calendar has each day once");
  return calendar;
}

}  // namespace

void check_span(const Section& from, Findings& findings) {
  const auto begin = from.instant("from"), end = from.instant("until");
  if (begin && end && *end <= *begin)
    findings.error(*from.find("until"), "it ends before it begins", "`until` must be later than `from`");
}

void build_calendars(Build& build) {
  for (const Section& entry : build.root.sections("calendars"))
    build.calendars.emplace(entry.key(), calendar_of(entry, build.findings));
  for (const Section& list : build.built_in)
    for (const Section& entry : list.sections("calendars"))
      if (build.calendars.count(entry.key()) == 0) build.calendars.emplace(entry.key(), calendar_of(entry, build.findings));
}

}  // namespace fairlead::config
