#include "cli/time.h"

#include <charconv>
#include <chrono>
#include <string_view>

#include "daemon/clock.h"

namespace fairlead::cli {

std::optional<TimePoint> parse_time(std::string text) {
  constexpr std::string_view pattern = "0000-00-00T00:00:00";
  if (text.size() > 10 && text.back() == 'Z') text.pop_back();
  if (text.size() != 10 && text.size() != 16 && text.size() != 19) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i]) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    if (at < text.size()) std::from_chars(text.data() + at, text.data() + at + digits, value);
    return value;
  };
  using namespace std::chrono;
  const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return TimePoint(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second);
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
