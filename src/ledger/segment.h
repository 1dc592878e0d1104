#pragma once
// The journal's files: <prefix>000001 and so on, each a header and then frames. A frame is the rows of one group commit, with its
// length and a checksum; behind the last one are zeros. The writer is journal.h.
#include <fairlead/result.h>

#include "ledger/files.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

inline constexpr std::uint32_t journal_version = 1;
inline constexpr std::uint64_t segment_header_bytes = 64;
inline constexpr std::uint64_t frame_header_bytes = 8;
inline constexpr std::size_t frame_bytes_max = 256u << 20;  ///< a length above it is no length

struct SegmentHeader {
  std::uint32_t version = journal_version;
  std::uint64_t sequence = 0;
  /// The segment that was written before, and where it ended: what was acknowledged there goes to this place at least. With this
  /// segment's first frame, what lies behind, and in segments between, does not count: it is here again, or was never acknowledged.
  /// 0: there is none.
  std::uint64_t previous = 0, previous_end = 0;
};

std::string segment_path(const std::string& prefix, std::uint64_t sequence);
std::string encode_header(const SegmentHeader& header);
/// Empty: these are no header's bytes. A header of another version gives only the version.
std::optional<SegmentHeader> decode_header(std::string_view bytes);
/// Of a frame with this payload in this segment.
std::string encode_frame_header(std::uint64_t sequence, std::string_view payload);

/// A segment as it is found at the start.
struct FoundSegment {
  std::uint64_t sequence = 0;
  std::string path;
  std::optional<SegmentHeader> header;  ///< empty: the process died before the first frame was acknowledged, or it is damaged
};

/// In order. Errors: ledger_unavailable, also for a segment of a newer version; nothing is changed.
Result<std::vector<FoundSegment>> find_segments(JournalFiles& files, const std::string& prefix);

/// found: by an earlier process, so each frame's checksum is looked at. own: written and acknowledged by this process.
enum class Trust : std::uint8_t { found, own };

/// Reads the frames of one segment, one after another.
class SegmentReader {
 public:
  static Result<SegmentReader> open(JournalFiles& files, const std::string& prefix, std::uint64_t sequence, Trust trust);

  /// The payload of the next frame that ends at or before `until`, good until the next call. Empty: there is none, or its bytes are
  /// no whole frame. Errors: ledger_unavailable (it cannot be read).
  Result<std::optional<std::string_view>> next(std::uint64_t until);
  /// Where the next frame begins.
  std::uint64_t position() const { return position_; }
  /// How many bytes from the next frame's place to the last one that is not zero.
  Result<std::uint64_t> bytes_behind();

 private:
  SegmentReader(OpenFile file, std::uint64_t sequence, Trust trust) : file_(std::move(file)), sequence_(sequence), trust_(trust) {}
  /// `count` bytes from the position, or fewer at the file's end. Nothing from `until` on is read: it may not be written yet.
  Result<std::string_view> peek(std::size_t count, std::uint64_t until);

  OpenFile file_;
  std::uint64_t sequence_ = 0;
  Trust trust_ = Trust::found;
  std::uint64_t position_ = segment_header_bytes;
  std::string buffer_;  ///< of the file from buffer_at_
  std::uint64_t buffer_at_ = 0;
};

/// With errno's words.
Error journal_error(const std::string& doing, const std::string& path);

}  // namespace fairlead
