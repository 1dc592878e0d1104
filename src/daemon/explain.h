#pragma once
// POST /admin/v1/explain: where a request would go, under the running configuration. Pure.
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <string>
#include <string_view>

namespace fairlead::daemon {

/// `asked`: JSON with "key", and perhaps "route", "tokens", "output_tokens", "tags", "modality", "endpoint", "network", "stream",
/// "at" and "body" (as an app would send it). Gives the JSON of `fairlead explain`. Errors: bad_request for what is not understood,
/// config for what is not there; the message is for the operator.
Result<std::string> explain(std::string_view asked, const Snapshot& snapshot, const Conditions& conditions, TimePoint now);

}  // namespace fairlead::daemon
