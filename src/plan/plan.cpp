#include "plan/plan.h"

#include <fairlead/strategy.h>

#include "plan/capability.h"
#include "plan/policy.h"
#include "plan/price.h"
#include "plan/wishes.h"

#include <algorithm>
#include <span>
#include <utility>

namespace fairlead {
namespace {

void reject_disabled(const Target& target, std::vector<Rejection>& rejections) {
  const Provider& provider = *target.provider;
  if (!provider.disabled_because.empty())
    rejections.push_back({&target, RejectedBy::provider_disabled, provider.name, provider.disabled_because});
}

bool healthy(const Target& target, const Conditions& conditions) {
  const auto index = static_cast<std::size_t>(target.index);
  return index >= conditions.unhealthy.size() || !conditions.unhealthy[index];
}

}  // namespace

Plan make_plan(const RequestFacts& facts, const Snapshot& snapshot, const Conditions& conditions, TimePoint now) {
  Plan plan;
  plan.at = now;
  plan.region_groups = &snapshot.region_groups;
  plan.strategy = wished_strategy(facts, facts.route ? facts.route->strategy : "ordered");
  plan.policies = matching_policies(facts, snapshot, now);
  const auto allowed = allowed_targets(plan.policies, now);
  const auto limits = with_max_cost(plan.policies);
  const auto targets = facts.route ? std::span(facts.route->targets) : std::span(&facts.target, 1);
  plan.candidates.reserve(targets.size());
  for (const Target* target : targets) {
    auto expected = expected_cost(*target, facts, snapshot, conditions, now);
    const std::size_t before = plan.rejections.size();
    // Each stage sees each target, so that a rejected one shows all that stands against it.
    reject_disabled(*target, plan.rejections);
    reject_by_capability(*target, facts, plan.rejections);
    if (allowed && !allowed->has(target->index)) plan.rejections.push_back({target, RejectedBy::policy, {}, {}});
    reject_by_max_cost(*target, facts, limits, expected, plan.rejections);
    reject_by_wish(*target, facts, expected, plan.rejections);
    reject_by_price(*target, facts, expected, plan.rejections);
    reject_by_doubt(*target, snapshot, now, plan.rejections);
    if (plan.rejections.size() == before) plan.candidates.push_back({target, std::move(expected)});
  }
  // From here on, candidates are only reordered: whatever is tried has passed every rule.
  if (const Strategy* strategy = find_strategy(plan.strategy)) strategy->rank(plan.candidates, facts, conditions);
  reorder_by_wishes(facts, plan);
  std::stable_partition(plan.candidates.begin(), plan.candidates.end(),
                        [&](const Candidate& candidate) { return healthy(*candidate.target, conditions); });
  keep_the_best_alone(facts, plan);
  return plan;
}

}  // namespace fairlead
