#include "watch.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

Watch parse_watch(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw std::invalid_argument("a watch is name=pid,pid, and not " + text);
  Watch watch{.name = text.substr(0, equals), .pids = {}};
  std::istringstream pids(text.substr(equals + 1));
  for (std::string pid; std::getline(pids, pid, ',');) watch.pids.push_back(std::stoi(pid));
  return watch;
}

std::uint64_t cpu_ns(const Watch& watch) {
  std::uint64_t total = 0;
  for (const int pid : watch.pids) {
    std::error_code gone;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
      std::uint64_t ns = 0;
      if (std::ifstream(task.path() / "schedstat") >> ns) total += ns;
    }
  }
  return total;
}

long memory_kib(const Watch& watch, std::string_view field) {
  long total = 0;
  for (const int pid : watch.pids) {
    std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string line; std::getline(rollup, line);)
      if (line.starts_with(field)) total += std::stol(line.substr(field.size()));
  }
  return total;
}
