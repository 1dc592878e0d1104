#include "plan/routes.h"

#include <algorithm>
#include <iterator>

namespace fairlead {

std::vector<const Route*> routes_to(const Target& target, const RequestFacts& facts) {
  if (facts.route) return {facts.route};
  std::vector<const Route*> routes;
  std::copy_if(facts.key->routes.begin(), facts.key->routes.end(), std::back_inserter(routes), [&](const Route* route) {
    return std::find(route->targets.begin(), route->targets.end(), &target) != route->targets.end();
  });
  return routes;
}

}  // namespace fairlead
