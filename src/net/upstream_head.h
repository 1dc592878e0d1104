#pragma once
// The head of a request to a provider. Pure.
#include "net/upstream.h"

#include <string>

namespace fairlead::net {

/// The request line and all fields, up to the empty line. Nothing of the app's own head is in it.
/// Errors: internal, if a path or field of the dialect would break the head (M58).
Result<std::string> upstream_head(const UpstreamRequest& request);

}  // namespace fairlead::net
