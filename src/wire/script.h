#pragma once
// What scripts the text of a JSON document is written in, told from a sample of it: a pass over megabytes would cost more than the
// guess is worth. Pure.
#include <fairlead/text.h>

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

}  // namespace fairlead::wire
