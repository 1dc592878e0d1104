#pragma once
// Heads of the chain that are kept outside of the ledger: a JSON line for each, {"at","link","hash"}.
#include <fairlead/store.h>

#include <string>
#include <vector>

namespace fairlead::cli {

/// None if there is no such file. Errors: io, config with the line.
Result<std::vector<ChainLink>> read_anchors(const std::string& path);

/// Adds a line, which is on the disk then; if it fails, the file is as it was. Errors: io.
Result<void> add_anchor(const std::string& path, const ChainLink& head, TimePoint now);

}  // namespace fairlead::cli
