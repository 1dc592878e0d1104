#pragma once
// What scripts a text is written in, as far as that tells how many tokens it will be.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead {

/// letters: ASCII letters and blanks. marks: the rest of ASCII, of which code and JSON have much. cjk: Chinese, Japanese and Korean
/// characters, with their punctuation. other: all other characters beyond ASCII.
enum class Script : std::uint8_t { letters, marks, cjk, other };
inline constexpr int script_count = 4;
std::string_view to_string(Script script);

/// The bytes of a text by script, as UTF-8 has them (a character that is escaped in JSON counts as what it stands for).
struct TextBytes {
  std::array<std::int64_t, script_count> of{};
  bool empty() const { return of == std::array<std::int64_t, script_count>{}; }
  bool operator==(const TextBytes&) const = default;
};

}  // namespace fairlead
