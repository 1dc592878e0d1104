// The lowest expected cost of this request, in USD.
#include <fairlead/strategy.h>

#include "strategy/order/cost.h"

#include <algorithm>

namespace fairlead {
namespace {

class Cheapest final : public Strategy {
 public:
  void rank(std::vector<Candidate>& candidates, const RequestFacts&, const Conditions&) const override {
    if (candidates.size() < 2) return;
    std::stable_sort(candidates.begin(), candidates.end(), cheaper);
  }
};

}  // namespace

const Strategy& strategy_cheapest();
const Strategy& strategy_cheapest() {
  static const Cheapest cheapest;
  return cheapest;
}

}  // namespace fairlead
