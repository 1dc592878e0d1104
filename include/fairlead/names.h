#pragma once
// The values of an enumeration by their names, which its to_string() gives. Pure.
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead {

/// In the order of the enumeration, which has `count` values.
template <class Enum>
std::vector<std::string_view> all_names(int count) {
  std::vector<std::string_view> names;
  for (int i = 0; i < count; ++i) names.push_back(to_string(static_cast<Enum>(i)));
  return names;
}

/// Empty: no value has this name.
template <class Enum>
std::optional<Enum> parse_name(std::string_view name, int count) {
  for (int i = 0; i < count; ++i)
    if (const auto value = static_cast<Enum>(i); to_string(value) == name) return value;
  return std::nullopt;
}

}  // namespace fairlead
