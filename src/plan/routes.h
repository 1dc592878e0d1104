#pragma once
// Which routes' rules a request stands under. Pure.
#include <fairlead/plan.h>

#include <vector>

namespace fairlead {

/// The route that was asked for. For a target that was named directly: every route of the key that holds it, so that naming a
/// target gets round no rule about a route.
std::vector<const Route*> routes_to(const Target& target, const RequestFacts& facts);

}  // namespace fairlead
