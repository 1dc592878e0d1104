#pragma once
// Times on the command line: UTC; used by the commands that take them.
#include <fairlead/result.h>
#include <fairlead/store.h>
#include <fairlead/time.h>

#include <optional>
#include <string>

namespace fairlead::cli {

/// "2026-11-01" or "2026-11-01T12:30[:00][Z]", UTC. Empty: it is neither.
std::optional<TimePoint> parse_time(std::string text);
/// What parse_time() reads; now, if it is empty. For texts that were checked.
TimePoint time_or_now(const std::string& text);
/// Of texts that were checked; an empty one is no bound. Errors: config, if no time is between them.
Result<Period> read_period(const std::string& since, const std::string& until);
/// For CLI::Validator: what is wrong, or nothing.
std::string check_time(const std::string& text);

}  // namespace fairlead::cli
