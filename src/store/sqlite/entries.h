#pragma once
// What people book: corrections, credits, the closing of months. Each is a link of the chain by itself, whose note says all of it.
#include "store/sqlite/database.h"

#include <set>
#include <string>

namespace fairlead::sqlite {

enum class Entry { correction, credit, closing };

/// The row of this kind that was booked last becomes a link. Inside the transaction that books it.
Result<void> seal_last(Database& database, Entry kind);

/// All that a file of before there were such links has. Inside the caller's transaction.
Result<void> seal_all(Database& database);

/// What each row says now, as JSON: a link's note, if nothing was changed. Inside the caller's transaction.
Result<std::set<std::string>> read_entries(Database& database);

}  // namespace fairlead::sqlite
