#include "wire/sse.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace fairlead::wire {
namespace {

constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;

constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - ones) & ~word & highs; }

/// The offset of the first \n or \r from `at` on; the size if there is none.
std::size_t end_of_line(std::string_view bytes, std::size_t at) {
#ifdef __SSE2__
  for (; bytes.size() - at >= 16; at += 16) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
    const __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\r')));
    if (const auto found = static_cast<unsigned>(_mm_movemask_epi8(ends)); found != 0)
      return at + static_cast<std::size_t>(std::countr_zero(found));
  }
#endif
  for (; bytes.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((zero_bytes(word ^ ones * '\n') | zero_bytes(word ^ ones * '\r')) != 0) break;
  }
  while (at < bytes.size() && bytes[at] != '\n' && bytes[at] != '\r') ++at;
  return at;
}

}  // namespace

void SseReader::feed(std::string_view bytes) {
  bytes_ = bytes;
  any_cr_ = any_cr_ || bytes.find('\r') != std::string_view::npos;
  completed_.clear();
}

/// The number of bytes up to and with the blank line; npos if it has not come. Remembers where it stands between calls.
std::size_t SseReader::end_of_event(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (after_cr_) {
      after_cr_ = false;
      if (bytes[at] == '\n') ++at;
      if (blank_before_cr_) return at;
    } else if (bytes[at] == '\n') {
      ++at;
      if (std::exchange(line_empty_, true)) return at;
      ++lines_;
    } else if (bytes[at] == '\r') {
      ++at;
      after_cr_ = saw_cr_ = true;
      blank_before_cr_ = std::exchange(line_empty_, true);
    } else {
      line_empty_ = false;
      at = any_cr_ ? end_of_line(bytes, at) : std::min(bytes.find('\n', at), bytes.size());
    }
  }
  return std::string_view::npos;
}

bool SseReader::next(SseEvent& event) {
  if (too_large_) return false;
  const std::size_t end = end_of_event(bytes_);
  const std::string_view part = bytes_.substr(0, end);
  bytes_.remove_prefix(part.size());
  too_large_ = tail_.size() + part.size() > event_bytes_max_;
  if (too_large_) return false;
  if (end != std::string_view::npos && tail_.empty()) return take(part, event);
  tail_ += part;
  if (end == std::string_view::npos && !(ended_ && !tail_.empty())) return false;
  std::swap(completed_, tail_);  // which keeps both buffers
  tail_.clear();
  return take(completed_, event);
}

bool SseReader::take(std::string_view raw, SseEvent& event) {
  if (std::exchange(first_, false) && raw.starts_with("\xEF\xBB\xBF")) raw.remove_prefix(3);
  event = SseEvent{};
  event.raw = raw;
  read_fields(raw, event);
  lines_ = 0;
  saw_cr_ = false;
  return true;
}

void SseReader::read_fields(std::string_view raw, SseEvent& event) {
  // Nearly every event is one line.
  if (lines_ == 1 && !saw_cr_ && raw.size() > 2 && raw.ends_with("\n\n")) return read_line(raw.substr(0, raw.size() - 2), event);
  while (!raw.empty()) {
    const std::size_t end = end_of_line(raw, 0);
    if (end != 0) read_line(raw.substr(0, end), event);
    raw.remove_prefix(end < raw.size() ? end + 1 : end);
  }
}

void SseReader::read_line(std::string_view line, SseEvent& event) {
  const std::size_t colon = line.starts_with("data:") ? 4 : line.find(':');  // as nearly every line does
  if (colon == 0) return void(event.has_comment = true);
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name != "data") {
    event.has_other = true;
    if (name == "event") event.event = value;
    if (name == "error") event.error = value;
    return;
  }
  event.one_line = !event.has_data;
  if (event.one_line) {
    event.data = value;
  } else {
    if (event.data.data() != joined_.data()) joined_ = event.data;
    joined_ += '\n';
    joined_ += value;
    event.data = joined_;
  }
  event.has_data = true;
}

}  // namespace fairlead::wire
