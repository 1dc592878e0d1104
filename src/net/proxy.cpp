#include "net/proxy.h"

#include "net/response.h"
#include "net/upstream_error.h"

#include <openssl/evp.h>

#include <array>
#include <charconv>

namespace fairlead::net {

namespace {

const std::string doing = "asking the proxy for a tunnel";

std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string connect_head(const Url& url, const std::string& authorization) {
  const std::string authority = authority_of(url);
  std::string head = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!authorization.empty()) head += "Proxy-Authorization: Basic " + base64(authorization) + "\r\n";
  return head + "\r\n";
}

}  // namespace

std::string authority_of(const Url& url) {
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  std::array<char, 8> port{};
  const auto digits = std::to_chars(port.data(), port.data() + port.size(), url.port).ptr - port.data();
  std::string text;
  text.reserve(url.host.size() + 8);
  if (is_ipv6) text += '[';
  text += url.host;
  if (is_ipv6) text += ']';
  text += ':';
  return text.append(port.data(), static_cast<std::size_t>(digits));
}

Task<Result<void>> open_tunnel(Stream& stream, const Url& url, const std::string& authorization, Cancel& cancel) {
  const std::string head = connect_head(url, authorization);
  const std::array<std::string_view, 1> pieces{head};
  const auto [write_failed, written] = co_await stream.write(pieces);
  if (write_failed) co_return stream_error(write_failed, cancel, ErrorKind::upstream_connect, doing);

  Response response(Response::Kind::tunnel);
  while (!response.has_head()) {
    const auto [ec, bytes] = co_await stream.read_some(response);
    if (ec) co_return stream_error(ec, cancel, ErrorKind::upstream_connect, doing);
    const Result<void> taken = response.take(bytes);
    if (!taken) co_return upstream_error(ErrorKind::upstream_connect, doing + ": " + taken.error().detail());
  }
  if (response.status() != 200)
    co_return upstream_error(ErrorKind::upstream_connect, doing + ": it answered " + std::to_string(response.status()));
  // The provider speaks second, in TLS and in HTTP: bytes that are here already are not the provider's.
  if (response.has_surplus()) co_return upstream_error(ErrorKind::upstream_connect, doing + ": it sent more than its head");
  co_return Result<void>();
}

}  // namespace fairlead::net
