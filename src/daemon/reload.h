#pragma once
// What came of a reload, for whoever asked for it. Plain values.
#include "config/config.h"

#include <string>
#include <vector>

namespace fairlead::daemon {

struct Reload {
  bool taken = false;
  bool changed = false;  ///< another snapshot than before holds now
  std::string reason;    ///< why it was not taken
  std::string file;      ///< what was read
  std::string snapshot;  ///< the hash of the one that holds now
  std::vector<config::Finding> findings;
};

/// {"result":"taken"|"refused","changed","reason","file","snapshot","findings":[{"severity","file","line","column","path","message","hint",
/// "text"}]}. No secrets.
std::string reload_json(const Reload& reload);

}  // namespace fairlead::daemon
