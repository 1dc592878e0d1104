#pragma once
// A plan that leaves no target, as the app is told of it. Pure.
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <string>
#include <vector>

namespace fairlead {

/// The policies that refused a target, each once, in the order of the file.
std::vector<std::string> refusing_policies(const Plan& plan);

/// Whose doing was it that the plan has no candidate? If the request's own wishes alone keep it from a target, or its length
/// alone (`context_length_exceeded`), its own. Otherwise policy speaks first, so that its refusals never look like an outage; it
/// tells its name and the request's id, by which the operator finds the rest.
Error refusal_of(const Plan& plan, const std::string& request_id);

}  // namespace fairlead
