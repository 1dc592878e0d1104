#pragma once
// Weekly windows, as prices and rules have them. One load; one thread.
#include "config/build.h"
#include "config/zones.h"

#include <cstdint>

namespace fairlead::config {

/// Fills in when a window holds.
template <class Window>
void place_in_time(Window& window, const Section& from, Build& build) {
  constexpr std::uint8_t every_day = 0x7f;
  window.weekdays = from.find("weekdays") == nullptr ? every_day : 0;
  for (const std::string& day : from.texts("weekdays"))
    window.weekdays = static_cast<std::uint8_t>(window.weekdays | 1 << parse_weekday(day).value_or(0));
  window.from_minute = parse_time_of_day(from.text("from")).value_or(0);
  if (const Value* begin = from.find("from"); begin != nullptr && window.from_minute == 24 * 60)
    build.findings.error(*begin, "24:00 is an end, and no begin", "write 00:00");
  window.to_minute = parse_time_of_day(from.text("to")).value_or(0);
  if (const Value* zone = from.find("zone")) {
    window.zone = find_zone(zone->text);
    if (!window.zone)
      build.findings.error(*zone, "there is no time zone " + in_quotes(zone->text),
                           "write a name of the IANA database, such as Asia/Shanghai; the system has them with its package tzdata");
  }
  if (const Value* name = from.find("calendar")) {
    const auto found = build.calendars.find(name->text);
    if (found == build.calendars.end())
      build.findings.error(*name, "there is no calendar " + in_quotes(name->text),
                           did_you_mean(name->text, names_of(build.calendars)));
    else
      window.calendar = found->second;
  }
  window.on_work_days = from.boolean("on_work_days");
}

}  // namespace fairlead::config
