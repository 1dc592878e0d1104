#pragma once
// Months, corrections and old rows of an SQLite ledger, while its daemon writes.
#include <fairlead/bookkeeper.h>

#include <string>

#include "store/sqlite/database.h"

namespace fairlead::sqlite {

/// `path`: for messages.
std::unique_ptr<Bookkeeper> make_bookkeeper(Database database, std::string path);

}  // namespace fairlead::sqlite
