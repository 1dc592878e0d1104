#include "cli/time.h"

#include "config/scalar.h"
#include "daemon/clock.h"

namespace fairlead::cli {

std::optional<TimePoint> parse_time(std::string text) {
  if (text.ends_with('Z')) text.pop_back();
  return config::parse_instant(text.size() > 10 ? text + "Z" : text);
}

TimePoint time_or_now(const std::string& text) { return text.empty() ? daemon::wall_clock() : *parse_time(text); }

Result<Period> read_period(const std::string& since, const std::string& until) {
  const Period period{parse_time(since), parse_time(until)};
  if (period.since && period.until && *period.until <= *period.since)
    return Error(ErrorKind::config, ErrorOrigin::fairlead,
                 "--until " + until + " is not after --since " + since + ": no time is between them");
  return period;
}

std::string check_time(const std::string& text) {
  return parse_time(text) ? std::string() : "'" + text + "' is not a time in UTC, such as 2026-11-01 or 2026-11-01T12:30:00Z";
}

}  // namespace fairlead::cli
