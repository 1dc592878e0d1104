#pragma once
// Rows of the contract -> lines of the tables.
#include <fairlead/store.h>

#include "store/sqlite/database.h"
#include "store/sqlite/dictionary.h"

#include <cstdint>

namespace fairlead::sqlite {

/// Saves one request after another, as prepared statements. Inside the caller's transaction.
class LineWriter {
 public:
  explicit LineWriter(sqlite3* connection);
  /// Errors: as Store::save.
  Result<void> save(const RequestRecord& record);
  /// After a transaction that was rolled back: what it stored beside the lines is gone with it.
  void forget();

 private:
  using Attempt = RequestRecord::Attempt;
  /// Numbers of the rows that a line refers to.
  Result<std::int64_t> text(std::string_view text);
  Result<std::int64_t> ask(const RequestOpen& open);
  Result<std::int64_t> ending(const RequestRecord& record);
  Result<std::int64_t> terms(const AttemptOpen& open);
  Result<std::int64_t> outcome(const Attempt& attempt);

  Result<void> add_attempt(Statement& statement, const Attempt& attempt);
  Result<void> save_retry(std::string_view id, const Attempt& attempt);

  Statement line_, retry_;
  Dictionary texts_, asks_, endings_, terms_, outcomes_;
};

}  // namespace fairlead::sqlite
