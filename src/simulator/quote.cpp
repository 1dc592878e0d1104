#include "simulator/quote.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace fairlead::simulator {
namespace {
constexpr std::size_t token_bytes_max = 4;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

bool needs_care(char c) {
  return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e || c == '"' || c == '\\';
}
}  // namespace

std::string quote(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), needs_care))
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string plain;
  plain.reserve(text.size() + 2);
  plain += '"';
  plain += text;
  plain += '"';
  return plain;
}

std::string quote_or_null(std::string_view text) { return text.empty() ? "null" : quote(text); }

std::size_t token_end(std::string_view text, std::size_t begin) {
  std::size_t end = std::min(begin + token_bytes_max, text.size());
  while (end < text.size() && end > begin && continues(text[end])) --end;
  return end > begin ? end : std::min(begin + token_bytes_max, text.size());  // not UTF-8: anywhere
}

std::int64_t count_tokens(std::string_view text) {
  std::int64_t tokens = 0;
  for (std::size_t at = 0; at < text.size(); at = token_end(text, at)) ++tokens;
  return tokens;
}

std::string_view cut_at_character(std::string_view text, std::size_t bytes) {
  if (bytes >= text.size()) return text;
  while (bytes > 0 && continues(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

}  // namespace fairlead::simulator
