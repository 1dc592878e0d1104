#pragma once
// plan(): the heart of the product. Pure: no I/O, no clock, no randomness of its own. Any thread.
#include <fairlead/plan.h>

namespace fairlead {

/// Candidates in the order of the route, narrowed by capability, policy and price, ranked by the route's strategy; with every
/// rejection and its reason. Same input, same plan. No candidates and at least one rejection by policy alone: refuse with 403.
Plan make_plan(const RequestFacts& facts, const Snapshot& snapshot, const Conditions& conditions, TimePoint now);

/// The plan as the JSON that the ledger keeps:
/// {"strategy","candidates":[{"target","expected_usd","amount","currency","input_tokens",
/// "output_tokens","rates"...}],"rejections":[{"target","by","rule","reason"}]}.
std::string to_json(const Plan& plan);

}  // namespace fairlead
