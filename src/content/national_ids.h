#pragma once
// Numbers that states give to persons, each by the rule that its state publishes. A table; pure.
#include <span>
#include <string_view>
#include <vector>

namespace fairlead::content {

/// How a number is written, and when it is right. In a layout, `d` is a digit, `L` a letter, `W` either, a blank one of the usual
/// separators, `_` a blank or a dash, and `-` (or `+`) and `/` themselves. A layout that begins with `?` says too little alone: it
/// counts only in a text that names the number by one of `words` (a regular expression, in any case).
struct NationalId {
  std::string_view country;  ///< ISO 3166-1, in lower case
  std::vector<std::string_view> layouts;
  bool (*check)(std::string_view characters);  ///< without separators, in capitals
  std::string_view words;
};

std::span<const NationalId> national_ids();

}  // namespace fairlead::content
