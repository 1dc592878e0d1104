#pragma once
// The writer of the journal: rows in groups, each group durable at once. Used by one thread.
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

/// What an acknowledged row is safe against. disk: against power loss (fdatasync). os: against the death of the process alone; the
/// operating system writes it to the disk when it likes.
enum class Sync : std::uint8_t { disk, os };

class Journal {
 public:
  /// Segments from this one on. A segment is created, of `segment_bytes` zeros, when there is something to write: rows later take
  /// no room on the disk that is not there already.
  Journal(JournalFiles& files, std::string prefix, std::uint64_t sequence, std::size_t segment_bytes, Sync sync);

  /// All of the rows, durable together. On an error none of them counts, whatever the disk may hold of them: they are voided there,
  /// and by the next segment. No rows: a probe, which succeeds if rows could be written now.
  /// Errors: ledger_unavailable (may succeed later), internal (one of the rows can never be written).
  Result<void> append(std::span<const std::span<const Write>> group);

  /// The segment that is written to, and where its last frame ends. 0: none yet.
  std::uint64_t sequence() const { return sequence_; }
  std::uint64_t end() const { return end_; }
  std::uint64_t segment_bytes() const { return room_; }
  /// Segments that could neither be used nor removed. Each is told once.
  std::vector<std::uint64_t> take_abandoned() { return std::exchange(abandoned_, {}); }

 private:
  Result<void> encode(std::span<const std::span<const Write>> group);
  Result<void> begin_segment(std::size_t total);
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
  std::uint64_t sequence_ = 0, end_ = 0, room_ = 0;
  std::vector<std::uint64_t> abandoned_;
  bool sound_ = false;  ///< the segment may be written to
};

}  // namespace fairlead
