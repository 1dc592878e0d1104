#pragma once
// Keys in the ledger's database: `fairlead key new --store`, `list`, `rotate` and `revoke`. One command; one thread.
#include "cli/books.h"

#include <fairlead/key_store.h>

#include <string>

namespace CLI {
class App;
}

namespace fairlead::cli {

/// Makes a key there, of which name, options and note are given. The exit code.
int store_new_key(const std::string& config, StoredKey wanted);
/// Adds the other three to `fairlead key`.
void add_stored_keys(CLI::App& key, int& exit_code);

}  // namespace fairlead::cli
