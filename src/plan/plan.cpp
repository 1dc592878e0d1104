#include "plan/plan.h"

#include <fairlead/strategy.h>

#include "plan/capability.h"
#include "plan/expect.h"
#include "plan/policy.h"
#include "plan/price.h"
#include "plan/quality.h"

#include <algorithm>
#include <utility>

namespace fairlead {
namespace {

void reject_disabled(const Target& target, std::vector<Rejection>& rejections) {
  const Provider& provider = *target.provider;
  if (!provider.disabled_because.empty())
    rejections.push_back({&target, RejectedBy::provider_disabled, provider.name, provider.disabled_because});
}

}  // namespace

Plan make_plan(const RequestFacts& facts, const Snapshot& snapshot, const Conditions& conditions, TimePoint now) {
  Plan plan;
  plan.strategy = facts.route ? facts.route->strategy : "ordered";
  const Strategy* strategy = find_strategy(plan.strategy);
  const Strategy::Needs needs = strategy ? strategy->needs() : Strategy::Needs{};
  plan.times = needs.times;
  if (needs.times && facts.route) plan.first_token_ms_max = facts.route->latency_ms_max;
  if (needs.seed) plan.seed = conditions.seed;
  const std::vector<const Target*> targets = facts.route ? facts.route->targets : std::vector<const Target*>{facts.target};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = *targets[i];
    const TargetEstimate& estimate = conditions.estimate_of(target);
    const std::int64_t input = expected_input(facts, estimate), output = expected_output(facts, conditions, estimate);
    const ExpectedTokens tokens{input, expected_cached(input, estimate), output};
    auto expected = expected_cost(target, tokens, snapshot, now);
    const std::size_t before = plan.rejections.size();
    // Each stage sees each target, so that a rejected one shows all that stands against it.
    reject_disabled(target, plan.rejections);
    reject_by_capability(target, facts, input, plan.rejections);
    reject_by_policy(target, facts, snapshot.policies, plan.rejections);
    reject_by_price(target, facts, snapshot, expected, plan.rejections);
    reject_by_quality(target, facts, plan.rejections);
    if (plan.rejections.size() != before) continue;
    Candidate& candidate = plan.candidates.emplace_back(Candidate{&target, std::move(expected), input, output});
    if (facts.route && i < facts.route->terms.size()) candidate.terms = facts.route->terms[i];
    candidate.repeated_tokens = estimate.repeated_tokens;
    if (needs.times) candidate.times = estimate.times;
  }
  // From here on, candidates are only reordered: whatever is tried has passed every rule.
  if (strategy) strategy->rank(plan.candidates, facts, conditions);
  std::stable_partition(plan.candidates.begin(), plan.candidates.end(),
                        [&](const Candidate& candidate) { return conditions.healthy(*candidate.target); });
  return plan;
}

}  // namespace fairlead
