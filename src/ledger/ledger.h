#pragma once
// The one writer of the books: a bounded queue, a writer thread, group commit. Shared by all workers; thread-safe.
#include <fairlead/result.h>
#include <fairlead/store.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace fairlead {

struct LedgerLimits {
  /// Above it an open fails at once, which refuses requests rather than growing without bound. Settlements are always taken: there
  /// are no more of them than rows that were opened, so the memory held is this queue and one settlement per attempt in flight.
  std::size_t queue_writes_max = 100'000;
  std::size_t commit_writes_max = 1'024;       ///< of one commit; a single call of write() may exceed it
  std::chrono::milliseconds retry_ms_min{10};  ///< the first wait after a failed commit; then doubled
  std::chrono::milliseconds retry_ms_max{1'000};
  std::chrono::milliseconds close_ms_max{5'000};  ///< for the destructor to go on trying
};

struct LedgerStats {
  std::uint64_t commits = 0, rows = 0, failed_commits = 0;
  std::uint64_t refused_rows = 0;  ///< the store can never take them (Store::commit's `internal`)
  std::size_t queued = 0;          ///< writes that are not durable yet, those kept for another try included
  bool writable = true;            ///< the last commit succeeded
};

class Ledger {
 public:
  explicit Ledger(std::unique_ptr<Store> store, LedgerLimits limits = {});
  ~Ledger();  ///< writes what is queued, then ends. What cannot be written stays open, and is interrupted at the next start

  /// Called once, when the writes are durable or have failed: on the writer thread, or within write() if the queue is full. It must
  /// only hand over to its own thread, and must not throw.
  using Done = std::function<void(Result<void>)>;

  /// Queues the writes, which become durable together. A settlement that cannot be written is kept in memory and tried again (with
  /// backoff) until it can be, so that no row is lost while the process lives; an open that cannot be written fails at once, and so
  /// do all opens until a commit succeeds again. Of writes that hold both, `done` gets the error of the open, and settlements of
  /// rows that were opened before are kept.
  /// Errors (to `done`): ledger_unavailable; internal (the store can never take these).
  void write(std::vector<Write> writes, Done done);

  /// Waits until all that is queued is durable or has failed, or `timeout` passes. False on a timeout.
  bool flush(std::chrono::milliseconds timeout);
  LedgerStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fairlead
