#pragma once
// What a budget that came with a reload is charged for requests of configurations that were without it: when their rows come into
// the store, as no worker posts it. The budget begins with what the store has, and nothing comes into the store in between, so
// nothing is missed and nothing counted twice. Saves are the feeder's thread, all else the main thread.
#include <fairlead/budget.h>
#include <fairlead/store.h>

#include "state/budgets.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fairlead::daemon {

class LateCharges {
 public:
  explicit LateCharges(state::Budgets& budgets) : budgets_(budgets) {}

  /// The same store, which tells this object of what it saved.
  std::unique_ptr<Store> watch(std::unique_ptr<Store> store);
  /// Nothing is saved while it is held; waits for a save that is under way, a second at most.
  std::unique_lock<std::mutex> stop_saves() { return std::unique_lock(saves_); }

  struct Counted {
    const Budget* budget = nullptr;
    TimePoint from = TimePoint::min();  ///< requests that began before do not count; a credit's are those since it was first put in
  };
  /// These are all budgets of the configuration that holds from now on. Between saves, if one of them is new.
  void know(const std::string& snapshot_hash, std::span<const Counted> budgets);
  void count_from(const Budget& budget, TimePoint from);

  static constexpr std::size_t snapshots_max = 10'000;  ///< of older ones, charges are not counted late

 private:
  class Watched;
  class Passing;
  struct Account {
    std::string id;
    TimePoint from;
    std::vector<std::uint64_t> turns;  ///< of the snapshots' numbers: it came with the first, went with the second, and so on
    bool is_in(std::uint64_t snapshot) const;
    bool is_in_force() const { return turns.size() % 2 == 1; }
  };
  struct Late {
    std::string id;
    TimePoint started_at;
    Int128 charge = 0;
    bool in_force = false;  ///< the budget is in the current snapshot
  };
  struct Progress {
    std::string request;
    std::size_t settled = 0;
    bool ended = false;
  };

  Account& account_of(const Budget& budget);
  void note(const RequestRecord& record);
  void note_late(const RequestRecord& record, const RequestRecord::Attempt& attempt, std::uint64_t snapshot);
  void saved();

  state::Budgets& budgets_;
  std::mutex saves_;                                      // held through each save: guards the next three
  std::unordered_map<std::string, std::size_t> settled_;  ///< saved while under way: how many attempts had ended, if any
  std::vector<Late> late_;                                ///< of the save that is under way
  std::vector<Progress> progress_;
  std::mutex mutex_;  // guards what follows
  std::map<std::pair<BudgetOf, std::string>, std::vector<Account>> accounts_;
  std::unordered_map<std::string, std::uint64_t> snapshots_;  ///< hash -> number, from 1
  std::deque<std::string> in_order_;
  std::uint64_t number_ = 0;
  std::string current_;
  std::size_t absent_ = 0;  ///< accounts that the current snapshot is without
};

}  // namespace fairlead::daemon
