#pragma once
// The seam of ranking: one strategy per file of src/strategy/. Pure.
#include <fairlead/plan.h>

#include <string_view>
#include <vector>

namespace fairlead {

class Strategy {
 public:
  /// What a strategy looks at beside expected costs; what it does not, is not gathered, nor kept in the plan.
  struct Needs {
    bool times = false;  ///< Candidate::times
    bool seed = false;   ///< Conditions::seed
  };
  virtual ~Strategy() = default;
  virtual Needs needs() const { return {}; }
  /// Orders the candidates, best first. Stable: ties keep the order of the file, in which they come.
  virtual void rank(std::vector<Candidate>& candidates, const RequestFacts& facts, const Conditions& conditions) const = 0;
};

/// By the name of its file; null if there is none.
const Strategy* find_strategy(std::string_view name);
std::vector<std::string_view> strategy_names();

}  // namespace fairlead
