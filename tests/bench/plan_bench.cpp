// The decisions of one request, in a small house and in a large one, and the cost at the end.
#include "plan/plan.h"

#include <openssl/sha.h>

#include "allocations.h"
#include "plan/authenticate.h"
#include "unit/plan/world.h"

namespace fairlead {
namespace {

using testing::only;
using testing::policy;
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
  set_policies(world, {policy("nobody-trains", {}, {}, {{Fact::retention, {"trains"}}}, "no"),
                       policy("treasury", {.keys = only({0})}, {{Fact::operator_, {"US", "ZA"}}}, {}, "no")});
  Key key;
  key.name = "checkout";
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

/// A large house: 200 policies, of which every second one applies, and most targets are refused by some.
void plan_of_50_targets_and_200_policies(benchmark::State& state) {
  World world;
  const std::vector<std::string> homes{"CN", "US", "DE", "ZA", "SG"}, retentions{"none", "provider", "trains"};
  std::vector<const Target*> targets;
  for (std::size_t i = 0; i < 50; ++i) {
    Provider& provider = world.provider("provider-" + std::to_string(i),
                                        {homes[i % 5], homes[i / 5 % 5], i % 7 == 0 ? "self" : "cloud", retentions[i % 3], {}});
    Model& model = world.model("model-" + std::to_string(i), homes[i * 3 % 5]);
    model.prices = {price("0.15", "0.60")};
    targets.push_back(&world.target(provider, model));
  }
  Route& chat = world.route("chat", targets);
  std::vector<Policy> policies;
  for (int i = 0; i < 200; ++i) {
    When when{.keys = only({i % 2, 2}), .input_tokens = {{.above = 10}}, .times = {{.from_minute = 0, .to_minute = 1440}}};
    if (i % 4 == 0) when.networks = {*parse_network("10.0.0.0/8")};
    if (i % 8 == 0) when.tags = {"batch", "internal"};
    policies.push_back(policy("policy-" + std::to_string(i), when,
                              i % 3 == 0 ? testing::Words{{Fact::region, {"EEA", "US", "ZA", "SG"}}} : testing::Words{},
                              {{Fact::retention, {"trains"}}}, "a reason"));
    if (i % 20 == 0) policies.back().max_cost = 1'000 * Int128{pico_per_unit};
  }
  set_policies(world, std::move(policies));
  Key key;
  key.name = "checkout";
  key.tags = {"internal"};
  key.routes = {&chat};
  RequestFacts facts;
  facts.key = &key;
  facts.route = &chat;
  facts.input_tokens = 1'000;
  facts.client = parse_ip("10.1.2.3");
  const CountAllocations count(state);
  for (auto _ : state) {
    auto plan = make_plan(facts, world.snapshot, world.conditions, sunday);
    if (plan.policies.size() != 100 || plan.candidates.empty() || plan.rejections.empty())
      state.SkipWithError("not as it was meant");
    benchmark::DoNotOptimize(plan);
  }
}
BENCHMARK(plan_of_50_targets_and_200_policies);

/// Of so many.
void key_by_its_secret(benchmark::State& state) {
  Snapshot snapshot;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    Key& key = snapshot.keys.emplace_back();
    for (std::size_t byte = 0; byte < key.sha256.size(); ++byte)
      key.sha256[byte] = static_cast<std::uint8_t>(i * 2'654'435'761 >> byte);
  }
  const std::string secret = "sk-fl-0123456789012345678901234567890123456789012";
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), snapshot.keys.back().sha256.data());
  index_secrets(snapshot);
  const std::string header = "Bearer " + secret;
  const CountAllocations count(state);
  for (auto _ : state) {
    auto found = authenticate(header, snapshot, sunday);
    if (!found) state.SkipWithError("it is a key");
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK(key_by_its_secret)->Arg(2)->Arg(10'000);

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
