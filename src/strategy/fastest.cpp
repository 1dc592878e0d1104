// The shortest expected time of this request: the usual first token, and as many further tokens as are expected. Targets that are
// not measured come behind those that are, and are explored.
#include <fairlead/strategy.h>

#include "strategy/order/chance.h"

#include <algorithm>

namespace fairlead {
namespace {

std::int64_t expected_us(const Candidate& candidate) {
  return candidate.times->first_token_p50 + candidate.times->token_p50 * candidate.output_tokens;
}

bool faster(const Candidate& a, const Candidate& b) {
  if (!a.times || !b.times) return a.times && !b.times;
  return expected_us(a) < expected_us(b);
}

class Fastest final : public Strategy {
 public:
  Needs needs() const override { return {.times = true, .seed = true}; }
  void rank(std::vector<Candidate>& candidates, const RequestFacts&, const Conditions& conditions) const override {
    std::stable_sort(candidates.begin(), candidates.end(), faster);
    explore(candidates, conditions, [](const Candidate&) { return true; });
  }
};

}  // namespace

const Strategy& strategy_fastest();
const Strategy& strategy_fastest() {
  static const Fastest fastest;
  return fastest;
}

}  // namespace fairlead
