#pragma once
// What a request may be charged, and is: what is held of every budget that counts it, from before an attempt until its end. One
// worker's thread.
#include "exchange/request.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace fairlead::exchange {

class Charging {
 public:
  /// Of a request that began then, in whose period it counts.
  Charging(state::Budgets& budgets, const Snapshot& snapshot, const Key& key, TimePoint started_at);

  /// Once it is known what the request asks for; null: a target by its name.
  void asks_for(const Route* route);
  /// Holds the worst that this candidate of the plan may cost if it is sent then, or the next one whose provider's own budget has
  /// room for it: gives its position. Errors: over_budget, and policy if it has a price no more, so that no budget can count it;
  /// nothing is held then.
  Result<std::size_t> hold(Request& request, std::size_t candidate, TimePoint sent_at);
  /// What the attempt under way is charged takes the place of its hold.
  void post(Request& request, std::optional<Int128> charge);
  /// Nothing was sent.
  void let_go() { hold_ = {}; }

  TimePoint started_at() const { return started_at_; }
  Int128 markup() const { return markup_; }                       ///< of the team
  std::optional<Int128> reserved() const;                         ///< for the attempt's row; empty: it has no price
  std::optional<TimePoint> resets_at() const { return resets_; }  ///< the budget that refused it

 private:
  state::Budgets& budgets_;
  const Snapshot& snapshot_;
  const Key& key_;
  TimePoint started_at_;
  Int128 markup_ = 0;
  std::vector<const Budget*> wherever_;  ///< that count it wherever it goes
  state::Budgets::Hold hold_;
  std::optional<Int128> worst_;  ///< of the attempt under way
  std::optional<TimePoint> resets_;
};

}  // namespace fairlead::exchange
