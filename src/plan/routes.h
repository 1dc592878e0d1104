#pragma once
// The routes of a key, and those whose rules a request stands under. Pure.
#include <fairlead/plan.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace fairlead {

/// Byte for byte; null if the key may not ask for it.
inline const Route* route_of(const Key& key, std::string_view name) {
  const auto at = std::find_if(key.routes.begin(), key.routes.end(), [&](const Route* route) { return route->name == name; });
  return at == key.routes.end() ? nullptr : *at;
}

/// The route that was asked for. For a target that was named directly: every route of the key that holds it, so that naming a
/// target gets round no rule about a route.
template <class Each>
void for_each_route(const Target& target, const RequestFacts& facts, const Each& each) {
  if (facts.route) return each(*facts.route);
  for (const Route* route : facts.key->routes)
    if (std::find(route->targets.begin(), route->targets.end(), &target) != route->targets.end()) each(*route);
}

}  // namespace fairlead
