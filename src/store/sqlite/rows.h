#pragma once
// Rows of the contract <-> rows of the tables.
#include <fairlead/row.h>
#include <fairlead/store.h>

#include "store/sqlite/database.h"

#include <optional>
#include <string_view>

namespace fairlead::sqlite {

/// The four writes, as prepared statements. Inside the caller's transaction.
class RowWriter {
 public:
  explicit RowWriter(sqlite3* connection);
  /// Errors: as Store::commit.
  Result<void> write(const Write& row);

 private:
  Result<void> put(const RequestOpen& row);
  Result<void> put(const AttemptOpen& row);
  Result<void> put(const AttemptSettle& row);
  Result<void> put(const RequestSettle& row);
  /// After an update that met no open row: right if the row is settled already, an error if there is none.
  Result<void> settled_before(Statement& count, std::string_view request_id, int number);

  sqlite3* connection_;
  Statement open_request_, open_attempt_, settle_attempt_, settle_request_, count_attempts_, count_requests_;
};

/// Inside the caller's transaction.
Result<std::optional<RequestRecord>> read_request(Database& database, std::string_view id);

}  // namespace fairlead::sqlite
