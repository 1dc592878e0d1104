#pragma once
// What scripts the text of a JSON document is written in, told from a sample of it: a pass over megabytes would cost more than the
// guess is worth. Pure.
#include <fairlead/text.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace fairlead::wire {

inline constexpr std::size_t script_block_bytes = 64;
inline constexpr std::size_t script_blocks_max = 8;  ///< of one sample, spread evenly over the parts

/// Estimates the bytes by script of `bytes` bytes that look like `parts`. The parts are JSON: what is written as \uXXXX counts as
/// the character that it is.
/// `unicode_escapes`: there may be some of these.
TextBytes sample_scripts(std::span<const std::string_view> parts, std::size_t bytes, bool unicode_escapes = true);

/// Counts the bytes by script of a text that comes in pieces, all of them. Escapes count as above, and must not be split between
/// pieces; however else it is cut, the result is the same. About three instructions for a byte.
class ScriptCounter {
 public:
  void add(std::string_view text);
  TextBytes total() const;

 private:
  static constexpr std::size_t held_bytes = 2 * script_block_bytes;

  struct Counted {
    TextBytes ascii;                 ///< escapes too
    std::size_t high = 0, lead = 0;  ///< bytes beyond ASCII, and of these such as begin a CJK character of three
  };

  void count_held();
  static void count(char before, std::string_view text, Counted& into);
  std::string_view held() const { return {held_.data() + 1, end_ - 1}; }

  std::size_t end_ = 1;
  /// The last byte that was counted (a blank for an escape), then what is not counted yet.
  std::array<char, 1 + held_bytes> held_{' '};
  Counted counted_;
};

}  // namespace fairlead::wire
