#include "daemon/log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "config/config.h"
#include "daemon/clock.h"

namespace fairlead::daemon {
namespace {

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "info";
}

std::string utc_now() {
  const auto now = wall_clock();
  const auto us = static_cast<long>(now.time_since_epoch().count() % 1'000'000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), us);
}

/// Bytes that are not UTF-8 are replaced: a log line is never lost to a strange name.
std::string line_of(Level level, std::string_view event, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json line{{"time", utc_now()}, {"level", name_of(level)}, {"event", event}};
  line.update(fields);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// To stderr, while whoever reads it takes something: no request and no shutdown may wait for a reader of the log, so a line that
/// is not taken is dropped. The descriptor is shared with other programs, so it is asked rather than made non-blocking.
class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StderrSink() {
    // A reader that is slow for a moment then loses nothing. What is no pipe does not mind.
    if (::fcntl(STDERR_FILENO, F_GETPIPE_SZ) < pipe_bytes) ::fcntl(STDERR_FILENO, F_SETPIPE_SZ, pipe_bytes);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (dropped_ > 0 && put(line_of(Level::warn, "log_lines_dropped", {{"lines", dropped_}}))) dropped_ = 0;
    if (dropped_ > 0 || !put({message.payload.data(), message.payload.size()})) ++dropped_;
  }
  void flush_() override {}

 private:
  static constexpr int pipe_bytes = 1 << 20;  // the most that Linux gives everybody

  static bool takes_something() {
    pollfd asked{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLOUT) != 0;
  }

  /// False: not all of it was taken.
  bool put(std::string line) {
    if (cut_) line.insert(0, "\n");
    for (std::string_view rest = line; !rest.empty(); cut_ = !rest.empty()) {
      // A pipe that takes something takes this much.
      const std::size_t piece = std::min<std::size_t>(rest.size(), PIPE_BUF);
      const ssize_t written = takes_something() ? ::write(STDERR_FILENO, rest.data(), piece) : -1;
      if (written <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  std::uint64_t dropped_ = 0;
  bool cut_ = false;  ///< what was written last ended within a line
};

spdlog::logger& logger() {
  static spdlog::logger instance("fairlead", std::make_shared<StderrSink>());
  return instance;
}

}  // namespace

void set_log_level(std::string_view level) { logger().set_level(spdlog::level::from_str(std::string(level))); }

void log(Level level, std::string_view event, nlohmann::ordered_json fields) {
  if (!logger().should_log(level_of(level))) return;
  logger().log(level_of(level), line_of(level, event, fields));
}

void log_findings(const std::vector<config::Finding>& findings) {
  for (const config::Finding& finding : findings) {
    const bool error = finding.severity == config::Severity::error;
    log(error ? Level::error : Level::warn, error ? "config_error" : "config_warning", {{"finding", config::format(finding)}});
  }
}

}  // namespace fairlead::daemon
