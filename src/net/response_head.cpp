#include "net/response_head.h"

#include "net/upstream_error.h"

#include <algorithm>
#include <charconv>

namespace fairlead::net {
namespace {

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

/// "HTTP/1.1 200 OK" and its CRLF, off the front; the reason may be empty.
Result<void> take_status_line(std::string_view& bytes, bool& http_1_0, int& status) {
  constexpr std::size_t reason_at = std::string_view("HTTP/1.1 200 ").size();
  const std::size_t end = reason_at + field_value_length(bytes.substr(std::min(reason_at, bytes.size())));
  const std::string_view line = bytes.substr(0, end);
  if (!bytes.substr(std::min(end, bytes.size())).starts_with("\r\n")) return protocol_error("its first line holds a control byte");
  http_1_0 = line.starts_with("HTTP/1.0 ");
  const std::string_view digits = line.substr(9, 3);
  if ((!http_1_0 && !line.starts_with("HTTP/1.1 ")) || line[12] != ' ' || !std::all_of(digits.begin(), digits.end(), is_decimal))
    return protocol_error("its first line is no status line");
  std::from_chars(digits.data(), digits.data() + digits.size(), status);
  bytes.remove_prefix(end + 2);
  return {};
}

Result<void> read_length(std::string_view digits, ResponseHead& head) {
  if (head.content_length) return protocol_error("more than one Content-Length");
  const char* const last = digits.data() + digits.size();
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), last, length);  // takes no sign
  if (error != std::errc() || end != last) return protocol_error("Content-Length is not a number");
  head.content_length = length;
  return {};
}

Result<void> read_connection(std::string_view options, bool& says_close, bool& says_keep_alive) {
  while (!options.empty()) {
    const std::string_view option = trimmed(take_until(options, ','));
    if (!option.empty() && !is_token(option)) return protocol_error("Connection is not a list of tokens");
    says_close = says_close || equal_any_case(option, "close");
    says_keep_alive = says_keep_alive || equal_any_case(option, "keep-alive");
  }
  return {};
}

Result<void> read_meaning(ResponseHead& head, bool http_1_0) {
  bool says_close = false, says_keep_alive = false;
  for (const Field& field : head.fields) {
    Result<void> read;
    if (equal_any_case(field.name, "Content-Length")) {
      read = read_length(field.value, head);
    } else if (equal_any_case(field.name, "Transfer-Encoding")) {
      if (head.chunked || http_1_0 || !equal_any_case(field.value, "chunked"))
        return protocol_error("Transfer-Encoding is not 'chunked', once, in HTTP/1.1");
      head.chunked = true;
    } else if (equal_any_case(field.name, "Connection") || equal_any_case(field.name, "Proxy-Connection")) {
      read = read_connection(field.value, says_close, says_keep_alive);
    }
    if (!read) return read;
  }
  if (head.chunked && head.content_length) return protocol_error("both Content-Length and Transfer-Encoding");
  head.keep_alive = !says_close && (says_keep_alive || !http_1_0);
  return {};
}

}  // namespace

Result<ResponseHead> parse_response_head(std::string_view bytes) {
  if (!bytes.ends_with("\r\n\r\n")) return protocol_error("its head does not end in an empty line");
  bytes.remove_suffix(2);
  ResponseHead head;
  head.fields.reserve(16);
  bool http_1_0 = false;
  if (auto line = take_status_line(bytes, http_1_0, head.status); !line) return line.error();
  while (!bytes.empty()) {
    const std::optional<Field> field = take_field(bytes);
    if (!field) return protocol_error("a field of its head is not a token, a colon and a value without control bytes");
    head.fields.push_back(*field);
  }
  if (auto meaning = read_meaning(head, http_1_0); !meaning) return meaning.error();
  return head;
}

}  // namespace fairlead::net
