#pragma once
// Structured logs: one JSON object a line on stderr. Any thread. Never given prompts or secrets. Nobody waits for whoever reads
// them: lines that a full pipe does not take are dropped, and counted in a line of their own (`log_lines_dropped`) once it does.
#include <nlohmann/json.hpp>

#include <string_view>
#include <vector>

namespace fairlead::config {
struct Finding;
}

namespace fairlead::daemon {

enum class Level { debug, info, warn, error };

/// `level`: debug, info, warn or error.
void set_log_level(std::string_view level);
/// {"time":"2026-11-23T12:00:00.123456Z","level":"info","event":...} and the fields.
void log(Level level, std::string_view event, nlohmann::ordered_json fields = nlohmann::ordered_json::object());
/// Of a load: errors and warnings, one by one.
void log_findings(const std::vector<config::Finding>& findings);

}  // namespace fairlead::daemon
