#include "cli/audit/anchor.h"

#include "cli/table.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace fairlead::cli {
namespace {

/// As one that was copied by hand may.
bool ends_within_line(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return file.seekg(-1, std::ios::end) && file.get() != '\n';
}

}  // namespace

Result<std::vector<ChainLink>> read_anchors(const std::string& path) {
  std::vector<ChainLink> anchors;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return anchors;
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path, error))
    return Error(ErrorKind::io, ErrorOrigin::fairlead, "the anchor file '" + path + "' cannot be read");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("link") || !json["link"].is_number_integer() || !json.contains("hash") ||
        !json["hash"].is_string())
      return Error(ErrorKind::config, ErrorOrigin::fairlead,
                   path + ":" + std::to_string(number) + R"(: it is no anchor: {"at":...,"link":N,"hash":"..."})");
    anchors.push_back({json["link"].get<std::int64_t>(), json["hash"].get<std::string>()});
  }
  return anchors;
}

Result<void> add_anchor(const std::string& path, const ChainLink& head, TimePoint now) {
  std::ofstream file(path, std::ios::app);
  if (ends_within_line(path)) file << '\n';
  file << R"({"at":")" << utc_text(now) << R"(","link":)" << head.number << R"(,"hash":")" << head.hash << "\"}\n" << std::flush;
  if (!file) return Error(ErrorKind::io, ErrorOrigin::fairlead, "the anchor file '" + path + "' cannot be written");
  return {};
}

}  // namespace fairlead::cli
