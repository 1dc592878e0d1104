#pragma once
// A request of 1,000 tokens by one key, in a world that each test fills, and the plan of it.
#include "plan/plan.h"
#include "unit/plan/world.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace fairlead::testing {

struct PlanStage : ::testing::Test {
  World world;
  Key key;
  RequestFacts facts;

  PlanStage() {
    key.name = "checkout";
    facts.key = &key;
    facts.input_tokens = 1'000;
  }

  /// It asks for the first of the routes, which are its key's.
  void ask_for(std::vector<const Route*> routes) {
    facts.route = routes.front();
    key.routes = std::move(routes);
  }
  Plan plan(TimePoint at = sunday) { return make_plan(facts, world.snapshot, world.conditions, at); }
};

}  // namespace fairlead::testing
