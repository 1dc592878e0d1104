#include "wire/script.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace fairlead::wire {
namespace {

constexpr std::size_t escape_bytes = 6;  // \uXXXX

/// What a sample holds so far.
struct Tally {
  std::size_t letters = 0, marks = 0, cjk = 0, other = 0;
  std::size_t bytes = 0;  ///< as they stand
};

bool is_letter(unsigned char c) { return static_cast<unsigned char>((c | 0x20) - 'a') < 26 || c == ' '; }
bool leads_cjk(unsigned char c) { return static_cast<unsigned char>(c - 0xe3) < 11 || c == 0xef; }  // U+3000 on, without U+E000

bool is_escape(std::string_view text) {
  return text.size() >= escape_bytes && text[0] == '\\' && text[1] == 'u' &&
         std::all_of(text.begin() + 2, text.begin() + escape_bytes, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

void tally_escape(char first_digit, Tally& tally) {
  if (first_digit == '0' || first_digit == '1' || first_digit == '2' || first_digit == 'e' || first_digit == 'E')
    tally.other += 2;
  else
    tally.cjk += 3;
}

void tally_bytes(std::string_view text, Tally& tally) {
  tally.bytes += text.size();
  std::size_t lead = 0, high = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\\' && is_escape(text.substr(i))) {
      tally_escape(text[i + 2], tally);
      i += escape_bytes - 1;
      continue;
    }
    lead += leads_cjk(c) ? 1 : 0;
    high += c >= 0x80 ? 1 : 0;
    tally.letters += is_letter(c) ? 1 : 0;
    tally.marks += c < 0x80 && !is_letter(c) ? 1 : 0;
  }
  const std::size_t cjk = std::min(high, lead * 3);
  tally.cjk += cjk;
  tally.other += high - cjk;
}

/// 16 bytes at a time, in the vectors of GCC and clang: a comparison gives -1 in each lane where it holds.
using Lanes [[gnu::vector_size(16)]] = std::uint8_t;
static_assert(script_blocks_max * script_block_bytes / sizeof(Lanes) < 256);

/// What blocks hold, counted by lane.
class Counts {
 public:
  void add(const char* block) {
    for (std::size_t at = 0; at < script_block_bytes; at += sizeof(Lanes)) {
      Lanes c;
      std::memcpy(&c, block + at, sizeof c);
      letters_ -= reinterpret_cast<Lanes>(((c | 0x20) - 'a' < 26) | (c == ' '));
      high_ -= reinterpret_cast<Lanes>(c >= 0x80);
      lead_ -= reinterpret_cast<Lanes>((c - 0xe3 < 11) | (c == 0xef));
      backslashes_ -= reinterpret_cast<Lanes>(c == '\\');
    }
  }
  bool backslashes() const { return sum(backslashes_) != 0; }
  void add_to(Tally& tally, std::size_t bytes) const {
    const std::size_t letters = sum(letters_), high = sum(high_), cjk = std::min(high, sum(lead_) * 3);
    tally.bytes += bytes;
    tally.letters += letters;
    tally.marks += bytes - high - letters;
    tally.cjk += cjk;
    tally.other += high - cjk;
  }

 private:
  static std::size_t sum(const Lanes& lanes) {
    std::array<std::uint64_t, sizeof(Lanes) / sizeof(std::uint64_t)> words{};
    std::memcpy(words.data(), &lanes, sizeof lanes);
    std::uint64_t pairs = 0;  // sums of bytes in fields of 16 bits
    for (const std::uint64_t word : words) pairs += (word & 0x00ff00ff00ff00ff) + (word >> 8 & 0x00ff00ff00ff00ff);
    return static_cast<std::size_t>(pairs * 0x0001000100010001 >> 48);
  }
  Lanes letters_{}, high_{}, lead_{}, backslashes_{};
};

/// Without the halves of escapes that a block begins and ends with.
std::string_view whole_escapes(std::string_view block) {
  const std::size_t first = block.find("\\u");
  if (first < escape_bytes && std::all_of(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(first),
                                          [](unsigned char c) { return std::isxdigit(c) != 0 || c == 'u'; }))
    block.remove_prefix(first);
  const std::size_t last = block.rfind('\\');
  return block.size() - last < escape_bytes ? block.substr(0, last) : block;
}

void tally_part(std::string_view part, std::size_t blocks, bool unicode_escapes, Tally& tally) {
  if (part.size() <= script_block_bytes * 2) return tally_bytes(part, tally);
  blocks = std::min(blocks, part.size() / script_block_bytes);
  const std::size_t step = part.size() / blocks, first = (step - script_block_bytes) / 2;  // from the middle of equal pieces
  Counts counts;
  for (std::size_t i = 0; i < blocks; ++i) counts.add(part.data() + first + i * step);
  const auto escaped = [&](std::size_t i) {
    return part.substr(first + i * step, script_block_bytes).find("\\u") != std::string_view::npos;
  };
  bool escapes = false;
  for (std::size_t i = 0; unicode_escapes && i < blocks && counts.backslashes() && !escapes; ++i) escapes = escaped(i);
  if (!escapes) return counts.add_to(tally, blocks * script_block_bytes);
  for (std::size_t i = 0; i < blocks; ++i) tally_bytes(whole_escapes(part.substr(first + i * step, script_block_bytes)), tally);
}

}  // namespace

TextBytes sample_scripts(std::span<const std::string_view> parts, std::size_t bytes, bool unicode_escapes) {
  std::size_t all = 0;
  for (const std::string_view part : parts) all += part.size();
  std::array<double, script_count> found{};
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    Tally tally;
    tally_part(part, 1 + (script_blocks_max - 1) * part.size() / all, unicode_escapes, tally);
    const double scale = static_cast<double>(part.size()) / static_cast<double>(tally.bytes);  // each counts by its length
    const std::array<std::size_t, script_count> counts{tally.letters, tally.marks, tally.cjk, tally.other};
    for (std::size_t i = 0; i < found.size(); ++i) found[i] += static_cast<double>(counts[i]) * scale;
  }
  TextBytes text;
  if (all == 0) return text;
  const double scale = static_cast<double>(bytes) / static_cast<double>(all);
  for (std::size_t i = 0; i < found.size(); ++i) text.of[i] = std::llround(found[i] * scale);
  return text;
}

}  // namespace fairlead::wire
