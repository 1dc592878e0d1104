#pragma once
// The stage that asks whether a route finds a target good enough. Pure.
#include <fairlead/plan.h>

#include <vector>

namespace fairlead {

/// What the route says of the target; the defaults if it is none of its targets.
TargetTerms terms_of(const Route& route, const Target& target);

/// Appends a rejection, "quality_min", for each route that asks for more quality than it states of the target, or states none.
void reject_by_quality(const Target& target, const RequestFacts& facts, std::vector<Rejection>& rejections);

}  // namespace fairlead
