#include "plan/plan.h"

#include "plan/budgets.h"
#include "plan/capability.h"
#include "plan/expect.h"
#include "plan/policy.h"
#include "plan/price.h"
#include "plan/quality.h"
#include "plan/wishes.h"

#include <fairlead/strategy.h>

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

}  // namespace

std::string_view strategy_of(const RequestFacts& facts) {
  return wished_strategy(facts, facts.route ? std::string_view(facts.route->strategy) : "ordered");
}

Plan make_plan(const RequestFacts& facts, const Snapshot& snapshot, const Conditions& conditions, TimePoint now) {
  Plan plan;
  plan.at = now;
  plan.keeping = facts.keeping;
  plan.region_groups = &snapshot.region_groups;
  plan.strategy = strategy_of(facts);
  plan.policies = matching_policies(facts, snapshot, now);
  const Strategy& strategy = *find_strategy(plan.strategy);  // whatever the configuration and requests may name is there
  const Strategy::Needs needs = strategy.needs();
  plan.times = needs.times;
  if (needs.times && facts.route) plan.first_token_ms_max = facts.route->latency_ms_max;
  if (needs.seed) plan.seed = conditions.seed;
  const auto allowed = allowed_targets(plan.policies, plan.keeping, now);
  const auto limits = with_max_cost(plan.policies);
  const auto targets = facts.route ? std::span(facts.route->targets) : std::span(&facts.target, 1);
  const ModelPlaces places = places_in_models(facts, targets);
  const bool counted = facts.key != nullptr && (snapshot.budgeted || !facts.key->budgets.empty()) &&
                       !budgets_of(snapshot, *facts.key, facts.route).empty();
  plan.candidates.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = *targets[i];
    const TargetEstimate& estimate = conditions.estimate_of(target);
    const std::int64_t input = expected_input(facts, estimate), output = expected_output(facts, target, conditions, estimate);
    const ExpectedTokens tokens{input, expected_cached(input, estimate), output};
    auto expected = expected_cost(target, tokens, facts.mode, snapshot, now);
    const std::size_t before = plan.rejections.size();
    // Each stage sees each target, so that a rejected one shows all that stands against it.
    reject_disabled(target, plan.rejections);
    reject_by_capability(target, facts, input, plan.rejections);
    if (allowed && !allowed->has(target.index)) plan.rejections.push_back({&target, RejectedBy::policy, {}, {}});
    reject_by_max_cost(target, facts, limits, expected, plan.rejections);
    reject_by_models(target, facts, places, plan.rejections);
    reject_by_wish(target, facts, expected, plan.rejections);
    reject_by_price(target, facts, expected, plan.rejections);
    reject_by_doubt(target, snapshot, now, plan.rejections);
    reject_unpriced(target, facts, expected, counted, plan.rejections);
    reject_by_quality(target, facts, plan.rejections);
    if (plan.rejections.size() != before) continue;
    Candidate& candidate = plan.candidates.emplace_back(Candidate{&target, std::move(expected), input, output});
    if (facts.route && i < facts.route->terms.size()) candidate.terms = facts.route->terms[i];
    candidate.repeated_tokens = estimate.repeated_tokens;
    if (needs.times) candidate.times = estimate.times;
  }
  // From here on, candidates are only reordered: whatever is tried has passed every rule.
  strategy.rank(plan.candidates, facts, conditions);
  // What the request may well be too long for comes after what it fits.
  std::stable_partition(plan.candidates.begin(), plan.candidates.end(),
                        [&](const Candidate& c) { return window_fit(*c.target, facts, c.input_tokens).expected; });
  reorder_by_wishes(facts, places, plan);
  if (!conditions.unhealthy.empty())
    std::stable_partition(plan.candidates.begin(), plan.candidates.end(),
                          [&](const Candidate& candidate) { return conditions.healthy(*candidate.target); });
  keep_the_best_alone(facts, plan);
  return plan;
}

}  // namespace fairlead
