#pragma once
// The composition root: the only place that knows every concrete type.
#include <string>

namespace fairlead::daemon {

/// Loads, listens, serves until SIGTERM or SIGINT, drains, and settles the ledger. Returns the exit code.
int serve(const std::string& config_file);

}  // namespace fairlead::daemon
