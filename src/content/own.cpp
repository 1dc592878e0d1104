#include "content/own.h"

#include "content/text.h"

#include <re2/re2.h>
#include <algorithm>
#include <map>
#include <utility>

namespace fairlead::content {
namespace {

// What stands beside a whole word: `_` too, which joins words in the names of programs. Scripts without blanks between words know
// no such thing.
constexpr std::string_view before = R"((?:^|[^\pL\pM\pN]))", after = R"((?:$|[^\pL\pM\pN]))";
constexpr std::string_view unspaced = R"([\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])";
constexpr std::int64_t pattern_memory_max = 8 << 20, words_memory_max = 64 << 20;

re2::RE2::Options options(std::int64_t memory) {
  re2::RE2::Options made;
  made.set_log_errors(false);
  made.set_max_mem(memory);
  return made;
}

std::string in_folded_form(std::string_view word) {
  std::string folded;
  return fold(word, folded) ? folded : std::string(word);
}

/// The word as a pattern: its blanks stand for any blanks.
std::string spelled(const std::string& word) {
  std::string pattern;
  bool blank = false;
  for (const char c : word) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (is_blank && !blank) pattern += R"(\s+)";
    if (!is_blank) pattern += c;
    blank = is_blank;
  }
  return pattern;
}

/// The word as a pattern, without what stands beside it.
std::string as_pattern(std::string_view word) {
  std::string quoted;  // blanks stay as they are, for spelled()
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t end = std::min(word.find_first_of(" \t\r\n", at), word.size());
    quoted += re2::RE2::QuoteMeta(re2::StringPiece(word.data() + at, end - at));
    if (end < word.size()) quoted += ' ';
    at = end + 1;
  }
  return spelled(quoted);
}

/// All words as one pattern, with what stands beside them once for all that want the same.
std::string as_pattern(const std::vector<std::string>& words) {
  const re2::RE2 starts_free("^" + std::string(unspaced)), ends_free(std::string(unspaced) + "$");
  std::map<std::pair<bool, bool>, std::string> groups;
  for (const std::string& raw : words) {
    const std::string word = in_folded_form(raw);
    std::string& group = groups[{re2::RE2::PartialMatch(word, starts_free), re2::RE2::PartialMatch(word, ends_free)}];
    group += (group.empty() ? "" : "|") + as_pattern(std::string_view(word));
  }
  std::string pattern;
  for (const auto& [free, group] : groups)
    pattern += (pattern.empty() ? "" : "|") + std::string(free.first ? "" : before) + "(?:" + group + ")" +
               std::string(free.second ? "" : after);
  return "(?i:" + pattern + ")";
}

}  // namespace

std::string fault_of_word(std::string_view word) {
  if (word.size() > word_bytes_max) return "it is longer than " + std::to_string(word_bytes_max) + " bytes";
  // Once for all words: its classes of Unicode take milliseconds to compile.
  static const re2::RE2 text(R"(^[\pL\pM\pN\pS_].*[\pL\pM\pN\pS_]$|^[\pL\pN]$)", options(pattern_memory_max));
  if (!re2::RE2::FullMatch(re2::StringPiece(word.data(), word.size()), text))
    return "a word begins and ends with a letter or a digit";
  return {};
}

std::string fault_of_pattern(const std::string& pattern) {
  if (pattern.size() > pattern_bytes_max) return "it is longer than " + std::to_string(pattern_bytes_max) + " bytes";
  const re2::RE2 compiled(pattern, options(pattern_memory_max));
  if (!compiled.ok()) return compiled.error();
  if (const int steps = compiled.ProgramSize(); steps > pattern_steps_max)
    return "a long text could make it slow: it has " + std::to_string(steps) + " steps, and " + std::to_string(pattern_steps_max) +
           " are the most; repeat less, or repeat narrower classes";
  if (re2::RE2::PartialMatch("", compiled)) return "it matches the empty text, so every text";
  return {};
}

int steps_of_pattern(const std::string& pattern) { return re2::RE2(pattern, options(pattern_memory_max)).ProgramSize(); }

OwnFinder::OwnFinder(const OwnClass& own) {
  if (!own.words.empty()) words_ = std::make_unique<const re2::RE2>(as_pattern(own.words), options(words_memory_max));
  for (const std::string& pattern : own.patterns)
    patterns_.push_back(std::make_unique<const re2::RE2>(pattern, options(pattern_memory_max)));
}

OwnFinder::~OwnFinder() = default;
OwnFinder::OwnFinder(OwnFinder&&) noexcept = default;

namespace {

/// A match from `at` on. RE2 may read all that it is given before it knows where one ends, so it is given little, and four
/// times as much while there is none in it, or one that may go on: so all together take a few times the text's size, not each that
/// of the rest.
bool match_from(const re2::RE2& pattern, std::string_view text, std::size_t at, re2::StringPiece& place) {
  constexpr std::size_t first_bytes = 64;
  for (std::size_t bytes = first_bytes;; bytes *= 4) {
    const std::size_t end = at + std::min(bytes, text.size() - at);
    const bool found = pattern.Match(text, at, end, re2::RE2::UNANCHORED, &place, 1);
    if (end == text.size() || (found && place.data() + place.size() < text.data() + end)) return found;
  }
}

}  // namespace

int OwnFinder::count(std::string_view text, int most) const {
  int found = 0;
  re2::StringPiece place;
  const auto next = [&](const re2::RE2& pattern, std::size_t& at) {
    if (found >= most || at > text.size() || !match_from(pattern, text, at, place)) return false;
    ++found;
    at = static_cast<std::size_t>(place.data() - text.data()) + std::max<std::size_t>(place.size(), 1);
    return true;
  };
  for (std::size_t at = 0; words_ && next(*words_, at);) {
    // What ends one word begins the next.
    std::size_t shared = at - 1;
    while (shared > 0 && (static_cast<unsigned char>(text[shared]) & 0xC0) == 0x80) --shared;
    if (text.data() + shared > place.data()) at = shared;
  }
  for (const auto& pattern : patterns_)
    for (std::size_t at = 0; next(*pattern, at);) {
    }
  return found;
}

}  // namespace fairlead::content
