// The cheapest of those whose first token comes within the route's latency nine times in ten. Then those that are not measured, by
// cost, which are explored where they would be the cheapest; then those that are too slow, the fastest first.
#include <fairlead/strategy.h>

#include "strategy/order/chance.h"
#include "strategy/order/cost.h"

#include <algorithm>
#include <chrono>

namespace fairlead {
namespace {

enum class Pace { within, unknown, too_slow };

Pace pace_of(const Candidate& candidate, std::chrono::microseconds limit) {
  if (!candidate.times) return Pace::unknown;
  return candidate.times->first_token_p90 <= limit.count() ? Pace::within : Pace::too_slow;
}

class Balanced final : public Strategy {
 public:
  Needs needs() const override { return {.times = true, .seed = true}; }
  void rank(std::vector<Candidate>& candidates, const RequestFacts& facts, const Conditions& conditions) const override {
    const auto stated = facts.route ? facts.route->latency_ms_max : std::nullopt;
    const auto limit = stated ? std::chrono::microseconds(*stated) : std::chrono::microseconds::max();
    std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
      const Pace pace_a = pace_of(a, limit), pace_b = pace_of(b, limit);
      if (pace_a != pace_b) return pace_a < pace_b;
      if (pace_a == Pace::too_slow && a.times->first_token_p90 != b.times->first_token_p90)
        return a.times->first_token_p90 < b.times->first_token_p90;
      return cheaper(a, b);
    });
    explore(candidates, conditions, [&](const Candidate& candidate) { return cheaper(candidate, candidates.front()); });
  }
};

}  // namespace

const Strategy& strategy_balanced();
const Strategy& strategy_balanced() {
  static const Balanced balanced;
  return balanced;
}

}  // namespace fairlead
