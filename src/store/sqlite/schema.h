#pragma once
// The tables, and how an older file becomes a newer one. docs/ledger.md explains the columns to people.
#include "store/sqlite/database.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::sqlite {

/// "fLdr": SQLite's application_id of our files, at byte 68 of each.
inline constexpr std::uint32_t application_id = 0x664c6472;

/// SQLite's user_version of the files that this program writes.
std::int64_t schema_version();

/// Brings the file to schema_version() in one transaction. Errors: ledger_unavailable, also for a newer schema.
Result<void> migrate(Database& database, const std::string& path);

/// What of the file's views, triggers and indices is not as the steps make it, and which tables are missing; empty: nothing. What
/// people add to look at rows, a view or an index of their own, is no difference; a trigger is.
Result<std::vector<std::string>> schema_differences(Database& database);

/// For who only reads. Errors: ledger_unavailable for any other version.
Result<void> require_schema(Database& database, const std::string& path);

}  // namespace fairlead::sqlite
