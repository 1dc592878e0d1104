#pragma once
// What is to be proved, in numbers: which rules stand against which targets, and which targets an assertion forbids. Pure.
#include "plan/prove/bits.h"

#include <fairlead/snapshot.h>

#include <cstddef>
#include <vector>

namespace fairlead::prove {

/// A policy as it stands against some targets: always, or from when a label of theirs has ended, or where the request asks its
/// provider to keep it.
struct Rule {
  const Policy* policy = nullptr;
  TimePoint from = TimePoint::min();
  bool if_kept = false;
};

/// An assertion fails if a request that its `when` matches reaches one of these targets, then or later; some only if it asks its
/// provider to keep it.
struct Goal {
  const Assertion* assertion = nullptr;
  TimePoint from = TimePoint::min();
  bool if_kept = false;
  Bits targets;  ///< by Target::index
};

struct Question {
  const Snapshot& snapshot;
  std::vector<Rule> rules;
  std::vector<Bits> against;           ///< by Target::index: the rules that shut it out wherever they apply
  std::vector<Bits> of_key, of_route;  ///< by Key::index and Route::index: the rules that may apply to its requests
  std::vector<Goal> goals;             ///< in the order of the assertions
};

Question question_of(const Snapshot& snapshot);

/// One value of a dimension of requests, such as "1001 to 4000 tokens" or "with an image", and whose conditions on this dimension
/// hold there.
struct Value {
  Bits rules, goals;
};

/// `holds(when, from)` tells whether what begins at `from` and has this `when` holds there.
template <class Holds>
Value value_where(const Question& question, const Holds& holds) {
  Value value{Bits(question.rules.size()), Bits(question.goals.size())};
  for (std::size_t i = 0; i < question.rules.size(); ++i)
    if (holds(question.rules[i].policy->when, question.rules[i].from)) value.rules.add(i);
  for (std::size_t i = 0; i < question.goals.size(); ++i)
    if (holds(question.goals[i].assertion->when, question.goals[i].from)) value.goals.add(i);
  return value;
}

}  // namespace fairlead::prove
