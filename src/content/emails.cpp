#include "content/emails.h"

#include "content/check_digits.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace fairlead::content {
namespace {

constexpr std::size_t local_bytes_max = 64, label_bytes_max = 63;

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_local(char c) { return is_alphanumeric(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos; }
bool is_label(char c) { return is_alphanumeric(c) || is_beyond_ascii(c) || c == '-'; }

/// "icon@2x.png" is a file.
bool is_file_ending(std::string_view label) {
  constexpr std::array<std::string_view, 10> endings = {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html"};
  return std::find(endings.begin(), endings.end(), label) != endings.end();
}

bool has_local_part(std::string_view before) {
  if (before.empty() || is_beyond_ascii(before.back())) return !before.empty();
  std::size_t bytes = 0;
  while (bytes < before.size() && bytes <= local_bytes_max && is_local(before[before.size() - 1 - bytes])) ++bytes;
  const std::string_view local = before.substr(before.size() - bytes);
  return bytes > 0 && bytes <= local_bytes_max && local.back() != '.' && std::any_of(local.begin(), local.end(), is_alphanumeric);
}

/// Of the last label: letters, two at least, and no ending of a file's name. Text without blanks may follow letters of ASCII.
bool is_top_level(std::string_view label) {
  if (is_beyond_ascii(label.front()) || label.starts_with("xn--")) return true;
  const auto* const end = std::find_if_not(label.begin(), label.end(), is_letter);
  const std::string_view letters = label.substr(0, static_cast<std::size_t>(end - label.begin()));
  return letters.size() >= 2 && !is_file_ending(letters) && (letters.size() == label.size() || is_beyond_ascii(*end));
}

bool has_domain(std::string_view after) {
  std::size_t labels = 0;
  std::string_view label;
  while (!after.empty() && is_label(after.front()) && after.front() != '-') {
    std::size_t bytes = 0;
    while (bytes < after.size() && bytes < label_bytes_max && is_label(after[bytes])) ++bytes;
    label = after.substr(0, bytes);
    ++labels;
    after.remove_prefix(bytes);
    if (after.empty() || after.front() != '.') break;
    after.remove_prefix(1);  // a sentence may end in it
  }
  return labels >= 2 && is_top_level(label);
}

}  // namespace

void find_emails(std::string_view text, Tally& tally) {
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1))
    if (has_local_part(text.substr(0, at)) && has_domain(text.substr(at + 1))) tally.add(email);
}

}  // namespace fairlead::content
