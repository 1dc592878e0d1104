// What no plan does, whatever the configuration and the request.
#include "plan/plan.h"

#include "unit/plan/dice.h"

#include <gtest/gtest.h>

#include <set>

namespace fairlead {
namespace {

using testing::Dice;
using testing::RandomRequest;
using testing::RandomWorld;

std::set<const Target*> reached(const RequestFacts& facts, const RandomWorld& world, TimePoint at) {
  std::set<const Target*> targets;
  for (const Candidate& candidate : make_plan(facts, world.snapshot, world.conditions, at).candidates)
    targets.insert(candidate.target);
  return targets;
}

bool within(const std::set<const Target*>& inner, const std::set<const Target*>& outer) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

/// A case is one target of one request under one set of rules, with its wishes or without.
TEST(Property, NoPolicyMoreTagMoreOrWishEverEnlargesTheSetAndTheOrderOfPoliciesDoesNotMatter) {
  Dice dice(20261126);
  constexpr int targets = 10, requests = 5, rules = 3;
  std::int64_t cases = 0, narrowed = 0, open = 0;
  while (cases < 1'000'000 / FAIRLEAD_FEWER) {
    RandomWorld world(dice, targets);
    std::vector<RandomRequest> asked;
    for (int i = 0; i < requests; ++i) asked.emplace_back(dice, world);
    std::vector<std::set<const Target*>> before;
    for (const RandomRequest& request : asked) {
      RequestFacts facts = request.facts;
      facts.wishes = nullptr;
      before.push_back(reached(facts, world, request.at));
    }
    for (int n = 0; n < rules; ++n) {
      auto& policies = world.snapshot.policies;
      policies.insert(policies.begin() + dice.below(n + 1), testing::random_policy(dice, n));
      resolve_policies(world.snapshot);
      for (std::size_t i = 0; i < asked.size(); ++i) {
        RequestFacts facts = asked[i].facts;
        const auto wished = reached(facts, world, asked[i].at);
        facts.wishes = nullptr;
        const auto after = reached(facts, world, asked[i].at);
        ASSERT_TRUE(within(after, before[i])) << "a policy opened a door, case " << cases;
        ASSERT_TRUE(within(wished, after)) << "a wish opened a door, case " << cases;
        if (n + 1 == rules) {
          facts.tags.push_back(dice.of(testing::tags));
          facts.needs.add(Capability::vision);
          ASSERT_TRUE(within(reached(facts, world, asked[i].at), after)) << "a tag or an image opened a door, case " << cases;
        }
        narrowed += after != before[i];
        open += !after.empty();
        before[i] = after;
        cases += 2 * targets;
      }
    }
    std::reverse(world.snapshot.policies.begin(), world.snapshot.policies.end());
    RequestFacts facts = asked.back().facts;
    facts.wishes = nullptr;
    ASSERT_EQ(reached(facts, world, asked.back().at), before.back()) << "their order mattered, case " << cases;
  }
  EXPECT_GT(narrowed, 5'000 / FAIRLEAD_FEWER) << "the cases must reach both ends";
  EXPECT_GT(open, 5'000 / FAIRLEAD_FEWER);
}

}  // namespace
}  // namespace fairlead
