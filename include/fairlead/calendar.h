#pragma once
// Local time: zones and calendars, as data of the snapshot. Pure values, safe to share between threads.
#include <fairlead/time.h>

#include <chrono>
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

}  // namespace fairlead
