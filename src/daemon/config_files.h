#pragma once
// What the files of the configuration held when it was taken in. A key that changes must let no edit of a file hold that nobody has
// asked to reload. One thread.
#include "config/config.h"
#include "daemon/assertions.h"

#include <map>
#include <optional>
#include <string>

namespace fairlead::daemon {

class ConfigFiles {
 public:
  /// Reads the files, each once, and remembers what they held. Good until the next call.
  config::Sources fresh() {
    read_.clear();
    config::Sources sources = config::real_sources();
    sources.read_file = [this, read = sources.read_file](const std::string& path) {
      const auto known = read_.find(path);
      return known != read_.end() ? known->second : read_[path] = read(path);
    };
    sources.prove = unproved;
    return sources;
  }
  /// What fresh() has read last is what holds now.
  void take() { taken_ = read_; }
  config::Sources taken() const {
    config::Sources sources = config::real_sources();
    sources.read_file = [this](const std::string& path) -> std::optional<std::string> {
      const auto known = taken_.find(path);
      return known == taken_.end() ? std::nullopt : known->second;
    };
    sources.prove = unproved_by_stored_keys;
    return sources;
  }

 private:
  std::map<std::string, std::optional<std::string>> read_, taken_;
};

}  // namespace fairlead::daemon
