#include "net/upstream_head.h"

#include "net/field.h"
#include "net/head_writer.h"

#include <algorithm>
#include <string_view>

namespace fairlead::net {

namespace {

using FieldList = decltype(EncodedRequest::fields);

bool names(const FieldList& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [name](const auto& field) { return equal_any_case(field.first, name); });
}

bool is_target(std::string_view text) {
  return !text.empty() && text.front() == '/' && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_value(std::string_view text) { return is_field_value(text) && text.find('\t') == std::string_view::npos; }

void write_host(HeadWriter& head, const Url& url) {
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  if (is_ipv6) head.text("[");
  head.text(url.host);
  if (is_ipv6) head.text("]");
  if (url.port != (url.tls ? 443 : 80)) head.text(":").number(url.port);
}

Error unfit(std::string detail) {
  return Error(ErrorKind::internal, ErrorOrigin::fairlead, "The request cannot be said to this provider.", std::move(detail));
}

}  // namespace

Result<std::string> upstream_head(const UpstreamRequest& request) {
  const Url& url = request.provider->base_url;
  const FieldList& fields = request.encoded->fields;
  const std::string_view path = request.encoded->path;
  if ((!url.path.empty() && !is_target(url.path)) || !is_target(path)) return unfit("the path holds what a request line cannot");
  std::size_t body_bytes = 0;
  for (const std::string_view piece : request.encoded->body) body_bytes += piece.size();

  constexpr std::size_t without_texts_max = 256;  // without path, host and the fields given
  std::size_t bytes_max = without_texts_max + url.path.size() + path.size() + url.host.size();
  for (const auto& [name, value] : fields) {
    if (!is_token(name) || !is_value(value))
      return unfit("a field holds what a head cannot: " + (is_token(name) ? std::string(name) : "its name"));
    bytes_max += HeadWriter::bytes_of_field(name, value);
  }

  Result<std::string> text = std::string();
  HeadWriter head(*text, bytes_max);
  head.text("POST ").text(url.path).text(path).text(" HTTP/1.1\r\nHost: ");
  write_host(head, url);
  head.text("\r\nContent-Length: ").number(body_bytes).text("\r\nAccept-Encoding: identity\r\n");
  if (!names(fields, "User-Agent")) head.text("User-Agent: fairlead/" FAIRLEAD_VERSION "\r\n");
  if (!names(fields, "Accept")) head.field("Accept", request.stream ? "text/event-stream" : "application/json");
  for (const auto& [name, value] : fields) head.field(name, value);
  head.end();
  return text;
}

}  // namespace fairlead::net
