// By chance, in proportion to the route's weights: the first is drawn from all, the second from the rest, and so on. Without weight
// comes behind.
#include <fairlead/strategy.h>

#include "strategy/order/chance.h"

#include <algorithm>
#include <numeric>

namespace fairlead {
namespace {

std::uint64_t weight_of(const Candidate& candidate) { return static_cast<std::uint64_t>(candidate.terms.weight); }

class Weighted final : public Strategy {
 public:
  Needs needs() const override { return {.times = false, .seed = true}; }
  void rank(std::vector<Candidate>& candidates, const RequestFacts&, const Conditions& conditions) const override {
    std::uint64_t left = std::accumulate(candidates.begin(), candidates.end(), std::uint64_t{0},
                                         [](std::uint64_t sum, const Candidate& c) { return sum + weight_of(c); });
    std::uint32_t number = 0;
    for (auto at = candidates.begin(); at != candidates.end() && left > 0; ++at) {
      std::uint64_t drawn = draw(conditions.seed, number++, left);
      const auto found = std::find_if(at, candidates.end(), [&](const Candidate& candidate) {
        if (drawn < weight_of(candidate)) return true;
        drawn -= weight_of(candidate);
        return false;
      });
      left -= weight_of(*found);
      std::rotate(at, found, found + 1);
    }
  }
};

}  // namespace

const Strategy& strategy_weighted();
const Strategy& strategy_weighted() {
  static const Weighted weighted;
  return weighted;
}

}  // namespace fairlead
