// The lowest expected cost of this request, in USD.
#include <fairlead/strategy.h>

#include <algorithm>

namespace fairlead {
namespace {

/// A price of 0 is the cheapest there is; a target without a price is not free, and comes last.
bool cheaper(const Candidate& a, const Candidate& b) {
  if (!a.expected || !b.expected) return a.expected && !b.expected;
  return a.expected->usd_pico < b.expected->usd_pico;
}

class Cheapest final : public Strategy {
 public:
  void rank(std::vector<Candidate>& candidates, const RequestFacts&, const Conditions&) const override {
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
