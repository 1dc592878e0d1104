#pragma once
// Follows the journal on a thread of its own, and feeds the store: so a store that is slow, locked or full stops no commit.
#include <fairlead/store.h>

#include "ledger/files.h"
#include "ledger/intake.h"
#include "ledger/segment.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace fairlead {

struct FeedLimits {
  std::size_t requests_max = 4'096;              ///< of one transaction
  std::chrono::milliseconds window_ms{250};      ///< under load, one transaction in this time
  int quick_max = 8;                             ///< in each window so many come at once: without load nobody waits
  std::size_t window_bytes_max = 512 << 10;      ///< of the journal: they end the window
  std::uint64_t patient_bytes_max = 96 << 20;    ///< of all segments: above it, saving gives way to nobody, or they would fill up
  std::chrono::milliseconds open_ms_max{1'000};  ///< after it, a request under way is saved as open
  std::chrono::milliseconds retry_ms_min{10};
  std::chrono::milliseconds retry_ms_max{1'000};
};

struct FeedStats {
  std::uint64_t unfed_rows = 0;    ///< acknowledged, and not in the store yet
  std::uint64_t refused_rows = 0;  ///< the store can never take them
  std::uint64_t failed_saves = 0;
  std::uint64_t journal_bytes = 0;  ///< of all segments
};

class Feeder {
 public:
  using Clock = std::chrono::steady_clock;

  Feeder(Store& store, JournalFiles& files, std::string prefix, FeedLimits limits);
  /// Ends the thread, if close() did not: what is not fed stays in the journal.
  ~Feeder();

  /// Begins, with what follow() told so far.
  void start();
  /// The journal as its writer has it now: `rows` more are acknowledged, up to `end`.
  void follow(std::uint64_t sequence, std::uint64_t segment_bytes, std::uint64_t end, std::uint64_t rows);
  /// Feeds all that there is, then ends the journal, whose files are removed; or gives up at `until`, and leaves them for the next
  /// start. No follow() after it.
  void close(Clock::time_point until);
  FeedStats stats() const;
  /// Of the last try that failed; empty if none ever did.
  std::string why_failed() const;

 private:
  struct Segment {
    std::uint64_t bytes = 0, end = segment_header_bytes;
  };

  void run();
  bool wait();
  std::optional<Clock::time_point> wake_time() const;
  std::uint64_t wake_bytes() const;
  void work();
  Result<void> step(Clock::time_point now);
  Result<void> read(Clock::time_point now);
  Result<bool> read_segment(Clock::time_point now);
  Result<void> feed(Clock::time_point now);
  Result<void> retire();
  Result<void> feed_everything();
  Result<void> remove_before(std::uint64_t sequence);

  Store& store_;
  JournalFiles& files_;
  const std::string prefix_;
  const FeedLimits limits_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<std::uint64_t, Segment> segments_;  ///< that there are, by sequence; the last one is written to
  std::uint64_t acknowledged_rows_ = 0, acknowledged_bytes_ = 0;
  bool woken_ = false;
  std::uint64_t wake_bytes_ = 1;  ///< acknowledged bytes that wake the thread
  FeedStats numbers_;
  std::string why_failed_;
  std::optional<Clock::time_point> close_by_;

  // The thread's own.
  Intake intake_;
  std::optional<SegmentReader> reader_;
  std::uint64_t reading_ = 0;     ///< the segment; 0: none yet
  std::int64_t number_ = 0;       ///< the store's next one when it was begun
  std::uint64_t read_bytes_ = 0;  ///< of all segments
  std::uint64_t fed_bytes_ = 0;   ///< of these, before the last transaction
  bool all_read_ = true;
  Clock::time_point window_end_;
  int quick_left_ = 0;
  Clock::time_point look_at_;  ///< when requests under way are looked through
  bool failing_ = false;       ///< the next try is at `retry_at_`
  Clock::time_point retry_at_;
  std::chrono::milliseconds backoff_;
  std::thread thread_;
};

}  // namespace fairlead
