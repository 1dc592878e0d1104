#pragma once
// Local time: zones and calendars, as data of the snapshot. Pure values, safe to share between threads.
#include <fairlead/time.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fairlead {

/// A time zone's distance from UTC, over the years that matter here.
struct Zone {
  struct Change {
    TimePoint from;
    int offset_minutes = 0;  ///< local time minus UTC
  };
  std::string name;             ///< of the IANA database, e.g. "Asia/Shanghai"
  std::vector<Change> changes;  ///< ascending; the first holds before its own time too
  int offset_minutes(TimePoint at) const;
  TimePoint local(TimePoint at) const;        ///< what the clocks show, as microseconds since 1970 on the wall
  TimePoint first_at(TimePoint local) const;  ///< the first instant at which the clocks show this or later
};

/// A country's days off, and the weekend days on which it works to make up for them.
struct Calendar {
  std::string name;
  std::vector<int> years;                                  ///< that it knows, ascending; of others it says nothing
  std::vector<std::chrono::sys_days> days_off, work_days;  ///< local days, ascending
  bool knows(std::chrono::sys_days day) const;
  bool is_off(std::chrono::sys_days day) const;
  bool is_work_day(std::chrono::sys_days day) const;
};

/// A weekly span of local time, of a price or a rule. Minutes since midnight, `to` exclusive; from 22:00 to 02:00 it belongs to the
/// day on which it begins, and from == to is a whole day.
struct TimeWindow {
  std::uint8_t weekdays = 0x7f;  ///< on which it begins; bit 0 is Monday
  int from_minute = 0, to_minute = 0;
  std::shared_ptr<const Zone> zone = nullptr;          ///< null: UTC
  std::shared_ptr<const Calendar> calendar = nullptr;  ///< it does not begin on the days off of this one; null: none
  bool on_work_days = false;                           ///< it begins on the calendar's work days too, whatever their weekday
  /// `in_unknown_years`: may it begin on a day of a year that the calendar does not know?
  bool holds(TimePoint at, bool in_unknown_years) const;
  bool operator==(const TimeWindow&) const = default;
};

}  // namespace fairlead
