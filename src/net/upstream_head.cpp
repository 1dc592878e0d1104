#include "net/upstream_head.h"

#include "net/framing.h"
#include "net/proxy.h"

#include <algorithm>
#include <string_view>

namespace fairlead::net {

namespace {

using FieldList = decltype(EncodedRequest::fields);

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [lower](char x, char y) { return lower(x) == lower(y); });
}

bool names(const FieldList& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [name](const auto& field) { return same_name(field.first, name); });
}

bool is_target(std::string_view text) {
  return !text.empty() && text.front() == '/' && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_value(std::string_view text) { return is_field_value(text) && text.find('\t') == std::string_view::npos; }

std::string host_of(const Url& url) {
  std::string authority = authority_of(url);
  if (url.port == (url.tls ? 443 : 80)) authority.resize(authority.rfind(':'));
  return authority;
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

  std::string head;
  head.reserve(512);
  head.append("POST ").append(url.path).append(path).append(" HTTP/1.1\r\nHost: ").append(host_of(url));
  head.append("\r\nContent-Length: ").append(std::to_string(body_bytes)).append("\r\nAccept-Encoding: identity\r\n");
  if (!names(fields, "User-Agent")) head.append("User-Agent: fairlead/" FAIRLEAD_VERSION "\r\n");
  if (!names(fields, "Accept"))
    head.append("Accept: ").append(request.stream ? "text/event-stream" : "application/json").append("\r\n");
  for (const auto& [name, value] : fields) {
    if (!is_token(name) || !is_value(value))
      return unfit("a field holds what a head cannot: " + (is_token(name) ? std::string(name) : "its name"));
    head.append(name).append(": ").append(value).append("\r\n");
  }
  return head.append("\r\n");
}

}  // namespace fairlead::net
