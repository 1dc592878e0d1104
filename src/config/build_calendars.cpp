// Calendars, the user's own and the built-in ones; and what goes by them and by clocks.
#include "config/build.h"
#include "config/zones.h"

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

std::shared_ptr<const Zone> zone_of(const Section& from, std::string_view option, Build& build) {
  const Value* written = from.find(option);
  if (written == nullptr || written->text == "UTC") return nullptr;
  auto zone = find_zone(written->text);
  if (!zone)
    build.findings.error(*written, "there is no time zone " + in_quotes(written->text),
                         "write a name of the IANA database, such as Asia/Shanghai; the system has them with its package tzdata");
  return zone;
}

TimeWindow time_window_of(const Section& from, Build& build) {
  TimeWindow window;
  if (from.find("weekdays") != nullptr) window.weekdays = 0;
  for (const std::string& day : from.texts("weekdays"))
    window.weekdays = static_cast<std::uint8_t>(window.weekdays | 1 << parse_weekday(day).value_or(0));
  window.from_minute = parse_time_of_day(from.text("from")).value_or(0);
  if (const Value* begin = from.find("from"); begin != nullptr && window.from_minute == 24 * 60)
    build.findings.error(*begin, "24:00 is an end, and no begin", "write 00:00");
  window.to_minute = parse_time_of_day(from.text("to")).value_or(0);
  window.zone = zone_of(from, "zone", build);
  if (const Value* name = from.find("calendar")) {
    const auto found = build.calendars.find(name->text);
    if (found == build.calendars.end())
      build.findings.error(*name, "there is no calendar " + in_quotes(name->text),
                           did_you_mean(name->text, names_of(build.calendars)));
    else
      window.calendar = found->second;
  }
  window.on_work_days = from.boolean("on_work_days");
  return window;
}

void build_calendars(Build& build) {
  for (const Section& entry : build.root.sections("calendars"))
    build.calendars.emplace(entry.key(), calendar_of(entry, build.findings));
  for (const Section& list : build.built_in)
    for (const Section& entry : list.sections("calendars"))
      if (build.calendars.count(entry.key()) == 0) build.calendars.emplace(entry.key(), calendar_of(entry, build.findings));
}

}  // namespace fairlead::config
