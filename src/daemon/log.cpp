#include "daemon/log.h"

#include <fmt/chrono.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>

#include "config/config.h"
#include "daemon/clock.h"

namespace fairlead::daemon {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("fairlead", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    return made;
  }();
  return *instance;
}

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

}  // namespace

void set_log_level(std::string_view level) { logger().set_level(spdlog::level::from_str(std::string(level))); }

void log(Level level, std::string_view event, nlohmann::ordered_json fields) {
  if (!logger().should_log(level_of(level))) return;
  nlohmann::ordered_json line{{"time", utc_now()}, {"level", name_of(level)}, {"event", event}};
  line.update(fields);
  // Bytes that are not UTF-8 are replaced: a log line is never lost to a strange name.
  logger().log(level_of(level), line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void log_findings(const std::vector<config::Finding>& findings) {
  for (const config::Finding& finding : findings) {
    const bool error = finding.severity == config::Severity::error;
    log(error ? Level::error : Level::warn, error ? "config_error" : "config_warning", {{"finding", config::format(finding)}});
  }
}

}  // namespace fairlead::daemon
