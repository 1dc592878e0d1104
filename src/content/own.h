#pragma once
// Words and patterns of the operator's own. Immutable; any thread.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace fairlead::content {

inline constexpr std::size_t word_bytes_max = 200, pattern_bytes_max = 1'000;
/// Of RE2's program. A text may be made so that each of its bytes costs every step (some 5 ns). One class of all letters has 1,200.
inline constexpr int pattern_steps_max = 1'500;
/// Of all patterns that one text is looked through for.
inline constexpr int patterns_steps_max = 15'000;

struct OwnClass {
  std::string name;
  std::vector<std::string> words;     ///< whole words or phrases, in any case
  std::vector<std::string> patterns;  ///< RE2, as they are
};

/// What is wrong with it, as half a sentence; empty: nothing.
std::string fault_of_word(std::string_view word);
std::string fault_of_pattern(const std::string& pattern);
/// Of a pattern without a fault.
int steps_of_pattern(const std::string& pattern);

/// Finds the words and patterns of one class, all of them without a fault.
class OwnFinder {
 public:
  explicit OwnFinder(const OwnClass& own);
  ~OwnFinder();
  OwnFinder(OwnFinder&&) noexcept;
  /// In how many places, up to `most`. `text` as fold() leaves it.
  int count(std::string_view text, int most) const;

 private:
  std::unique_ptr<const re2::RE2> words_;  ///< with what stands beside them; null: none
  std::vector<std::unique_ptr<const re2::RE2>> patterns_;
};

}  // namespace fairlead::content
