#include "wire/json.h"

#include <bit>
#include <cstring>
#include <optional>

namespace fairlead::wire {
namespace {

constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;

constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - ones) & ~word & highs; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The four digits of \uXXXX at `at` (on the backslash); they are known to be right. Empty: no such escape there.
std::optional<std::uint32_t> unicode_escape(std::string_view raw, std::size_t at) {
  if (raw.size() < at + 6 || raw[at] != '\\' || raw[at + 1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) unit = unit << 4 | static_cast<std::uint32_t>(hex_value(raw[i]));
  return unit;
}

/// Appends what the \uXXXX at `at` says, its second half included. Returns the offset after it.
std::size_t append_unicode_escape(std::string& out, std::string_view raw, std::size_t at) {
  std::uint32_t point = *unicode_escape(raw, at);
  at += 6;
  if (point < 0xD800 || point > 0xDFFF) return append_utf8(out, point), at;
  const auto low = point < 0xDC00 ? unicode_escape(raw, at) : std::nullopt;
  if (!low || *low < 0xDC00 || *low > 0xDFFF) return append_utf8(out, 0xFFFD), at;
  append_utf8(out, 0x10000 + ((point - 0xD800) << 10) + (*low - 0xDC00));
  return at + 6;
}

constexpr std::size_t far_steps = 8;  // of 16 bytes: a string that is still plain there is a long one

char simple_escape(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
  }
}

}  // namespace

/// The offset of the first quote, backslash, control character or byte above ASCII from `at` on; the size if there is none.
std::size_t JsonReader::end_of_plain(std::string_view text, std::size_t at) {
#ifdef __SSE2__
  for (std::size_t steps = 1; text.size() - at >= 16; at += 16, ++steps) {
    if (const unsigned special = special_bits(text.data() + at); special != 0)
      return at + static_cast<std::size_t>(std::countr_zero(special));
    if (steps == far_steps) at += plain_blocks(text.substr(at + 16));
  }
#endif
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t control = (word - ones * 0x20) & ~word;
    const std::uint64_t special = ((control | word) & highs) | zero_bytes(word ^ ones * '"') | zero_bytes(word ^ ones * '\\');
    if (special == 0) continue;
    // The lowest mark is right; those above it may come of a borrow.
    if constexpr (std::endian::native == std::endian::little) return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
    break;
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
  }
  return at;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6), tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12), tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | point >> 18), tail(12), tail(6), tail(0);
  }
}

void cut_utf8(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
  text.resize(bytes_max);
}

std::size_t utf8_sequence(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (first == 0xED && byte(1) >= 0xA0) return 0;  // a surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;   // overlong
    if (first == 0xF4 && byte(1) >= 0x90) return 0;  // above U+10FFFF
    return 4;
  }
  return 0;
}

std::string JsonString::text() const {
  if (!escaped) return std::string(raw);
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    if (raw[at] != '\\') {
      out += raw[at++];
    } else if (raw[at + 1] == 'u') {
      at = append_unicode_escape(out, raw, at);
    } else {
      out += simple_escape(raw[at + 1]);
      at += 2;
    }
  }
  return out;
}

void JsonReader::fail(std::string_view reason) {
  if (failed()) return;
  reason_ = reason;
  truncated_ = at_ >= text_.size();
}

void JsonReader::skip_more_space() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
}

void JsonReader::no_value() { fail(at_ == text_.size() ? "the text ends where a value should be" : "no value begins like this"); }

bool JsonReader::missing(char wanted) {
  fail(wanted == ':'   ? "a colon is missing"
       : wanted == '"' ? "a string is missing"
       : wanted == ',' ? "a comma or a closing bracket is missing"
                       : "a bracket is missing");
  return false;
}

bool JsonReader::too_deep() { return fail("it is nested too deeply"), false; }

bool JsonReader::escape() {
  if (++at_ == text_.size()) return fail("a string does not end"), false;
  const char kind = text_[at_++];
  if (ends_short_escape(kind)) return true;
  if (kind != 'u') return fail("an escape is malformed"), false;
  saw_unicode_escape_ = true;
  for (int i = 0; i < 4; ++i, ++at_)
    if (at_ == text_.size() || hex_value(text_[at_]) < 0) return fail("an escape is malformed"), false;
  return true;
}

/// A run of characters above ASCII, as in most of the world's text.
bool JsonReader::beyond_ascii() {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text_[at_ + i]); };
  while (at_ < text_.size() && byte(0) >= 0x80) {
    const bool three = text_.size() - at_ >= 3 && byte(0) > 0xE0 && byte(0) < 0xF0 && byte(0) != 0xED && (byte(1) & 0xC0) == 0x80 &&
                       (byte(2) & 0xC0) == 0x80;
    const std::size_t length = three ? 3 : utf8_sequence(text_.substr(at_, 4));
    if (length == 0) return fail("a string is not UTF-8"), false;
    at_ += length;
  }
  return true;
}

/// Behind the opening quote; the first `plain` bytes are known to be.
JsonString JsonReader::string_in_full(std::size_t plain) {
  const std::size_t begin = at_;
  at_ += plain;
  bool escaped = false;
  while (true) {
    at_ = end_of_plain(text_, at_);
    if (at_ == text_.size()) return fail("a string does not end"), JsonString{};
    if (text_[at_] == '"') return {text_.substr(begin, at_++ - begin), escaped};
    if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail("a control character stands in a string"), JsonString{};
    if (text_[at_] != '\\') {
      if (!beyond_ascii()) return {};
      continue;
    }
    escaped = true;
    if (!escape()) return {};
    at_ += short_escape_blocks(text_.substr(at_));  // where there is one, there are often more
  }
}

bool JsonReader::digits() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  if (at_ == begin) fail("a number is malformed");
  return at_ != begin;
}

void JsonReader::number() {
  const auto next = [&] { return at_ < text_.size() ? text_[at_] : '\0'; };
  if (next() == '-') ++at_;
  if (next() == '0') {
    ++at_;
    if (is_digit(next())) return fail("a number is malformed");
  } else if (!digits()) {
    return;
  }
  if (next() == '.') {
    ++at_;
    if (!digits()) return;
  }
  if ((next() | 0x20) == 'e') {
    ++at_;
    if (next() == '+' || next() == '-') ++at_;
    digits();
  }
}

template <std::size_t size>
bool JsonReader::literal(const char (&word)[size]) {
  const std::string_view wanted(word, size - 1), rest = text_.substr(at_, size - 1);
  if (rest.size() == wanted.size() && std::memcmp(rest.data(), word, size - 1) == 0) return at_ += size - 1, true;
  if (wanted.starts_with(rest)) at_ = text_.size();
  fail("no value begins like this");
  return false;
}

bool JsonReader::boolean() {
  if (peek() != JsonKind::boolean) return fail("a boolean is missing"), false;
  if (text_[at_] == 'f') return literal("false"), false;
  return literal("true");
}

std::string_view JsonReader::skip() {
  const JsonKind kind = peek();
  const std::size_t begin = at_;
  switch (kind) {
    case JsonKind::object: object([&](JsonString) { skip(); }); break;
    case JsonKind::array: array([&] { skip(); }); break;
    case JsonKind::string: string(); break;
    case JsonKind::number: number(); break;
    case JsonKind::boolean: boolean(); break;
    case JsonKind::null: literal("null"); break;
    case JsonKind::none: break;
  }
  return failed() ? std::string_view{} : text_.substr(begin, at_ - begin);
}

bool JsonReader::finish() {
  if (failed()) return false;
  skip_space();
  if (at_ != text_.size()) fail("something follows the value");
  return !failed();
}

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const std::size_t plain = JsonReader::end_of_plain(text, 0);
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_sequence(text.substr(0, 4));
    if (byte == '"' || byte == '\\') {
      out += '\\', out += text.front();
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += "\\u00", out += hex[byte >> 4], out += hex[byte & 15];
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

}  // namespace fairlead::wire
