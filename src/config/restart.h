#pragma once
// What a reload cannot change. Used by the daemon, and by whoever compares two files. Pure; any thread.
#include <fairlead/snapshot.h>

#include <string>
#include <vector>

namespace fairlead::config {

/// The options, by name, that differ and are read at the start only; in the order of the reference.
std::vector<std::string> needs_restart(const Snapshot& now, const Snapshot& next);

}  // namespace fairlead::config
