#pragma once
// The table of keys made at run time.
#include <fairlead/key_store.h>

#include "store/sqlite/database.h"

#include <memory>

namespace fairlead::sqlite {

/// The database has our schema, and its connection is the key store's own.
std::unique_ptr<KeyStore> make_key_store(Database database);

}  // namespace fairlead::sqlite
