#pragma once
// `fairlead prices --bill FILE`: what given usages cost.
#include <fairlead/snapshot.h>

#include <string>

namespace fairlead::cli {

/// For each line of the file, a JSON object with `target`, `at`, `usage` by kind, and, if they matter, `thinking` and
/// `service_tier`: the price that held then and the cost, exact, as the daemon would settle it, as a JSON object on a line of
/// stdout. "-" is stdin. Gives the exit code.
int bill_usages(const Snapshot& snapshot, const std::string& file);

}  // namespace fairlead::cli
