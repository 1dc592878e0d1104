#pragma once
// The chain of hashes against the lines as they are now.
#include <fairlead/store.h>

#include "store/sqlite/database.h"

#include <vector>

namespace fairlead::sqlite {

/// Inside the caller's transaction. Errors: ledger_unavailable.
Result<ChainCheck> check_chain(Database& database, const std::vector<ChainLink>& anchors);

}  // namespace fairlead::sqlite
