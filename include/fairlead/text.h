#pragma once
// What scripts a text is written in, as far as that tells how many tokens it will be.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead {

/// Classes of bytes that are about as many tokens for each. letters: those of ASCII words after the first of each. marks: the first
/// of each run of ASCII marks. cjk: Chinese, Japanese and Korean characters, with their punctuation. other: all other characters
/// beyond ASCII. words: the first letter of each word. digits. rest: blanks, and the further marks of each run.
enum class Script : std::uint8_t { letters, marks, cjk, other, words, digits, rest };
inline constexpr int script_count = 7;
std::string_view to_string(Script script);

/// The bytes of a text by script, as UTF-8 has them (a character that is escaped in JSON counts as what it stands for).
struct TextBytes {
  std::array<std::int64_t, script_count> of{};
  bool empty() const { return of == std::array<std::int64_t, script_count>{}; }
  bool operator==(const TextBytes&) const = default;
};

}  // namespace fairlead
