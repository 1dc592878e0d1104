// All assertions of a large house proved: none fails, so each is looked at to its end.
#include "plan/prove/prove.h"

#include "unit/plan/world.h"

#include <benchmark/benchmark.h>

namespace fairlead {
namespace {

using testing::only;
using testing::policy;
using testing::sunday;
using testing::World;

constexpr int keys = 20, policies_max = 200;
const std::vector<std::string> homes{"CN", "US", "DE", "ZA", "SG"}, retentions{"none", "provider", "trains"};

/// 50 providers with 10 models each, on a route with all of them and 20 with some, of which each key has four.
struct LargeHouse : World {
  std::vector<Policy> policies;
  std::shared_ptr<Zone> zone = std::make_shared<Zone>();

  LargeHouse() {
    for (int year = 2026; year < 2040; ++year)
      for (const auto& [month, offset] : {std::pair(3U, 120), std::pair(10U, 60)})
        zone->changes.push_back({std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / 28), offset});
    std::vector<const Target*> all;
    for (std::size_t i = 0; i < 50; ++i) {
      Provider& sells = provider("provider-" + std::to_string(i), {homes[i % 5], homes[i / 5 % 5], "cloud", retentions[i % 3], {}});
      if (i % 5 == 0) sells.facts.labels["dpa"] = sunday + std::chrono::days(100 + i);
      for (std::size_t j = 0; j < 10; ++j)
        all.push_back(&target(sells, model("model-" + std::to_string(10 * i + j), homes[(i + j) % 5])));
    }
    route("all", all);
    for (int i = 0; i < keys; ++i) route("route-" + std::to_string(i), {all.begin() + 25 * i, all.begin() + 25 * i + 25});
    for (int i = 0; i < keys; ++i) {
      Key& key = snapshot.keys.emplace_back();
      key.name = "key-" + std::to_string(i);
      key.index = i;
      key.request_tags = {"pilot", "batch", "tag-" + std::to_string(i % 4)};
      key.routes = {snapshot.routes[0].get(), snapshot.routes[i + 1].get(), snapshot.routes[(i + 7) % keys + 1].get(),
                    snapshot.routes[(i + 9) % keys + 1].get()};
    }
    for (int i = 0; i < 50; ++i) assert_and_see_to_it(i);
    for (int i = 0; static_cast<int>(policies.size()) < policies_max; ++i) add_another(i);
    set_policies(*this, policies);
  }

  void refuse(When when, const std::string& origin) {
    policies.push_back(policy("policy-" + std::to_string(policies.size()), std::move(when), {}, {{Fact::origin, {origin}}}));
  }

  /// One assertion about a key and a home, and the rules that together see to it.
  void assert_and_see_to_it(int i) {
    const std::string& home = homes[static_cast<std::size_t>(i) % 5];
    const When of_key{.keys = only({i % keys})};
    When about = of_key;
    const auto refuse_when = [&](auto change) {
      When when = of_key;
      change(when);
      refuse(std::move(when), home);
    };
    const int morning = 480 + i, evening = 1'080 + i;
    switch (i % 4) {
      case 0: refuse(of_key, home); break;
      case 1:
        refuse_when([&](When& when) { when.input_tokens = {{.up_to = 1'000 * i}}; });
        refuse_when([&](When& when) { when.input_tokens = {{.above = 1'000 * i}}; });
        break;
      case 2:
        about.tags = {"pilot"};
        refuse_when([&](When& when) { when.tags = {"pilot", "batch"}; });
        break;
      default:
        refuse_when([&](When& when) { when.times = {{.from_minute = morning, .to_minute = evening, .zone = zone}}; });
        refuse_when([&](When& when) {
          when.times = {{.from_minute = evening, .to_minute = morning, .zone = zone}};
          when.networks = {*parse_network("0.0.0.0/1"), *parse_network("::/0")};
        });
    }
    snapshot.assertions.push_back({"assertion-" + std::to_string(i), "", true, about, testing::rules({{Fact::origin, {home}}})});
  }

  /// A rule that sees to none of them, and may apply to all that they are about.
  void add_another(int i) {
    When when;
    if (i % 2 == 0) when.keys = only({i % keys, (i + 3) % keys, (i + 8) % keys});
    if (i % 3 == 0) when.networks = {*parse_network("10." + std::to_string(i) + ".0.0/16")};
    if (i % 3 == 1) when.input_tokens = {{.above = 777 * i}};
    if (i % 5 == 0)
      when.times = {
          {.weekdays = static_cast<std::uint8_t>(1 + i % 127), .from_minute = 7 * i, .to_minute = 9 * i + 60, .zone = zone}};
    if (i % 7 == 0) when.tags = {"batch"};
    if (i % 11 == 0) when.modalities = 0b0110;
    policies.push_back(policy("policy-" + std::to_string(policies.size()), std::move(when),
                              i % 13 == 0 ? testing::Words{{Fact::label, {"dpa"}}} : testing::Words{},
                              {{Fact::retention, {retentions[static_cast<std::size_t>(i) % 3]}},
                               {Fact::region, {homes[static_cast<std::size_t>(i) % 5]}}}));
  }
};

void assertions_50_of_200_policies_and_500_targets(benchmark::State& state) {
  const LargeHouse house;
  if (house.snapshot.policies.size() != policies_max || house.snapshot.targets.size() != 500) state.SkipWithError("another house");
  for (auto _ : state) {
    const auto proofs = prove::prove(house.snapshot, sunday);
    for (const prove::Proof& proof : proofs.proofs)
      if (proof.verdict != prove::Proof::Verdict::holds) state.SkipWithError("not as it was meant");
    if (proofs.proofs.size() != 50) state.SkipWithError("not all of them");
  }
}
BENCHMARK(assertions_50_of_200_policies_and_500_targets)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fairlead
