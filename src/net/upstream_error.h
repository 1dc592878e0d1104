#pragma once
// The errors of the providers' side, in words that the app may see. Pure.
#include <fairlead/result.h>

#include "net/cancel.h"

#include <boost/system/error_code.hpp>

#include <string>
#include <utility>

namespace fairlead::net {

/// An upstream_* error, or app_gone. The message goes with the kind; `detail` is for the log.
Error upstream_error(ErrorKind kind, std::string detail, Retry retry = Retry::before_commit);

/// An upstream_protocol error: what the provider sent is not HTTP as we take it.
inline Error protocol_error(std::string detail) { return upstream_error(ErrorKind::upstream_protocol, std::move(detail)); }

/// What a stream's error means: app_gone if it was cancelled, upstream_timeout at the deadline, `otherwise` if not.
/// `doing`: what was under way, for the log.
Error stream_error(boost::system::error_code ec, const Cancel& cancel, ErrorKind otherwise, const std::string& doing);

}  // namespace fairlead::net
