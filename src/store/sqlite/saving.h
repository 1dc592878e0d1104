#pragma once
// Rows of the contract -> lines of the tables.
#include <fairlead/store.h>

#include "store/sqlite/database.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/sums.h"

#include <cstdint>
#include <optional>

namespace fairlead::sqlite {

/// Saves one request after another, as prepared statements. Inside the caller's transaction.
class LineWriter {
 public:
  explicit LineWriter(sqlite3* connection);
  /// Errors: as Store::save.
  Result<void> save(const RequestRecord& record);
  /// Before the commit.
  Result<void> save_sums() { return sums_.save(); }
  /// After a transaction that was rolled back: what it stored beside the lines is gone with it.
  void forget();

 private:
  using Attempt = RequestRecord::Attempt;
  struct Numbers {
    std::int64_t ask = 0, content = 0, facts = 0, ending = 0;
  };
  /// What had ended of a line before it was saved again.
  struct Before {
    bool request_ended = false, attempt_ended = false;
  };
  /// Numbers of the rows that a line refers to.
  Result<std::int64_t> text(std::string_view text);
  Result<std::int64_t> ask(const RequestOpen& open);
  Result<std::int64_t> ending(const RequestRecord& record);
  Result<std::int64_t> terms(const AttemptOpen& open);
  Result<std::int64_t> outcome(const Attempt& attempt);

  Result<Numbers> numbers_of(const RequestRecord& record);
  Result<void> write_line(Statement& line, const RequestRecord& record, const Numbers& numbers, const Attempt* first);
  Result<std::optional<Before>> save_line(const RequestRecord& record, const Attempt* first);
  Result<TimePoint> counts_at(const Attempt& attempt);
  Result<void> count(const RequestRecord& record, const Attempt& attempt);
  Result<void> add_attempt(Statement& statement, const Attempt& attempt);
  Result<void> save_retry(std::string_view id, const Attempt& attempt);

  sqlite3* connection_;
  Statement line_, line_again_, line_before_, late_, retry_;
  Dictionary texts_, asks_, endings_, terms_, outcomes_;
  Sums sums_;
};

}  // namespace fairlead::sqlite
