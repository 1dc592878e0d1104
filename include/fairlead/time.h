#pragma once
// Wall-clock time as rows and prices use it. Pure code takes `now` as an argument.
#include <chrono>
#include <string>

namespace fairlead {

using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;  ///< UTC
using SteadyTime = std::chrono::steady_clock::time_point;            ///< for deadlines and durations

/// "2026-11-26", UTC.
std::string day_text(TimePoint at);
/// "2026-11-26T04:00:00Z", with the second that has begun.
std::string iso_8601(TimePoint at);
/// "2026-11-26T04:00:00.123456Z"
std::string iso_8601_us(TimePoint at);

}  // namespace fairlead
