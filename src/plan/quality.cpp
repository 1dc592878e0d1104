#include "plan/quality.h"

#include "plan/routes.h"

#include <algorithm>
#include <string>

namespace fairlead {

TargetTerms terms_of(const Route& route, const Target& target) {
  const auto at = std::find(route.targets.begin(), route.targets.end(), &target);
  const auto position = static_cast<std::size_t>(at - route.targets.begin());
  return position < route.terms.size() ? route.terms[position] : TargetTerms{};
}

void reject_by_quality(const Target& target, const RequestFacts& facts, std::vector<Rejection>& rejections) {
  for_each_route(target, facts, [&](const Route& route) {
    if (!route.quality_min) return;
    const std::optional<int> quality = terms_of(route, target).quality;
    if (quality && *quality >= *route.quality_min) return;
    const std::string found = quality ? "its quality is " + std::to_string(*quality) : "its quality is not stated";
    rejections.push_back({&target, RejectedBy::quality, "quality_min",
                          found + ", route " + route.name + " takes " + std::to_string(*route.quality_min) + " at least"});
  });
}

}  // namespace fairlead
