#pragma once
// The plan of a request that nobody has sent. Pure.
#include <fairlead/hypothetical.h>
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <string>
#include <string_view>

namespace fairlead {

/// As a real request with this body would have; an empty one serves. The facts point into it, and into the snapshot.
/// Errors: config, for the operator: no such key, route, tag, header or address.
Result<RequestFacts> facts_of(const Hypothetical& asked, ChatRequest& body, const Snapshot& snapshot);

/// JSON: {"snapshot_hash","at","key","team","asked_for",...,"estimates","notes","policies","outcome","plan"}; the plan is as
/// explain tells that of a past request, and the outcome is {"target","expected_usd"} or {"refused","policies","message"}.
/// `estimates`: by which the plan was made, in words.
std::string explanation(const RequestFacts& facts, const Plan& plan, const Snapshot& snapshot, std::string_view estimates);

}  // namespace fairlead
