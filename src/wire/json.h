#pragma once
// A strict pull reader of JSON (RFC 8259) for bytes of strangers: no tree, no allocation, each byte is looked at once.
// Used by the dialects. One reader per text; not shared between threads.
#include "wire/json_blocks.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::wire {

/// Deeper texts are refused. Tool schemas are the deepest things that apps send; they stay far below.
inline constexpr int json_depth_max = 128;

enum class JsonKind : std::uint8_t { none, object, array, string, number, boolean, null };

/// A string as it stands in its text, between the quotes.
struct JsonString {
  std::string_view raw;
  bool escaped = false;  ///< holds a backslash
  bool is(std::string_view wanted) const { return escaped ? text() == wanted : raw == wanted; }
  /// Unescaped; a lone surrogate becomes U+FFFD.
  std::string text() const;
};

/// Reads one JSON text front to back. The caller says what it expects and is told what stood there; the first failure sticks,
/// and everything after it does nothing. What was read is proven: UTF-8, numbers, escapes, nesting up to json_depth_max.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  /// The kind of the value that comes next; none after a failure. The reader then stands on the value's first byte.
  JsonKind peek() {
    if (failed()) return JsonKind::none;
    skip_space();
    const JsonKind kind = at_ < text_.size() ? kinds[static_cast<unsigned char>(text_[at_])] : JsonKind::none;
    if (kind == JsonKind::none) no_value();
    return kind;
  }
  /// Calls `member(JsonString key)` for each member; it must read the value.
  template <class F>
  void object(F&& member) {
    if (!open('{', '}')) return;
    do {
      const JsonString key = string();
      if (!expect(':')) return;
      member(key);
    } while (another('}'));
  }
  /// Calls `element()` for each element; it must read the value.
  template <class F>
  void array(F&& element) {
    if (!open('[', ']')) return;
    do element();
    while (another(']'));
  }
  JsonString string() {
    if (!expect('"')) return {};
    std::size_t plain = 0;
#ifdef __SSE2__
    if (text_.size() - at_ >= 16) {  // most keys and values end within these, and hold nothing special
      const char* const begin = text_.data() + at_;
      const unsigned special = special_bits(begin);
      plain = special != 0 ? static_cast<std::size_t>(std::countr_zero(special)) : 16;
      if (special != 0 && begin[plain] == '"') return at_ += plain + 1, JsonString{{begin, plain}, false};
    }
#endif
    return string_in_full(plain);
  }
  bool boolean();
  /// Reads any value. Returns its bytes, without the white space around it.
  std::string_view skip();
  /// True if nothing failed and only white space is left.
  bool finish();

  /// The caller has seen enough: from here on everything fails.
  void stop() { fail("the reading was stopped"); }

  bool failed() const { return !reason_.empty(); }
  /// Some string so far held a \uXXXX.
  bool saw_unicode_escape() const { return saw_unicode_escape_; }
  /// After a failure: the text ended too early, but was right up to there.
  bool truncated() const { return truncated_; }
  /// What was wrong, e.g. "a number is malformed".
  std::string_view reason() const { return reason_; }
  /// Where the reader stands; after a failure, where it failed.
  std::size_t offset() const { return at_; }
  /// Of something that this reader returned.
  std::size_t offset_of(std::string_view part) const { return static_cast<std::size_t>(part.data() - text_.data()); }

 private:
  // These run for every token: here, so that they are compiled into their callers.
  bool expect(char wanted) {
    if (failed()) return false;
    skip_space();
    if (at_ < text_.size() && text_[at_] == wanted) return ++at_, true;
    return missing(wanted);
  }
  /// Enters an object or an array. False if it is empty, and then it is left again.
  bool open(char bracket, char closing) {
    if (!expect(bracket)) return false;
    if (++depth_ > json_depth_max) return too_deep();
    skip_space();
    if (at_ == text_.size() || text_[at_] != closing) return true;
    ++at_;
    --depth_;
    return false;
  }
  /// After a member or an element: true for a comma; false for the closing bracket, which leaves, and for a failure.
  bool another(char closing) {
    if (failed()) return false;
    skip_space();
    const char next = at_ < text_.size() ? text_[at_] : '\0';
    if (next == ',') return ++at_, true;
    if (next != closing) return missing(',');
    ++at_;
    --depth_;
    return false;
  }
  void skip_space() {
    if (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') skip_more_space();
  }
  static std::size_t end_of_plain(std::string_view text, std::size_t at);
  friend void append_quoted(std::string& out, std::string_view text);
  JsonString string_in_full(std::size_t plain);
  void skip_more_space();
  void no_value();
  bool missing(char wanted);
  bool too_deep();
  void number();
  bool digits();
  template <std::size_t size>
  bool literal(const char (&word)[size]);
  bool escape();
  bool beyond_ascii();
  void fail(std::string_view reason);

  static constexpr std::array<JsonKind, 256> kinds = [] {
    std::array<JsonKind, 256> by_first_byte{};
    for (const char c : std::string_view("-0123456789")) by_first_byte[static_cast<unsigned char>(c)] = JsonKind::number;
    by_first_byte['{'] = JsonKind::object;
    by_first_byte['['] = JsonKind::array;
    by_first_byte['"'] = JsonKind::string;
    by_first_byte['t'] = by_first_byte['f'] = JsonKind::boolean;
    by_first_byte['n'] = JsonKind::null;
    return by_first_byte;
  }();

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool truncated_ = false;
  bool saw_unicode_escape_ = false;
  std::string_view reason_;
};

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_quoted(std::string& out, std::string_view text);

/// Appends a code point, which is no surrogate.
void append_utf8(std::string& out, std::uint32_t point);

/// Cuts a text that is UTF-8 to so many bytes at most, between two characters.
void cut_utf8(std::string& text, std::size_t bytes_max);

/// The length of the UTF-8 sequence at the start of `text`: 1 to 4; 0 if there is no valid one.
std::size_t utf8_sequence(std::string_view text);

}  // namespace fairlead::wire
