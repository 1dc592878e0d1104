#include "wire/script.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace fairlead::wire {
namespace {

constexpr std::size_t escape_bytes = 6;  // \uXXXX

constexpr std::size_t index_of(Script script) { return static_cast<std::size_t>(script); }

/// What was counted so far, and what it ended with: whether a letter begins a word depends on what was before it.
struct Tally {
  enum class Kind : std::uint8_t { nothing, letter, mark };
  std::size_t bytes = 0;           ///< as they stand
  std::size_t high = 0, lead = 0;  ///< beyond ASCII, and of these such as begin a CJK character of three
  Kind before = Kind::nothing;
  std::array<std::size_t, script_count> ascii{};  ///< escapes too

  void add(Script script, std::size_t count = 1) { ascii[index_of(script)] += count; }
  std::array<std::size_t, script_count> of() const {
    std::array<std::size_t, script_count> all = ascii;
    const std::size_t cjk = std::min(high, lead * 3);
    all[index_of(Script::cjk)] += cjk;
    all[index_of(Script::other)] += high - cjk;
    return all;
  }
};

bool is_letter(unsigned char c) { return static_cast<unsigned char>((c | 0x20) - 'a') < 26; }
bool is_digit(unsigned char c) { return static_cast<unsigned char>(c - '0') < 10; }
bool leads_cjk(unsigned char c) { return static_cast<unsigned char>(c - 0xe3) < 11 || c == 0xef; }  // U+3000 on, without U+E000

bool is_escape(std::string_view text) {
  return text.size() >= escape_bytes && text[0] == '\\' && text[1] == 'u' &&
         std::all_of(text.begin() + 2, text.begin() + escape_bytes, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

void tally_escape(char first_digit, Tally& tally) {
  if (first_digit == '0' || first_digit == '1' || first_digit == '2' || first_digit == 'e' || first_digit == 'E')
    tally.add(Script::other, 2);
  else
    tally.add(Script::cjk, 3);
  tally.before = Tally::Kind::nothing;
}

void tally_ascii(unsigned char c, Tally& tally) {
  using Kind = Tally::Kind;
  if (is_letter(c)) {
    tally.add(tally.before == Kind::letter ? Script::letters : Script::words);
    tally.before = Kind::letter;
  } else if (is_digit(c) || c == ' ') {
    tally.add(c == ' ' ? Script::rest : Script::digits);
    tally.before = Kind::nothing;
  } else {
    tally.add(tally.before == Kind::mark ? Script::rest : Script::marks);
    tally.before = Kind::mark;
  }
}

void tally_bytes(std::string_view text, Tally& tally) {
  tally.bytes += text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\\' && is_escape(text.substr(i))) {
      tally_escape(text[i + 2], tally);
      i += escape_bytes - 1;
    } else if (c < 0x80) {
      tally_ascii(c, tally);
    } else {
      tally.before = Tally::Kind::nothing;
      tally.lead += leads_cjk(c) ? 1 : 0;
      ++tally.high;
    }
  }
}

/// 16 bytes at a time, in the vectors of GCC and clang: a comparison gives -1 in each lane where it holds.
using Lanes [[gnu::vector_size(16)]] = std::uint8_t;
using SignedLanes [[gnu::vector_size(16)]] = std::int8_t;

/// What runs of bytes without escapes hold, counted by lane.
class Counts {
 public:
  static constexpr std::size_t bytes_max = 255 * sizeof(Lanes);  ///< in all: a lane counts to 255

  /// Whole vectors, behind the byte `before`.
  void add(char before, std::string_view vectors) {
    Counts counts = *this;  // in registers
    Kinds last = kinds_of(Lanes{} + static_cast<std::uint8_t>(before));
    Lanes any_high{};
    for (std::size_t at = 0; at < vectors.size(); at += sizeof(Lanes)) {
      const Kinds kinds = kinds_of(load(vectors.data() + at));
      counts.letters_ -= kinds.letter;
      counts.words_ -= kinds.letter & ~one_on(last.letter, kinds.letter);
      counts.marks_ -= kinds.mark & ~one_on(last.mark, kinds.mark);
      counts.digits_ -= kinds.digit;
      counts.high_ -= kinds.high;
      any_high |= kinds.high;
      last = kinds;
    }
    *this = counts;
    if (any(any_high)) add_leads(vectors);
  }
  /// What is no whole vectors too.
  void add_all(char before, std::string_view text) {
    const std::size_t whole = text.size() / sizeof(Lanes) * sizeof(Lanes);
    if (whole != 0) add(before, text.substr(0, whole));
    if (whole == text.size()) return;
    std::array<char, sizeof(Lanes)> rest;
    rest.fill(' ');
    std::memcpy(rest.data(), text.data() + whole, text.size() - whole);
    add(whole == 0 ? before : text[whole - 1], {rest.data(), rest.size()});
  }
  /// `bytes`: how many they were.
  void add_to(Tally& tally, std::size_t bytes) const {
    const std::size_t letters = sum(letters_), words = sum(words_), marks = sum(marks_), digits = sum(digits_), high = sum(high_);
    tally.bytes += bytes;
    tally.high += high;
    tally.lead += high == 0 ? 0 : sum(lead_);
    tally.add(Script::letters, letters - words);
    tally.add(Script::words, words);
    tally.add(Script::marks, marks);
    tally.add(Script::digits, digits);
    tally.add(Script::rest, bytes - letters - marks - digits - high);
  }

 private:
  struct Kinds {
    Lanes letter, digit, high, mark;
  };
  static Kinds kinds_of(Lanes c) {
    const auto letter = reinterpret_cast<Lanes>((c | 0x20) - 'a' < 26), digit = reinterpret_cast<Lanes>(c - '0' < 10);
    const auto high = reinterpret_cast<Lanes>(reinterpret_cast<SignedLanes>(c) < 0), blank = reinterpret_cast<Lanes>(c == ' ');
    return {letter, digit, high, ~(letter | digit | high | blank)};
  }
  static Lanes load(const char* bytes) {
    Lanes c;
    std::memcpy(&c, bytes, sizeof c);
    return c;
  }
  /// `lanes`, each moved one on, behind the last of `before`.
  static Lanes one_on(Lanes before, Lanes lanes) {
#ifdef __SSE2__  // where GCC 12 makes a shuffle of single bytes
    const auto moved = _mm_slli_si128(reinterpret_cast<__m128i>(lanes), 1);
    return reinterpret_cast<Lanes>(_mm_or_si128(moved, _mm_srli_si128(reinterpret_cast<__m128i>(before), 15)));
#else
    return __builtin_shufflevector(before, lanes, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
#endif
  }
  void add_leads(std::string_view vectors) {
    for (std::size_t at = 0; at < vectors.size(); at += sizeof(Lanes)) {
      const Lanes c = load(vectors.data() + at);
      lead_ -= reinterpret_cast<Lanes>((c - 0xe3 < 11) | (c == 0xef));
    }
  }
  static std::array<std::uint64_t, 2> halves(const Lanes& lanes) {
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), &lanes, sizeof lanes);
    return words;
  }
  static bool any(const Lanes& lanes) { return (halves(lanes)[0] | halves(lanes)[1]) != 0; }
  static std::size_t sum(const Lanes& lanes) {
    std::uint64_t pairs = 0;  // sums of bytes in fields of 16 bits
    for (const std::uint64_t word : halves(lanes)) pairs += (word & 0x00ff00ff00ff00ff) + (word >> 8 & 0x00ff00ff00ff00ff);
    return static_cast<std::size_t>(pairs * 0x0001000100010001 >> 48);
  }
  Lanes letters_{}, words_{}, marks_{}, digits_{}, high_{}, lead_{};
};

static_assert(script_blocks_max * script_block_bytes <= Counts::bytes_max);

bool has_escapes(std::string_view text) { return text.find("\\u") != std::string_view::npos; }

/// Without the halves of escapes that a block begins and ends with.
std::string_view whole_escapes(std::string_view block) {
  const std::size_t first = block.find("\\u");
  if (first < escape_bytes && std::all_of(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(first),
                                          [](unsigned char c) { return std::isxdigit(c) != 0 || c == 'u'; }))
    block.remove_prefix(first);
  const std::size_t last = block.rfind('\\');
  return block.size() - last < escape_bytes ? block.substr(0, last) : block;
}

void tally_short(std::string_view text, bool unicode_escapes, Tally& tally) {
  if (unicode_escapes && has_escapes(text)) return tally_bytes(text, tally);
  Counts counts;
  counts.add_all(' ', text);
  counts.add_to(tally, text.size());
}

void tally_part(std::string_view part, std::size_t blocks, bool unicode_escapes, Tally& tally) {
  if (part.size() <= script_block_bytes * 2) return tally_short(part, unicode_escapes, tally);
  blocks = std::min(blocks, (part.size() - 1) / script_block_bytes);
  // From the middle of equal pieces, after a byte at least.
  const std::size_t step = (part.size() - 1) / blocks, first = 1 + (step - script_block_bytes) / 2;
  Counts counts;
  for (std::size_t i = 0; i < blocks; ++i)
    counts.add(part[first + i * step - 1], part.substr(first + i * step, script_block_bytes));
  bool escapes = false;
  for (std::size_t i = 0; unicode_escapes && i < blocks && !escapes; ++i)
    escapes = has_escapes(part.substr(first + i * step, script_block_bytes));
  if (!escapes) return counts.add_to(tally, blocks * script_block_bytes);
  for (std::size_t i = 0; i < blocks; ++i) tally_bytes(whole_escapes(part.substr(first + i * step, script_block_bytes)), tally);
}

}  // namespace

void ScriptCounter::add(std::string_view text) {
  while (!text.empty()) {
    if (held().empty() && text.size() >= held_bytes) {
      constexpr std::size_t most = Counts::bytes_max / held_bytes * held_bytes;
      const std::string_view whole = text.substr(0, std::min(text.size() / held_bytes * held_bytes, most));
      if (!has_escapes(whole) && whole.back() != '\\') {  // where it lies
        count(held_[0], whole, counted_);
        held_[0] = whole.back();
        text.remove_prefix(whole.size());
        continue;
      }
    }
    if (end_ == held_.size()) count_held();
    const std::size_t taken = std::min(text.size(), held_.size() - end_);
    std::memcpy(held_.data() + end_, text.data(), taken);
    end_ += taken;
    text.remove_prefix(taken);
  }
}

/// All that is held, but for an escape that is not whole yet.
void ScriptCounter::count_held() {
  const std::string_view all = held();
  const std::string_view end = all.substr(all.size() - (escape_bytes - 1));
  const std::size_t cut = end.rfind('\\'), kept = cut == std::string_view::npos ? 0 : end.size() - cut;
  const std::string_view whole = all.substr(0, all.size() - kept);
  count(held_[0], whole, counted_);
  const bool escape = whole.size() >= escape_bytes && is_escape(whole.substr(whole.size() - escape_bytes));
  held_[0] = escape ? ' ' : whole.back();
  std::memmove(held_.data() + 1, all.data() + whole.size(), kept);
  end_ = 1 + kept;
}

void ScriptCounter::count(char before, std::string_view text, Counted& into) {
  Tally tally;
  if (has_escapes(text)) {
    Tally first;
    tally_bytes({&before, 1}, first);
    tally.before = first.before;
    tally_bytes(text, tally);
  } else {
    Counts counts;
    counts.add_all(before, text);
    counts.add_to(tally, text.size());
  }
  for (std::size_t i = 0; i < tally.ascii.size(); ++i) into.ascii.of[i] += static_cast<std::int64_t>(tally.ascii[i]);
  into.high += tally.high;
  into.lead += tally.lead;
}

TextBytes ScriptCounter::total() const {
  Counted all = counted_;
  count(held_[0], held(), all);
  const std::size_t cjk = std::min(all.high, all.lead * 3);
  all.ascii.of[index_of(Script::cjk)] += static_cast<std::int64_t>(cjk);
  all.ascii.of[index_of(Script::other)] += static_cast<std::int64_t>(all.high - cjk);
  return all.ascii;
}

TextBytes sample_scripts(std::span<const std::string_view> parts, std::size_t bytes, bool unicode_escapes) {
  std::size_t all = 0;
  for (const std::string_view part : parts) all += part.size();
  std::array<double, script_count> found{};
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    Tally tally;
    tally_part(part, 1 + (script_blocks_max - 1) * part.size() / all, unicode_escapes, tally);
    const double scale = static_cast<double>(part.size()) / static_cast<double>(tally.bytes);  // each counts by its length
    const auto of = tally.of();
    for (std::size_t i = 0; i < found.size(); ++i) found[i] += static_cast<double>(of[i]) * scale;
  }
  TextBytes text;
  if (all == 0) return text;
  const double scale = static_cast<double>(bytes) / static_cast<double>(all);
  for (std::size_t i = 0; i < found.size(); ++i) text.of[i] = std::llround(found[i] * scale);
  return text;
}

}  // namespace fairlead::wire
