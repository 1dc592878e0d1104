#include "plan/budgets.h"

#include "plan/routes.h"

namespace fairlead {
namespace {

void add(const std::vector<Budget>& budgets, std::vector<const Budget*>& all) {
  for (const Budget& budget : budgets) all.push_back(&budget);
}

}  // namespace

std::vector<const Budget*> budgets_of(const Snapshot& snapshot, const Key& key, const Route* route) {
  std::vector<const Budget*> all;
  add(snapshot.budgets, all);
  if (const Team* team = snapshot.team(key.team)) add(team->budgets, all);
  if (const Project* project = snapshot.project(key.project)) add(project->budgets, all);
  add(key.budgets, all);
  if (route != nullptr) add(route->budgets, all);
  return all;
}

void reject_unpriced(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected, bool counted,
                     std::vector<Rejection>& rejections) {
  if (expected || (!counted && target.provider->budgets.empty())) return;
  for_each_route(target, facts, [&](const Route& route) {
    if (!route.unpriced_allowed)
      rejections.push_back({&target, RejectedBy::budget, "unpriced", "it has no price now, so no budget can count what it costs"});
  });
}

}  // namespace fairlead
