#include "net/endpoint.h"

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace fairlead::net {

Result<Endpoint> parse_endpoint(std::string_view address) {
  const Error error(ErrorKind::config, ErrorOrigin::fairlead, "'" + std::string(address) + "' is not an IP address with a port");
  const std::size_t colon = address.rfind(':');
  if (colon == address.npos) return error;
  std::string_view host = address.substr(0, colon);
  const std::string_view digits = address.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  boost::system::error_code invalid;
  const auto ip = asio::ip::make_address(std::string(host), invalid);
  std::uint16_t port = 0;
  const auto [end, number_error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (invalid || ip.is_v6() != bracketed || number_error != std::errc() || end != digits.data() + digits.size()) return error;
  return Endpoint(ip, port);
}

std::string text_of(const Endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

}  // namespace fairlead::net
