#pragma once
// The writer of the journal: rows in groups, each group whole or not at all. Used by one thread at a time; sync() may run beside
// the others.
#include <fairlead/result.h>
#include <fairlead/row.h>

#include "ledger/codec.h"
#include "ledger/files.h"
#include "ledger/segment.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fairlead {

/// What a request's end is safe against before anybody sees it. disk: against power loss (fdatasync). os: against the death of the
/// process alone, as all rows are at once; the operating system writes it to the disk when it likes.
enum class Sync : std::uint8_t { disk, os };

class Journal {
 public:
  /// Segments from this one on. A segment is created, of `segment_bytes` zeros (some of fewer), when there is something to
  /// write: rows later take no room on the disk that is not there already.
  Journal(JournalFiles& files, std::string prefix, std::uint64_t sequence, std::size_t segment_bytes, Sync sync);

  /// Hands all of the rows to the operating system, as one frame. On an error none of them counts, whatever the disk may hold of
  /// them: they are voided there, and by the next segment. The first frame after a drop has all rows that were dropped. No rows: a
  /// probe, which succeeds if rows could be written now. Errors: ledger_unavailable (may succeed later), internal (one of the rows
  /// can never be written).
  Result<void> write(std::span<const std::span<const Write>> group);
  /// Begins a segment, so that the one before is done with. On an error that one is written on, if it was sound.
  Result<void> renew();
  /// The same as write(), where that is a single small write: false, and nothing was written, where it takes more than that.
  bool try_write(std::span<const std::span<const Write>> group);

  /// What was written up to now is on the disk then, which synced(end() of now) says once the call has succeeded.
  Result<void> sync();
  void synced(std::uint64_t until) { synced_ = until; }
  /// After an error of sync(): what is not on the disk does not count, and is to be written again. So it is after a write that
  /// failed, and take_dropped() says so, once. `synced` is synced_end() as it was before that call: of two syncs at a time the
  /// system tells one alone of an error, so what the other (of a write that failed) believes since does not count either.
  void drop_unsynced(std::uint64_t synced);
  bool has_dropped() const { return dropped_; }
  /// Rows that were dropped are not written again yet: until they are, the files that have them must stay.
  bool owes() const { return owes_; }
  bool take_dropped() { return std::exchange(dropped_, false); }
  std::uint64_t synced_end() const { return synced_; }
  bool is_all_synced() const { return synced_ == end_; }

  struct Place {
    std::uint64_t sequence = 0, segment_bytes = 0, end = 0;
  };
  /// The segment that is written to, and where its last frame ends. 0: none yet.
  Place place() const { return {sequence_, room_, end_}; }
  /// Segments that are done with. Each is told once.
  std::vector<Place> take_finished() { return std::exchange(finished_, {}); }
  /// Segments that could neither be used nor removed. Each is told once.
  std::vector<std::uint64_t> take_abandoned() { return std::exchange(abandoned_, {}); }

 private:
  Result<void> encode(std::span<const std::span<const Write>> group);
  Result<void> begin_segment(std::size_t total);
  Result<void> end_segment();
  Result<void> write_frame();
  void void_frame();
  std::string path() const { return segment_path(prefix_, sequence_); }

  JournalFiles& files_;
  std::string prefix_;
  std::uint64_t next_sequence_;
  std::size_t segment_bytes_;
  Sync sync_;
  RowEncoder encoder_;
  std::string frame_;  ///< its header and its rows

  OpenFile file_;
  SegmentHeader header_;
  std::uint64_t sequence_ = 0, end_ = 0, room_ = 0;
  std::uint64_t synced_ = 0;  ///< of end_; with Sync::os always all
  std::vector<Place> finished_;
  std::vector<std::uint64_t> abandoned_;
  bool sound_ = false;    ///< the segment may be written to
  bool dropped_ = false;  ///< rows that were written do not count any more
  bool owes_ = false;
};

}  // namespace fairlead
