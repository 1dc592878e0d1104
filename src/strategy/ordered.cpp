// The order of the file.
#include <fairlead/strategy.h>

namespace fairlead {
namespace {

class Ordered final : public Strategy {
 public:
  void rank(std::vector<Candidate>&, const RequestFacts&, const Conditions&) const override {}
};

}  // namespace

const Strategy& strategy_ordered();
const Strategy& strategy_ordered() {
  static const Ordered ordered;
  return ordered;
}

}  // namespace fairlead
