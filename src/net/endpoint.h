#pragma once
// Where something listens, or a peer is: an address and a port. Pure.
#include <fairlead/result.h>

#include "net/task.h"

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>

namespace fairlead::net {

using Endpoint = asio::ip::tcp::endpoint;

/// "127.0.0.1:8080" or "[::1]:8080". Errors: config.
Result<Endpoint> parse_endpoint(std::string_view address);
/// As parse_endpoint() reads it.
std::string text_of(const Endpoint& endpoint);

}  // namespace fairlead::net
