#pragma once
// Rows of the contract -> lines of the tables.
#include <fairlead/store.h>

#include "store/sqlite/chain.h"
#include "store/sqlite/database.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/sums.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::sqlite {

/// Saves one request after another, as prepared statements, and seals what has ended. Inside the caller's transaction.
class LineWriter {
 public:
  explicit LineWriter(sqlite3* connection);
  /// At the beginning of a transaction. What a sweep may take away since the last one is no longer referred to.
  Result<void> open();
  /// Errors: as Store::save.
  Result<void> save(const RequestRecord& record);
  /// Before the commit.
  Result<void> close() {
    if (auto saved = sums_.save(); !saved) return saved;
    return chain_.close();
  }
  /// After a transaction that was rolled back: what it stored beside the lines is gone with it.
  void forget();

 private:
  using Attempt = RequestRecord::Attempt;
  /// Rows that a line refers to.
  struct RequestRefs {
    Ref ask, content, facts, ending;
  };
  struct AttemptRefs {
    Ref terms, outcome;
  };
  /// What had ended of a line before it was saved again.
  struct Before {
    bool attempt_ended = false;  ///< the first
  };
  void forget_rows();
  Result<Ref> text(std::string_view text);
  Result<Ref> ask(const RequestOpen& open);
  Result<Ref> ending(const RequestRecord& record);
  Result<Ref> terms(const AttemptOpen& open);
  Result<Ref> outcome(const Attempt& attempt);
  Result<RequestRefs> request_refs(const RequestRecord& record);
  Result<void> find_attempts(const RequestRecord& record);

  // A sink is a statement or the bytes to hash: both take the same values in the same order.
  template <class Sink>
  static void put_request(Sink& sink, const RequestRecord& record, const RequestRefs& refs);
  template <class Sink>
  static void put_attempt(Sink& sink, const Attempt& attempt, const AttemptRefs& refs);
  template <class Sink>
  void put_first_attempt(Sink& sink) const;

  Digest digest(const RequestRecord& record, const RequestRefs& refs);
  Result<std::optional<Before>> save_line(const RequestRecord& record, const RequestRefs& refs, bool ended);
  Result<std::int64_t> line_number(std::string_view id);
  Result<void> save_retries(const RequestRecord& record);
  Result<TimePoint> counts_at(const Attempt& attempt);
  Result<void> count(const RequestRecord& record, const Attempt& attempt);
  Result<void> count_request(const RequestRecord& record);

  sqlite3* connection_;
  Statement line_, line_again_, line_before_, late_, number_, open_retry_, retry_, sweeps_;
  std::int64_t known_sweeps_ = 0;
  Dictionary texts_, asks_, endings_, terms_, outcomes_;
  Sums sums_;
  ChainWriter chain_;
  Canon canon_;
  Sha256 sha_;
  const Ref empty_text_;
  std::vector<std::pair<const Attempt*, AttemptRefs>> attempts_;  ///< of the request that is saved, by number
};

}  // namespace fairlead::sqlite
