#pragma once
// A new connection to a provider: DNS, TCP, the proxy's tunnel, TLS. Used by Pool. One worker's thread.
#include <fairlead/result.h>
#include <fairlead/snapshot.h>

#include "net/cancel.h"
#include "net/connect.h"
#include "net/stream.h"
#include "net/tls.h"

#include <memory>

namespace fairlead::net {

/// All of it by the deadline. `tls`: null for http://.
/// Errors: upstream_connect, upstream_tls, upstream_timeout, app_gone, overloaded. Nothing of a request was sent.
Task<Result<std::unique_ptr<Stream>>> dial(Executor executor, Addresses& addresses, TlsClient* tls, const Provider& provider,
                                           SteadyTime deadline, Cancel& cancel);

}  // namespace fairlead::net
