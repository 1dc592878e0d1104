#pragma once
// Where estimates outlive the process: a file beside the ledger. They are no books: a lost one costs some learning, and no row.
#include <fairlead/result.h>

#include "state/estimates.h"

#include <string>

namespace fairlead::daemon {

/// "sqlite:/var/lib/fairlead/ledger.db" -> "/var/lib/fairlead/ledger.db.estimates"
std::string estimates_file_beside(const std::string& ledger);
/// No such file: nothing was learned yet. Errors: io, if it cannot be read or is damaged.
Result<state::Everything> read_estimates(const std::string& file);
/// Whole or not at all: a new file takes the old one's name. Errors: io.
Result<void> write_estimates(const std::string& file, const state::Everything& everything);

}  // namespace fairlead::daemon
