#pragma once
// Fields of a head, and the lines that they stand in: the grammar that requests and answers share. Pure.
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::net {

struct Field {
  std::string_view name, value;
};

/// Cuts a field's line with its CRLF off the front; the value is without the spaces around it.
/// Empty: the name is no token right before a colon, or the line does not end where a control byte stands.
std::optional<Field> take_field(std::string_view& bytes);

/// Of the first of this name, in any case, or empty.
std::string_view value_of(const std::vector<Field>& fields, std::string_view name);

/// How much of a token `text` begins with.
std::size_t token_length(std::string_view text);
/// How much it begins with of what may stand in a field's value: no control bytes but a tab.
std::size_t field_value_length(std::string_view text);

inline bool is_token(std::string_view text) { return !text.empty() && token_length(text) == text.size(); }
inline bool is_field_value(std::string_view text) { return field_value_length(text) == text.size(); }

/// Without the spaces and tabs around it.
inline std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Cuts off what stands before `mark`, and the mark; everything if there is none.
std::string_view take_until(std::string_view& text, char mark);

/// Equal but for the case of ASCII letters.
inline bool equal_any_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a == b) return true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int difference = a[i] ^ b[i];
    if (difference == 0) continue;
    const int lower = a[i] | 0x20;
    if (difference != 0x20 || lower < 'a' || lower > 'z') return false;
  }
  return true;
}

}  // namespace fairlead::net
