#pragma once
// The errors of the providers' side, in words that the app may see. Pure.
#include <fairlead/result.h>

#include "net/cancel.h"

#include <boost/system/error_code.hpp>

#include <string>
#include <utility>

namespace fairlead::net {

/// An upstream_* error, app_gone, or overloaded (what is_own_lack). The message goes with the kind; `detail` is for the log.
Error upstream_error(ErrorKind kind, std::string detail, Retry retry = Retry::before_commit);

/// Does this errno say that we ran out of descriptors, ports or memory? That is no provider's failure.
bool is_own_lack(int error);

/// An upstream_protocol error: what the provider sent is not HTTP as we take it.
inline Error protocol_error(std::string detail) { return upstream_error(ErrorKind::upstream_protocol, std::move(detail)); }

/// What a stream's error means: app_gone if it was cancelled, upstream_timeout at the deadline, `otherwise` if not.
/// `doing`: what was under way, for the log.
Error stream_error(boost::system::error_code ec, const Cancel& cancel, ErrorKind otherwise, const std::string& doing);

}  // namespace fairlead::net
