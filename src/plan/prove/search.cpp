#include "plan/prove/search.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace fairlead::prove {
namespace {

/// What is left of some rules by an option of a dimension.
struct Left {
  Bits rules;
  std::size_t value = 0;
};

/// The different ones; without those that leave all that another one leaves.
std::vector<Left> least_left(const Bits& rules, const Options& options) {
  std::vector<Left> different;
  std::unordered_set<Bits, Bits::Hash> seen;
  for (const Option& option : options)
    if (Bits left = common(rules, *option.rules); seen.insert(left).second) different.push_back({std::move(left), option.value});
  std::stable_sort(different.begin(), different.end(),
                   [](const Left& a, const Left& b) { return a.rules.count() < b.rules.count(); });
  std::vector<Left> least;
  for (Left& one : different)
    if (std::none_of(least.begin(), least.end(), [&](const Left& other) { return other.rules.within(one.rules); }))
      least.push_back(std::move(one));
  return least;
}

/// Tries the options of one dimension after the other, the dimension with the fewest first. What was left of the rules and led to
/// nothing is not tried twice, and nothing is that holds a rule which all options of the dimensions to come keep.
class Walk {
 public:
  Walk(const Bits& rules, const std::array<Options, dimension_count>& options, std::int64_t& steps_left) : steps_left_(steps_left) {
    for (std::size_t i = 0; i < dimension_count; ++i) dimensions_[i] = {i, least_left(rules, options[i]), {}, {}};
    std::stable_sort(dimensions_.begin(), dimensions_.end(),
                     [](const auto& a, const auto& b) { return a.options.size() < b.options.size(); });
    Bits kept = rules;
    for (std::size_t i = dimension_count; i-- > 0;) {
      for (const Left& option : dimensions_[i].options) dimensions_[i].kept = option.rules;
      for (const Left& option : dimensions_[i].options) dimensions_[i].kept.keep(option.rules);
      dimensions_[i].kept.keep(kept);
      kept = dimensions_[i].kept;
    }
  }

  bool go(std::size_t depth, const Bits& rules) {
    if (depth == dimension_count) return rules.none();
    Level& level = dimensions_[depth];
    if (Bits::meet(rules, level.kept, rules) || !level.tried.insert(rules).second) return false;
    for (const Left& option : level.options) {
      if (--steps_left_ <= 0) return false;
      choice_[level.dimension] = option.value;
      if (go(depth + 1, common(rules, option.rules))) return true;
    }
    return false;
  }

  const Choice& choice() const { return choice_; }

 private:
  struct Level {
    std::size_t dimension = 0;
    std::vector<Left> options;
    Bits kept;  ///< by every option here and of the levels after
    std::unordered_set<Bits, Bits::Hash> tried;
  };
  std::array<Level, dimension_count> dimensions_;
  Choice choice_{};
  std::int64_t& steps_left_;
};

}  // namespace

Options options_of(const std::vector<Value>& values, std::size_t goal) {
  Options options;
  std::unordered_set<Bits, Bits::Hash> seen;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i].goals.has(goal) && seen.insert(values[i].rules).second) options.push_back({&values[i].rules, i});
  return options;
}

Search::Search(std::array<Options, dimension_count> options, std::int64_t& steps_left)
    : options_(std::move(options)), sure_(*options_.front().front().rules), steps_left_(&steps_left) {
  for (const Options& of_dimension : options_)
    for (const Option& option : of_dimension) sure_.keep(*option.rules);
}

std::optional<Choice> Search::around(const Bits& rules) {
  Walk walk(rules, options_, *steps_left_);
  if (walk.go(0, rules)) return plainer(walk.choice(), rules);
  return std::nullopt;
}

Choice Search::plainer(Choice choice, const Bits& rules) const {
  for (std::size_t changed = 0; changed < dimension_count; ++changed) {
    Bits left = rules;
    for (std::size_t i = 0; i < dimension_count; ++i)
      for (const Option& option : options_[i])
        if (i != changed && option.value == choice[i]) left.keep(*option.rules);
    for (const Option& option : options_[changed])
      if (common(left, *option.rules).none()) {
        choice[changed] = option.value;
        break;
      }
  }
  return choice;
}

}  // namespace fairlead::prove
