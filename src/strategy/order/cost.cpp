#include "strategy/order/cost.h"

namespace fairlead {

bool cheaper(const Candidate& a, const Candidate& b) {
  if (!a.expected || !b.expected) return a.expected && !b.expected;
  return a.expected->usd_pico < b.expected->usd_pico;
}

}  // namespace fairlead
