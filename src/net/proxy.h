#pragma once
// A tunnel through an HTTP proxy. Used by dial. One worker's thread.
#include <fairlead/result.h>
#include <fairlead/snapshot.h>

#include "net/cancel.h"
#include "net/stream.h"

#include <string>

namespace fairlead::net {

/// "host:port", an IPv6 address in brackets.
std::string authority_of(const Url& url);

/// Asks the proxy at the other end of `stream` for a tunnel to `url`; afterwards the stream's bytes are the provider's.
/// `authorization`: "user:password" or empty. The stream's deadline holds.
/// Errors: upstream_connect (anything but a clean 200), upstream_timeout, app_gone.
Task<Result<void>> open_tunnel(Stream& stream, const Url& url, const std::string& authorization, Cancel& cancel);

}  // namespace fairlead::net
