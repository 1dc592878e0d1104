#pragma once
// The one writer of the books: small writes to a journal at once, a bounded queue and a thread that commits it in groups, and a
// thread that feeds the journal to the store. Shared by all workers; thread-safe.
#include <fairlead/result.h>
#include <fairlead/store.h>

#include "ledger/files.h"
#include "ledger/journal.h"
#include "ledger/recovery.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fairlead {

struct LedgerLimits {
  /// Above it an open fails at once, which refuses requests rather than growing without bound. Settlements are always taken: there
  /// are no more of them than rows that were opened, so the memory held is this queue and one settlement per attempt in flight.
  std::size_t queue_writes_max = 100'000;
  std::size_t commit_writes_max = 1'024;  ///< of one commit; a single call of write() may exceed it
  /// From the beginning of one commit to that of the next, at least: under load, more rows share what a commit costs. A row that
  /// comes after a pause does not wait.
  std::chrono::microseconds commit_us_min{200};
  /// A write at once that takes longer shows a slow disk (or a very busy core): for `at_once_rest_ms` after it, all rows go through
  /// the queue, so that no worker waits for the disk again and again.
  std::chrono::microseconds at_once_us_max{20'000};
  std::chrono::milliseconds at_once_rest_ms{1'000};
  /// A commit that takes longer shows a disk that hangs: what opens is refused until it ends, or all of it would be paid and then
  /// find its end unwritten.
  std::chrono::milliseconds commit_ms_max{5'000};
  std::chrono::milliseconds retry_ms_min{10};  ///< the first wait after a failed commit; then doubled
  std::chrono::milliseconds retry_ms_max{1'000};
  std::chrono::milliseconds close_ms_max{5'000};  ///< for the destructor to go on trying
  Sync sync = Sync::disk;
  std::size_t segment_bytes = 16 << 20;                 ///< of one of the journal's files, which takes this room at once
  std::chrono::milliseconds segment_ms_max{3'600'000};  ///< of a file with rows, until another follows
  std::uint64_t journal_bytes_max = 1ull << 30;         ///< of all; above it, as the store cannot be fed, an open fails at once
  std::uint64_t patient_bytes_max = 96 << 20;           ///< of all; above it, feeding the store no longer gives way to workers
  std::chrono::milliseconds feed_ms_max{250};           ///< under load, from a request's settlement until the store has it
  std::chrono::milliseconds open_ms_max{1'000};         ///< a request that takes longer is in the store as open
};

struct LedgerStats {
  std::uint64_t commits = 0, rows = 0, failed_commits = 0;
  std::uint64_t refused_rows = 0;  ///< they can never be written, nor stored
  std::size_t queued = 0;          ///< writes that are not acknowledged yet, and those to be written again
  bool writable = true;            ///< the last commit succeeded, none hangs, and the journal has room
  std::uint64_t unfed_rows = 0;    ///< durable in the journal, and not in the store yet
  std::uint64_t failed_saves = 0;  ///< tries to feed the store; they are repeated
  std::uint64_t journal_bytes = 0;
};

/// Shared with whoever wrote them, so that they are not copied, and are freed by the thread that made them.
using Rows = std::shared_ptr<const std::vector<Write>>;

/// Does one of them open a request or an attempt?
bool has_open(const std::vector<Write>& rows);

class Ledger {
 public:
  /// Replays the journal of the last process into the store, and interrupts what it left open; then takes writes.
  /// Errors: ledger_unavailable, in words for the operator.
  static Result<std::unique_ptr<Ledger>> start(std::unique_ptr<Store> store, TimePoint now, LedgerLimits limits = {},
                                               JournalFiles& files = system_files());
  /// Writes what is queued, feeds the store and removes the journal. What cannot be written stays open, and is interrupted at the
  /// next start; what cannot be fed stays in the journal for it.
  ~Ledger();

  /// Called once, when the writes are acknowledged or have failed: on the writer thread, or within write() if the queue is full. It
  /// must only hand over to its own thread, and must not throw.
  using Done = std::function<void(Result<void>)>;

  struct Entry {
    Rows rows;
    Done done;
    std::size_t size() const { return rows->size(); }
  };

  /// Queues the entries; the rows of one are acknowledged together: the end of a request once it is on the disk (Sync::disk), all
  /// else once the operating system has it, so that it outlives the process; it is on the disk with the next commit. A settlement
  /// that cannot be written is kept in memory and tried again (with backoff) until it can be, as is all that was acknowledged and
  /// then failed to reach the disk, so that no row is lost while the process lives; an open that cannot be written fails at once,
  /// and so do all opens until a commit succeeds again. Of writes that hold both, `done` gets the error of the open, and
  /// settlements of rows that were opened before are kept. Errors (to `done`): ledger_unavailable; internal (these can never be
  /// written, such as an amount above 9.2 million units).
  void write(std::span<Entry> entries);
  void write(std::vector<Write> rows, Done done) {
    Entry entry{std::make_shared<const std::vector<Write>>(std::move(rows)), std::move(done)};
    write({&entry, 1});
  }

  /// Are the rows acknowledged only once they are on the disk?
  bool wait_for_disk(const Rows& rows) const;
  /// The same as write() for rows that do not wait for the disk, by the caller's own thread. False: nothing was written, so use
  /// write(). After true, commit() is to be called within a few milliseconds, unless other rows come.
  bool write_at_once(std::span<const Rows> group);
  /// What was acknowledged goes to the disk.
  void commit();

  /// Waits until all that is known is on the disk or has failed, or `timeout` passes. False on a timeout.
  bool flush(std::chrono::milliseconds timeout);
  LedgerStats stats() const;
  /// Why the last of `failed_saves` failed, in the database's or the system's words; empty if there was none.
  std::string why_save_failed() const;
  const Recovered& found() const;

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fairlead
