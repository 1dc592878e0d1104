#pragma once
// From a host name to a connected TCP socket. Used by dial. One worker's thread.
#include <fairlead/result.h>

#include "net/cancel.h"
#include "net/stream.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::net {

using Endpoints = std::vector<asio::ip::tcp::endpoint>;

/// Names looked up lately, so that one name server's bad minute is not every request's. getaddrinfo tells no time to live: 30 s.
class Addresses {
 public:
  const Endpoints* find(const std::string& host, std::uint16_t port, SteadyTime now) const;  ///< null: not known, or too old
  void remember(const std::string& host, std::uint16_t port, Endpoints endpoints, SteadyTime now);
  void forget(const std::string& host, std::uint16_t port);

 private:
  struct Known {
    Endpoints endpoints;
    SteadyTime until;
  };
  std::unordered_map<std::string, Known> known_;
};

/// Tries all addresses of the host, each 250 ms after the one before or as soon as that failed; the first to connect wins.
/// Errors: upstream_connect, upstream_timeout (at the deadline, whatever getaddrinfo does), app_gone.
Task<Result<TcpSocket>> connect_tcp(Executor executor, Addresses& addresses, std::string host, std::uint16_t port,
                                    SteadyTime deadline, Cancel& cancel);

}  // namespace fairlead::net
