#pragma once
// The journal as workers and the writer thread share it: what is in it and not on the disk yet, and what the feeder is told of.
// Thread-safe. Segments are begun, and synced, by the writer thread alone.
#include <fairlead/result.h>

#include "ledger/feeder.h"
#include "ledger/journal.h"
#include "ledger/ledger.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace fairlead {

class SharedJournal {
 public:
  using Clock = std::chrono::steady_clock;

  SharedJournal(Journal journal, const LedgerLimits& limits, Feeder& feeder);

  // The writer thread's, but for the first, which is called before there is one.

  /// Begins the first file, which takes a while, and tells the feeder.
  Result<void> begin();
  /// Hands the rows to the operating system as one group. `last`: nothing older waits behind them, so that workers may write.
  /// Errors: ledger_unavailable, internal.
  Result<void> write(std::span<const std::span<const Write>> group, bool last);
  /// When the segment will have lasted for so long that another is to follow. Empty: it has no rows, or there is none.
  std::optional<Clock::time_point> renew_at() const;
  void renew();
  /// Rows that were just written count from now on, though they are not on the disk.
  void acknowledged(std::vector<Rows> group);
  /// To the disk: all that was written, of which `rows` were not acknowledged yet. Workers may write meanwhile, and may fail to.
  Result<void> sync(std::size_t rows);
  /// What was acknowledged and then dropped by the journal: it is to be written before anything else.
  std::vector<Rows> reclaim();
  bool has_unsynced() const;

  // Any thread's.

  /// See Ledger::write_at_once.
  bool write_at_once(std::span<const Rows> group);
  std::uint64_t rows_at_once() const { return rows_at_once_.load(std::memory_order_relaxed); }  ///< waits for no disk

 private:
  void tell_synced(std::size_t entries);
  void follow(std::size_t rows);

  const LedgerLimits& limits_;
  Feeder& feeder_;
  mutable std::mutex mutex_;  // guards what follows
  Journal journal_;
  std::uint64_t sequence_ = 0;  ///< of the segment
  Clock::time_point since_;     ///< it is there
  bool at_once_ = false;        ///< nothing older waits to be written
  Clock::time_point at_once_from_;
  std::vector<Rows> unsynced_;                   ///< acknowledged, and not on the disk yet
  std::atomic<std::uint64_t> rows_at_once_ = 0;  ///< changed under the mutex alone
};

}  // namespace fairlead
