#pragma once
// A world of files and environment variables for the tests of config/.
#include "config/config.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fairlead::config {

struct World {
  std::map<std::string, std::string> files, environment;
  std::function<TimePoint()> now = {};

  Sources sources() const {
    const auto lookup = [](const std::map<std::string, std::string>& map, const std::string& name) -> std::optional<std::string> {
      auto found = map.find(name);
      if (found == map.end()) return std::nullopt;
      return found->second;
    };
    return {[*this, lookup](const std::string& path) { return lookup(files, path); },
            [*this, lookup](const std::string& name) { return lookup(environment, name); }, now};
  }
  Loaded load(const std::string& file = "f.yaml") const { return config::load(file, sources()); }
};

inline std::vector<std::string> texts(const Loaded& loaded, Severity severity) {
  std::vector<std::string> all;
  for (const Finding& finding : loaded.findings)
    if (finding.severity == severity) all.push_back(format(finding));
  return all;
}
inline std::vector<std::string> errors(const Loaded& loaded) { return texts(loaded, Severity::error); }
inline std::vector<std::string> warnings(const Loaded& loaded) { return texts(loaded, Severity::warning); }

/// A small configuration without errors and warnings.
inline const std::string small_config = R"(providers:
  here:
    profile: plain
    base_url: http://127.0.0.1:9001/v1
    operator: ZA
    region: ZA
    hosting: self
    retention: none
models:
  plain/m: {origin: CN, prices: [{from: 2026-01-01, input: "0.5", output: "2"}]}
profiles:
  plain: {}
routes:
  chat: {targets: [here/m]}
keys:
  - name: app
    hash: sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
    team: payments
    routes: [chat]
)";

}  // namespace fairlead::config
