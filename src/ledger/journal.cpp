#include "ledger/journal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace fairlead {
namespace {

constexpr std::array<char, 64 << 10> zeros{};             // of one write
constexpr std::size_t small_segment_bytes_max = 1 << 20;  // a start waits for it, and where little comes no more is needed

bool write_header(const OpenFile& file, const SegmentHeader& header) {
  const std::string bytes = encode_header(header);
  return file.write(bytes.data(), bytes.size(), 0);
}

}  // namespace

Journal::Journal(JournalFiles& files, std::string prefix, std::uint64_t sequence, std::size_t segment_bytes, Sync sync)
    : files_(files), prefix_(std::move(prefix)), next_sequence_(sequence), segment_bytes_(segment_bytes), sync_(sync) {}

Result<void> Journal::write(std::span<const std::span<const Write>> group) {
  if (!sound_)
    if (auto begun = begin_segment(sequence_ == 0 ? std::min(segment_bytes_, small_segment_bytes_max) : segment_bytes_); !begun)
      return begun;
  if (group.empty()) return {};
  if (auto encoded = encode(group); !encoded) return encoded;
  // What a text's number means is each segment's own affair, so for another segment the rows are encoded once more.
  for (std::size_t bytes = segment_bytes_; end_ + frame_.size() > room_; bytes = segment_header_bytes + frame_.size()) {
    if (auto begun = begin_segment(bytes); !begun) return begun;
    if (auto encoded = encode(group); !encoded) return encoded;
  }
  return frame_.size() == frame_header_bytes ? Result<void>() : write_frame();
}

Result<void> Journal::renew() {
  const bool sound = sound_;
  auto begun = begin_segment(std::min(segment_bytes_, small_segment_bytes_max));
  sound_ = begun || (sound && !dropped_);
  return begun;
}

bool Journal::try_write(std::span<const std::span<const Write>> group) {
  if (!sound_ || !encode(group)) return false;
  if (end_ + frame_.size() > room_) return encoder_.forget_frame(), false;
  return write_frame().has_value();
}

Result<void> Journal::sync() {
  if (sync_ == Sync::os || file_.sync()) return {};
  return journal_error("write", path());
}

void Journal::drop_unsynced(std::uint64_t synced) {
  sound_ = false;
  if (synced != end_) dropped_ = owes_ = true;
  end_ = synced_ = synced;
}

Result<void> Journal::encode(std::span<const std::span<const Write>> group) {
  frame_.assign(frame_header_bytes, '\0');
  encoder_.begin_frame();
  for (const auto& writes : group)
    for (const Write& row : writes)
      if (auto added = encoder_.add(row, frame_); !added) {
        encoder_.forget_frame();
        return added;
      }
  if (frame_.size() <= frame_bytes_max) return {};
  encoder_.forget_frame();
  return Error(ErrorKind::internal, ErrorOrigin::fairlead, "a line cannot be written to the ledger", "it is too large");
}

/// The segment is done with, and on the disk.
Result<void> Journal::end_segment() {
  sound_ = false;
  if (sync_ == Sync::os || synced_ == end_) return {};
  if (file_.sync()) return synced_ = end_, Result<void>();
  const Error error = journal_error("write", path());
  drop_unsynced(synced_);
  return error;
}

/// A file of zeros, synced, with its header. In any case the segment before is done with.
Result<void> Journal::begin_segment(std::size_t total) {
  if (auto ended = end_segment(); !ended) return ended;
  const std::string path = segment_path(prefix_, next_sequence_);
  OpenFile file(files_, files_.create(path));
  if (!file) {
    const Error error = journal_error("create", path);
    if (errno == EEXIST) ++next_sequence_;  // somebody else's: its number is spent
    return error;
  }
  bool whole = true;
  for (std::size_t at = 0; whole && at < total; at += zeros.size())
    whole = file.write(zeros.data(), std::min(zeros.size(), total - at), at);
  SegmentHeader header{journal_version, next_sequence_, sequence_, end_};
  if (end_ == segment_header_bytes && header_.previous != 0)  // nothing there counts, nor what its own header says
    header.previous = header_.previous, header.previous_end = header_.previous_end;
  whole = whole && write_header(file, header);
  if (sync_ == Sync::disk) whole = whole && file.sync() && files_.sync_folder_of(path) == 0;
  if (!whole) {
    const Error error = journal_error("write", path);
    if (files_.remove(path) != 0) abandoned_.push_back(next_sequence_++);
    return error;
  }
  if (end_ == segment_header_bytes)
    abandoned_.push_back(sequence_);  // too small for the group that comes
  else if (sequence_ != 0)
    finished_.push_back(place());
  file_ = std::move(file);
  header_ = header;
  sequence_ = next_sequence_++;
  end_ = synced_ = segment_header_bytes;
  room_ = total;
  sound_ = true;
  encoder_.begin_segment();
  return {};
}

Result<void> Journal::write_frame() {
  const std::string_view payload = std::string_view(frame_).substr(frame_header_bytes);
  frame_.replace(0, frame_header_bytes, encode_frame_header(sequence_, payload));
  if (file_.write(frame_.data(), frame_.size(), end_)) {
    end_ += frame_.size();
    owes_ = false;
    if (sync_ == Sync::os) synced_ = end_;
    return {};
  }
  Error error = journal_error("write", path());
  void_frame();
  return error;
}

/// After an error nobody knows what the disk holds, so nothing more is written to this segment. The next one's header says where
/// this one ends; until that has a frame, the frame's own first bytes are zeros again.
void Journal::void_frame() {
  if (file_.write(zeros.data(), frame_header_bytes, end_) && file_.sync()) synced_ = end_;
  drop_unsynced(synced_);
}

}  // namespace fairlead
