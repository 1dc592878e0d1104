#pragma once
// The chain of hashes over the lines that ended: each batch (what one transaction sealed) carries the hash of the one before, so
// that a line which is changed, added or taken away afterwards is seen by `fairlead audit`; so are the entries of people.
// docs/audit.md explains it to people.
#include <fairlead/store.h>

#include "store/sqlite/database.h"
#include "store/sqlite/digest.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::sqlite {

/// A line's number and the digest of what it says.
using SealedLine = std::pair<std::int64_t, Digest>;

/// Lines that were taken away with a record of it: whole batches, or one line of a batch that is still there in part.
struct Removal {
  std::int64_t first_batch = 0, last_batch = 0;
  std::optional<SealedLine> line;
};

/// One link. `lines` are put in order.
Digest batch_hash(Sha256& sha, const Digest& before, std::int64_t n, std::vector<SealedLine>& lines);
/// The link that records a removal, with what it says of itself.
Digest removal_hash(Sha256& sha, const Digest& before, std::int64_t n, std::string_view note, const std::vector<Removal>& removals);

/// The link of what people booked (entries.h), with all that it says.
Digest entry_hash(Sha256& sha, const Digest& before, std::int64_t n, std::string_view note);

/// Adds batches at the end of the chain, inside of the caller's transactions.
class ChainWriter {
 public:
  explicit ChainWriter(sqlite3* connection);
  /// The batch that lines sealed now belong to.
  Result<std::int64_t> batch();
  void seal(std::int64_t line, const Digest& digest) { lines_.emplace_back(line, digest); }
  /// Before each commit. A transaction that sealed nothing adds nothing.
  Result<void> close();
  /// After a transaction that was rolled back.
  void forget();

 private:
  Statement head_, insert_;
  Sha256 sha_;
  std::optional<std::pair<std::int64_t, Digest>> end_;  ///< the last link; read anew in each transaction, as others may add to it
  std::vector<SealedLine> lines_;
};

/// Records in the chain that lines may be taken away, before they are: `where` is a condition on `lines`, and `let_go` has the row
/// of this day and part. Returns how many. Lines that have not ended are not among them. Inside the caller's transaction. This is
/// the only way in which lines may go: `fairlead audit` shows every other.
Result<std::int64_t> record_removal(Database& database, const std::string& where, std::int64_t day, std::int64_t part);

/// Adds the link of an entry. Inside the transaction that books it.
Result<void> record_entry(Database& database, std::string_view note);

}  // namespace fairlead::sqlite
