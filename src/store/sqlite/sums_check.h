#pragma once
// The sums that reports read against the rows, against each other, and against what was closed.
#include <fairlead/store.h>

#include "store/sqlite/database.h"

namespace fairlead::sqlite {

/// Inside the caller's transaction. Errors: ledger_unavailable.
Result<SumsCheck> check_sums(Database& database);

}  // namespace fairlead::sqlite
