// The decisions of one request: three targets, two policies, and the cost at the end.
#include "plan/plan.h"

#include "allocations.h"
#include "unit/plan/world.h"

namespace fairlead {
namespace {

using testing::price;
using testing::sunday;
using testing::World;

void plan_of_3_targets_and_2_policies(benchmark::State& state) {
  World world;
  Provider& deepseek = world.provider("deepseek", {"CN", "CN", "cloud", "provider"});
  Provider& openai = world.provider("openai", {"US", "US", "cloud", "provider"});
  Provider& own = world.provider("own", {"ZA", "ZA", "self", "none"});
  Model& flash = world.model("flash", "CN");
  Model& luna = world.model("luna", "US");
  flash.prices = {price("0.15", "0.60")};
  luna.prices = {price("0.10", "0.50")};
  Route& chat = world.route("chat", {&world.target(openai, luna), &world.target(own, flash), &world.target(deepseek, flash)});
  world.snapshot.policies.push_back(
      {.name = "nobody-trains", .when = {}, .allow = {}, .deny = {{"retention", {"trains"}}}, .reason = "no"});
  world.snapshot.policies.push_back(
      {.name = "treasury", .when = {{"team", {"treasury"}}}, .allow = {{"operator", {"US", "ZA"}}}, .deny = {}, .reason = "no"});
  Key key;
  key.name = "checkout";
  key.team = "treasury";
  key.routes = {&chat};
  RequestFacts facts;
  facts.key = &key;
  facts.route = &chat;
  facts.input_tokens = 1'000;
  const CountAllocations count(state);
  for (auto _ : state) {
    auto plan = make_plan(facts, world.snapshot, world.conditions, sunday);
    if (plan.candidates.size() != 2) state.SkipWithError("two targets are allowed");
    benchmark::DoNotOptimize(plan);
  }
}
BENCHMARK(plan_of_3_targets_and_2_policies);

void cost_of_an_attempt(benchmark::State& state) {
  const std::vector<Price> prices = {price("0.15", "0.60")};
  const auto in_force = price_in_force(prices, Currency{}, 1'000, sunday);
  Usage usage;
  usage.input = 1'000;
  usage.cached_input = 200;
  usage.output = 400;
  const CountAllocations count(state);
  for (auto _ : state) {
    auto cost = cost_of(usage, *in_force);
    benchmark::DoNotOptimize(cost);
  }
}
BENCHMARK(cost_of_an_attempt);

}  // namespace
}  // namespace fairlead
