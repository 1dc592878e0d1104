// The last gate before a provider's words reach an app or the log.
#include "dialect/openai/provider_error.h"
#include "wire/json.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace fairlead::openai {
namespace {

constexpr std::size_t text_bytes_max = 2'000;
constexpr std::size_t read_bytes_max = 65'536;  ///< what lies behind it is not even looked at
constexpr std::size_t secret_bytes_min = 8;     ///< shorter keys ("ollama", "EMPTY") are placeholders of local servers
constexpr std::string_view mask = "[masked]";

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_token_char(char c) { return is_alphanumeric(c) || std::string_view("-_.~+/=*%").find(c) != std::string_view::npos; }

void replace_all(std::string& text, std::string_view what) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += mask.size()) text.replace(at, what.size(), mask);
}

/// Whether `text` begins with the digits of this byte's number, in hexadecimal.
bool is_hex_of(std::string_view text, std::size_t digits, char byte) {
  if (text.size() < digits) return false;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, 16);
  return error == std::errc{} && end == text.data() + digits && value == static_cast<unsigned char>(byte);
}

/// How many bytes at the front of `text` spell this one: itself, or escaped as in URLs or in JSON within JSON. 0: they do not.
std::size_t spelled(std::string_view text, char byte) {
  constexpr std::size_t backslashes_max = 8;
  if (text.empty()) return 0;
  if (text.front() == '%' && is_hex_of(text.substr(1), 2, byte)) return 3;
  const std::size_t escape = std::min(text.substr(0, backslashes_max + 1).find_first_not_of('\\'), text.size());
  const std::string_view escaped = text.substr(escape);
  if (escape > 0 && escaped.starts_with('u') && is_hex_of(escaped.substr(1), 4, byte)) return escape + 5;
  if (text.front() == byte) return 1;
  return escape > 0 && escaped.starts_with(byte) ? escape + 1 : 0;
}

void mask_spelled(std::string& text, std::string_view key) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::size_t end = at;
    const bool whole = std::all_of(key.begin(), key.end(), [&](char byte) {
      const std::size_t bytes = spelled(std::string_view(text).substr(end), byte);
      end += bytes;
      return bytes != 0;
    });
    if (!whole) continue;
    text.replace(at, end - at, mask);
    at += mask.size() - 1;
  }
}

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64_url_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters of base64 that depend on `text` alone when it begins `shift` bytes into a group of three.
std::string base64_core(std::string_view text, std::size_t shift, std::string_view digits) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  if (shift != 0) text.remove_prefix(std::min(text.size(), 3 - shift));
  for (const char c : text) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (have += 8; have >= 6; have -= 6) out += digits[bits >> (have - 6) & 63];
  }
  return out;
}

void mask_key(std::string& text, std::string_view key) {
  if (key.size() < secret_bytes_min) return;
  replace_all(text, key);
  mask_spelled(text, key);
  for (const std::string_view digits : {base64_digits, base64_url_digits})
    for (std::size_t shift = 0; shift < 3; ++shift) replace_all(text, base64_core(key, shift, digits));
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() && std::equal(text.begin(), text.end(), lower_case.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

/// Masks the tokens that follow `prefix` ("sk-", "bearer "), which begins a word.
void mask_tokens(std::string& text, std::string_view prefix) {
  for (std::size_t at = 0; at + prefix.size() < text.size(); ++at) {
    if (at != 0 && is_alphanumeric(text[at - 1])) continue;
    if (!equals_ignoring_case(std::string_view(text).substr(at, prefix.size()), prefix)) continue;
    std::size_t begin = at + prefix.size();
    if (prefix.back() != ' ') begin = at;
    std::size_t end = at + prefix.size();
    while (end < text.size() && is_token_char(text[end])) ++end;
    const std::string_view token = std::string_view(text).substr(begin, end - begin);
    const bool word = begin != at && token.size() < 20 && token.find_first_of("0123456789") == std::string_view::npos;
    if (word || token.size() < secret_bytes_min) continue;  // "Bearer authentication" is no secret
    text.replace(begin, end - begin, mask);
    at = begin + mask.size() - 1;
  }
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = wire::utf8_sequence(text.substr(0, 4));
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else if (byte < 0x20 || byte == 0x7F)
      out += ' ';
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace

std::string safe_text(std::string_view text, std::string_view api_key) {
  std::string out = printable(text.substr(0, read_bytes_max));
  mask_key(out, api_key);
  for (const std::string_view prefix : {"sk-", "bearer ", "basic "}) mask_tokens(out, prefix);
  wire::cut_utf8(out, text_bytes_max);
  return out;
}

}  // namespace fairlead::openai
