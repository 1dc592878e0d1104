#include "net/framing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace fairlead::net {
namespace {

constexpr std::size_t length_digits_max = 19;  // fits in 64 bits

using ByteSet = std::array<bool, 256>;

constexpr bool is_alphanumeric(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

constexpr ByteSet alphanumeric_and(std::string_view others) {
  ByteSet set{};
  for (int c = 0; c < 256; ++c) set[c] = is_alphanumeric(static_cast<unsigned char>(c));
  for (char c : others) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr ByteSet path_set = alphanumeric_and("-._~!$&'()*+,;=:@/%");    // RFC 3986, 3.3
constexpr ByteSet query_set = alphanumeric_and("-._~!$&'()*+,;=:@/%?");  // RFC 3986, 3.4
constexpr ByteSet host_set = alphanumeric_and("-._~");

bool all_of(std::string_view text, const ByteSet& set) {
  for (const char c : text)
    if (!set[static_cast<unsigned char>(c)]) return false;
  return true;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

Error malformed(const std::string& rule) {
  return {ErrorKind::bad_request, ErrorOrigin::app, "Malformed HTTP request: " + rule + "."};
}

bool escapes_are_whole(std::string_view text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
  }
  return true;
}

/// "." or "..", escaped or not: a proxy before us may have resolved it, and we do not.
bool is_dot_segment(std::string_view segment) {
  int dots = 0;
  while (!segment.empty()) {
    const bool escaped = equal_any_case(segment.substr(0, 3), "%2e");
    if (!escaped && segment.front() != '.') return false;
    segment.remove_prefix(escaped ? 3 : 1);
    ++dots;
  }
  return dots == 1 || dots == 2;
}

bool has_dot_segment(std::string_view path) {
  if (path.find('.') == path.npos && path.find('%') == path.npos) return false;
  while (!path.empty()) {
    if (is_dot_segment(take_until(path, '/'))) return true;
  }
  return false;
}

/// A name, an IPv4 address or a bracketed IPv6 address, and maybe a port.
bool is_host(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  const std::size_t colon = text.rfind(':');
  if (colon != text.npos && !text.ends_with(']')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (!all_digits(port) || port.size() > 5) return false;
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    return host.find(':') != host.npos &&
           std::all_of(host.begin(), host.end(), [](char c) { return is_hex(c) || c == ':' || c == '.'; });
  }
  return !host.empty() && all_of(host, host_set);
}

Result<void> read_target(std::string_view target, Head& head) {
  if (!target.starts_with('/')) return malformed("the target does not begin with '/'");
  if (target.starts_with("//")) return malformed("the target begins with '//'");
  head.target = target;
  head.path = take_until(target, '?');
  head.query = target;
  if (!all_of(head.path, path_set) || !all_of(head.query, query_set))
    return malformed("the target holds a byte that must be escaped");
  if (!escapes_are_whole(head.path) || !escapes_are_whole(head.query)) return malformed("the target holds an incomplete escape");
  if (has_dot_segment(head.path)) return malformed("the target holds a dot segment");
  return {};
}

Result<void> read_request_line(std::string_view line, Head& head) {
  head.method = take_until(line, ' ');
  const std::string_view target = take_until(line, ' ');
  if (!is_token(head.method)) return malformed("the method is not a token");
  if (head.method == "CONNECT") return malformed("CONNECT is not served");
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return malformed("the version is not HTTP/1.1 or HTTP/1.0");
  head.http_1_0 = line == "HTTP/1.0";
  head.keep_alive = !head.http_1_0;
  return read_target(target, head);
}

Result<void> read_field(std::string_view& bytes, Head& head) {
  if (head.fields.size() == fields_max)
    return Error{ErrorKind::head_too_large, ErrorOrigin::app,
                 "The request has more than " + std::to_string(fields_max) + " header fields."};
  const std::optional<Field> field = take_field(bytes);
  if (!field) return malformed("a field is not a token, a colon and a value without control bytes");
  head.fields.push_back(*field);
  return {};
}

/// The fields that frame a request or say who asks; a second one could mean something else to somebody else.
struct Single {
  std::string_view name;
  const Field* field = nullptr;
};
class Singles {
 public:
  /// Errors: bad_request, for one that is there twice.
  Result<void> find(const Head& head) {
    for (const Field& field : head.fields)
      for (Single& single : all_) {
        if (!equal_any_case(field.name, single.name)) continue;
        if (single.field) return malformed("more than one " + std::string(single.name));
        single.field = &field;
      }
    return {};
  }
  const Field* host() const { return all_[0].field; }
  const Field* length() const { return all_[1].field; }
  const Field* coding() const { return all_[2].field; }
  const Field* expect() const { return all_[3].field; }
  const Field* content_coding() const { return all_[6].field; }

 private:
  std::array<Single, 7> all_{
      {{"Host"}, {"Content-Length"}, {"Transfer-Encoding"}, {"Expect"}, {"Authorization"}, {"Content-Type"}, {"Content-Encoding"}}};
};

Result<void> read_body_framing(Head& head, const Singles& singles) {
  const Field* length = singles.length();
  if (const Field* coding = singles.coding()) {
    if (!equal_any_case(coding->value, "chunked")) return malformed("Transfer-Encoding is not 'chunked'");
    if (length) return malformed("both Content-Length and Transfer-Encoding");
    if (head.http_1_0) return malformed("Transfer-Encoding in HTTP/1.0");
    head.chunked = true;
  }
  if (length) {
    const std::string_view digits = length->value;
    if (!all_digits(digits) || digits.size() > length_digits_max) return malformed("Content-Length is not a number");
    std::from_chars(digits.data(), digits.data() + digits.size(), head.content_length.emplace());
  }
  return {};
}

Result<void> read_connection(Head& head) {
  bool close = false;
  for (const Field& field : head.fields) {
    const bool ours = equal_any_case(field.name, "Connection");
    if (!ours && !equal_any_case(field.name, "Proxy-Connection")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view option = trimmed(take_until(rest, ','));
      if (!option.empty() && !is_token(option)) return malformed("Connection is not a list of tokens");
      close = close || (ours && equal_any_case(option, "close"));
      head.keep_alive = head.keep_alive || (ours && equal_any_case(option, "keep-alive"));
    }
  }
  head.keep_alive = head.keep_alive && !close;
  return {};
}

Result<void> read_meaning(Head& head) {
  Singles singles;
  if (auto found = singles.find(head); !found) return found;
  const Field* host = singles.host();
  if (!host || !is_host(host->value)) return malformed("Host is missing or not a host");
  if (const Field* expect = singles.expect()) {
    if (!equal_any_case(expect->value, "100-continue")) return malformed("Expect is not '100-continue'");
    head.expect_continue = !head.http_1_0;
  }
  if (const Field* coding = singles.content_coding()) head.content_coding = coding->value;
  if (auto connection = read_connection(head); !connection) return connection;
  return read_body_framing(head, singles);
}

}  // namespace

Result<std::size_t> find_head_end(std::string_view bytes, std::size_t looked_at) {
  if (!bytes.empty() && !is_token(bytes.substr(0, 1))) return malformed("it does not begin with a method");
  for (std::size_t at = bytes.find('\n', looked_at); at != bytes.npos; at = bytes.find('\n', at + 1)) {
    if (bytes[at - 1] != '\r') return malformed("a line ends without CR");
    if (at >= 3 && bytes.substr(at - 3, 4) == "\r\n\r\n") return at + 1;
  }
  return std::size_t{0};
}

Result<Head> parse_head(std::string_view bytes) {
  if (!bytes.ends_with("\r\n\r\n")) return malformed("the head does not end in an empty line");
  bytes.remove_suffix(2);
  Head head;
  head.fields.reserve(16);
  const std::string_view line = take_until(bytes, '\r');
  if (!bytes.starts_with('\n')) return malformed("a line does not end in CRLF");
  bytes.remove_prefix(1);
  if (auto read = read_request_line(line, head); !read) return read.error();
  while (!bytes.empty()) {
    if (auto field = read_field(bytes, head); !field) return field.error();
  }
  if (auto meaning = read_meaning(head); !meaning) return meaning.error();
  return head;
}

}  // namespace fairlead::net
