#include "ledger/segment.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace fairlead {
namespace {

constexpr std::string_view magic = "fLdrJrnl";
constexpr std::size_t read_bytes = 256 << 10;
constexpr std::size_t sequence_digits = 6;

template <class Integer>
void put(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

template <class Integer>
Integer get(std::string_view bytes) {
  Integer value = 0;
  for (std::size_t i = sizeof value; i-- > 0;) value = static_cast<Integer>(value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::uint32_t checksum(std::string_view bytes, std::uint32_t before = 0) {
  return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

/// Over the sequence and the length too: a frame of another file, or at another place, is none.
std::uint32_t frame_checksum(std::uint64_t sequence, std::string_view payload) {
  std::string before;
  put(before, sequence);
  put(before, static_cast<std::uint32_t>(payload.size()));
  return checksum(payload, checksum(before));
}

}  // namespace

std::string segment_path(const std::string& prefix, std::uint64_t sequence) {
  std::string digits = std::to_string(sequence);
  if (digits.size() < sequence_digits) digits.insert(0, sequence_digits - digits.size(), '0');
  return prefix + digits;
}

std::string encode_header(const SegmentHeader& header) {
  std::string bytes(magic);
  put(bytes, header.version);
  put(bytes, std::uint32_t{0});
  put(bytes, header.sequence);
  put(bytes, header.previous);
  put(bytes, header.previous_end);
  put(bytes, checksum(bytes));
  bytes.resize(segment_header_bytes);
  return bytes;
}

std::optional<SegmentHeader> decode_header(std::string_view bytes) {
  if (bytes.size() < segment_header_bytes || bytes.substr(0, magic.size()) != magic) return std::nullopt;
  SegmentHeader header;
  header.version = get<std::uint32_t>(bytes.substr(8));
  if (header.version > journal_version) return header;
  header.sequence = get<std::uint64_t>(bytes.substr(16));
  header.previous = get<std::uint64_t>(bytes.substr(24));
  header.previous_end = get<std::uint64_t>(bytes.substr(32));
  if (get<std::uint32_t>(bytes.substr(40)) != checksum(bytes.substr(0, 40))) return std::nullopt;
  return header;
}

std::string encode_frame_header(std::uint64_t sequence, std::string_view payload) {
  std::string bytes;
  put(bytes, static_cast<std::uint32_t>(payload.size()));
  put(bytes, frame_checksum(sequence, payload));
  return bytes;
}

Error journal_error(const std::string& doing, const std::string& path) {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is not available",
          "cannot " + doing + " the journal " + path + ": " + std::generic_category().message(errno)};
}

Result<std::vector<FoundSegment>> find_segments(JournalFiles& files, const std::string& prefix) {
  std::vector<std::string> rests;
  if (files.list(prefix, rests) != 0) return journal_error("look for", prefix);
  std::vector<FoundSegment> found;
  for (const std::string& rest : rests) {
    FoundSegment segment;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), segment.sequence);
    if (error != std::errc() || end != rest.data() + rest.size()) continue;  // put aside by us, or not ours
    segment.path = prefix + rest;
    const OpenFile file(files, files.open(segment.path));
    std::array<char, segment_header_bytes> bytes{};
    const std::int64_t got = file ? file.read(bytes.data(), bytes.size(), 0) : -1;
    if (got < 0) return journal_error("read", segment.path);
    segment.header = decode_header({bytes.data(), static_cast<std::size_t>(got)});
    if (segment.header && segment.header->version > journal_version)
      return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead,
                   "the journal " + segment.path + " has version " + std::to_string(segment.header->version) +
                       ", and this program knows " + std::to_string(journal_version) +
                       ": it was written by a newer fairlead. Nothing was changed");
    if (segment.header && segment.header->sequence != segment.sequence) segment.header.reset();
    found.push_back(std::move(segment));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  return found;
}

Result<SegmentReader> SegmentReader::open(JournalFiles& files, const std::string& prefix, std::uint64_t sequence, Trust trust) {
  const std::string path = segment_path(prefix, sequence);
  OpenFile file(files, files.open(path));
  if (!file) return journal_error("open", path);
  return SegmentReader(std::move(file), sequence, trust);
}

Result<std::string_view> SegmentReader::peek(std::size_t count, std::uint64_t until) {
  count = std::min<std::uint64_t>(count, until - std::min(until, position_));
  if (position_ < buffer_at_ || position_ + count > buffer_at_ + buffer_.size()) {
    buffer_.resize(std::min<std::uint64_t>(std::max(count, read_bytes), until - position_));
    const std::int64_t got = file_.read(buffer_.data(), buffer_.size(), position_);
    buffer_at_ = position_;
    buffer_.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
    if (got < 0) return journal_error("read", "segment " + std::to_string(sequence_));
  }
  return std::string_view(buffer_).substr(position_ - buffer_at_, count);
}

Result<std::optional<std::string_view>> SegmentReader::next(std::uint64_t until) {
  using None = std::optional<std::string_view>;
  const auto head = peek(frame_header_bytes, until);
  if (!head) return head.error();
  if (head->size() < frame_header_bytes) return None();
  const auto length = get<std::uint32_t>(*head);
  const auto sum = get<std::uint32_t>(head->substr(4));
  if (length == 0 || length > frame_bytes_max) return None();
  const auto frame = peek(frame_header_bytes + length, until);
  if (!frame) return frame.error();
  if (frame->size() < frame_header_bytes + length) return None();
  const std::string_view payload = frame->substr(frame_header_bytes);
  if (trust_ == Trust::found && frame_checksum(sequence_, payload) != sum) return None();
  position_ += frame_header_bytes + length;
  return None(payload);
}

Result<std::uint64_t> SegmentReader::bytes_behind() {
  std::string bytes(read_bytes, '\0');
  std::uint64_t behind = 0;
  for (std::uint64_t at = position_;; at += bytes.size()) {
    const std::int64_t got = file_.read(bytes.data(), bytes.size(), at);
    if (got < 0) return journal_error("read", "segment " + std::to_string(sequence_));
    if (got == 0) return behind;
    const std::size_t last = std::string_view(bytes.data(), static_cast<std::size_t>(got)).find_last_not_of('\0');
    if (last != std::string_view::npos) behind = at + last + 1 - position_;
  }
}

}  // namespace fairlead
