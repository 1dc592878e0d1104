#pragma once
// Which routes' rules a request stands under. Pure.
#include <fairlead/plan.h>

#include <algorithm>
#include <vector>

namespace fairlead {

/// The route that was asked for. For a target that was named directly: every route of the key that holds it, so that naming a
/// target gets round no rule about a route.
template <class Each>
void for_each_route(const Target& target, const RequestFacts& facts, const Each& each) {
  if (facts.route) return each(*facts.route);
  for (const Route* route : facts.key->routes)
    if (std::find(route->targets.begin(), route->targets.end(), &target) != route->targets.end()) each(*route);
}

}  // namespace fairlead
