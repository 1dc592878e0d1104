#pragma once
// What a link of the chain says of lines that were archived, and whether the ledger still says the same: which lines those are, the
// row of `let_go`, and what the links that went whole were. Links of before there was such a note have the file's name alone.
#include "store/sqlite/chain.h"
#include "store/sqlite/database.h"
#include "store/sqlite/line_digests.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::sqlite {

/// The note: in JSON, the row of `let_go`, until when attempts of these lines count that came late, and a digest of the links that
/// go whole. Before the lines go. Ledgers have these texts: a change of one needs a mark of its own, beside this one.
Result<std::string> removal_note(Database& database, std::int64_t day, std::int64_t part, const std::vector<Removal>& removals);

/// A table of SQL, in parentheses: `day`, `part` and `late` of each note.
std::string notes_of_removals();

/// For an audit. Inside the caller's transaction.
class RemovalCheck {
 public:
  using Find = std::function<void(std::int64_t link, std::string what)>;
  RemovalCheck(Database& database, Find find);

  /// A link whose hash is right; one after another. Returns the file that the lines went to.
  Result<std::string> take(std::int64_t link, std::int64_t lines, std::string_view note, const std::vector<Removal>& removals);
  /// After the last.
  Result<void> end();

  bool went_whole(std::int64_t batch) const { return run_of(batch) != nullptr; }
  /// A line that was taken away, or that stands under a link which went whole, although nothing of that is left to be removed.
  bool is_back(const LineDigests::Line& line) const;

  struct Part {
    Digest digest{};
    std::int64_t record = 0;
  };
  using Parts = std::map<std::int64_t, Part>;
  /// Of each batch that went in part, the lines that may have been taken away.
  const std::map<std::int64_t, Parts>& parts() const { return parts_; }

 private:
  /// Batches from one to this; `record`: the link, 0 for those of before there were notes.
  struct Run {
    std::int64_t last_batch = 0, record = 0;
  };
  /// What is let go, and not all removed yet.
  struct Leaving {
    std::int64_t record = 0, day = 0, n_min = 0, n_max = 0;
  };
  struct Older {
    std::int64_t link = 0, lines = 0;
    std::string file;
  };

  const Run* run_of(std::int64_t batch) const;
  Result<std::string> compare_note(std::int64_t link, std::int64_t lines, std::string_view note,
                                   const std::vector<Removal>& removals);
  Result<void> compare_count(std::int64_t link, std::int64_t lines, const std::vector<Removal>& removals);

  Database& database_;
  Find find_;
  Statement note_, count_;
  std::map<std::int64_t, Run> runs_;  ///< by their first batch
  std::map<std::int64_t, Parts> parts_;
  std::vector<Leaving> leaving_;
  std::set<std::pair<std::int64_t, std::int64_t>> noted_;  ///< day and part
  std::vector<Older> older_;
};

}  // namespace fairlead::sqlite
