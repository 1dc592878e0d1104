#pragma once
// Is there a request that none of some rules applies to? Pure.
#include "plan/prove/space.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fairlead::prove {

/// A value of a dimension that requests may have: the rules whose condition holds there.
struct Option {
  const Bits* rules = nullptr;
  std::size_t value = 0;  ///< its place in the dimension
};
using Options = std::vector<Option>;

/// The values at which the goal's condition holds; of those that no rule can tell apart, the first.
Options options_of(const std::vector<Value>& values, std::size_t goal);

/// One value of each dimension, by its place.
using Choice = std::array<std::size_t, dimension_count>;

/// Over all requests that have one of the options in each dimension.
class Search {
 public:
  /// Gives up after so many steps, each of which looks at one option. Every dimension has an option.
  Search(std::array<Options, dimension_count> options, std::int64_t& steps_left);

  /// The rules that apply to all of the requests.
  const Bits& sure() const { return sure_; }
  /// A request that none of these rules applies to, as plain as it can be: of each dimension the first value that serves. Empty:
  /// every request has a rule that applies, unless the search gave up.
  std::optional<Choice> around(const Bits& rules);
  bool gave_up() const { return *steps_left_ <= 0; }

 private:
  Choice plainer(Choice choice, const Bits& rules) const;

  std::array<Options, dimension_count> options_;
  Bits sure_;
  std::int64_t* steps_left_;
};

}  // namespace fairlead::prove
