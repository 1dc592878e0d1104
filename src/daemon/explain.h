#pragma once
// POST /admin/v1/explain: where a request would go, under the running configuration. Pure.
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <functional>
#include <string>
#include <string_view>

namespace fairlead::daemon {

/// What is believed of such a request at this time.
using ConditionsOf = std::function<Conditions(const RequestFacts& facts, TimePoint at)>;

/// `asked`: JSON with "key", and perhaps "route", "tokens", "output_tokens", "tags", "content", "modality", "endpoint", "network",
/// "stream", "headers" (x-fairlead-*), "at" and "body" (as an app would send it). Gives the JSON of `fairlead explain`. Errors:
/// bad_request for what is not understood, config for what is not there; the message is for the operator.
Result<std::string> explain(std::string_view asked, const Snapshot& snapshot, const ConditionsOf& conditions_of, TimePoint now);

}  // namespace fairlead::daemon
