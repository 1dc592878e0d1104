#pragma once
// From a host name to a connected TCP socket. Used by dial. One worker's thread.
#include <fairlead/result.h>

#include "net/addresses.h"
#include "net/cancel.h"
#include "net/stream.h"

#include <cstdint>
#include <string>

namespace fairlead::net {

/// Tries all addresses of the host, each 250 ms after the one before or as soon as that failed; the first to connect wins. What is
/// known of a name is tried first, however old, and then what else a look-up finds, if one is due.
/// Errors: upstream_connect, upstream_timeout (at the deadline, whatever getaddrinfo does), app_gone; overloaded, if all that
/// failed did for want of our own descriptors, ports or memory.
Task<Result<TcpSocket>> connect_tcp(Executor executor, Addresses& addresses, std::string host, std::uint16_t port,
                                    SteadyTime deadline, Cancel& cancel);

}  // namespace fairlead::net
