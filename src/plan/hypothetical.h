#pragma once
// The plan of a request that nobody has sent. Pure.
#include <fairlead/hypothetical.h>
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <string>

namespace fairlead {

/// As a real request with this body would have; an empty one serves. The facts point into it, and into the snapshot.
/// Errors: config, for the operator: no such key, route, tag or address.
Result<RequestFacts> facts_of(const Hypothetical& asked, ChatRequest& body, const Snapshot& snapshot);

/// JSON: {"snapshot_hash","at","key","team","asked_for",...,"policies","outcome","plan"}; the plan is as explain tells that of a
/// past request, and the outcome is {"target","expected_usd"} or {"refused","policies","message"}.
std::string explanation(const RequestFacts& facts, const Plan& plan, const Snapshot& snapshot);

}  // namespace fairlead
