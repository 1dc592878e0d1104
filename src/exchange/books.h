#pragma once
// A worker's way to the ledger: Ledger::write as an awaitable. One worker's thread, but for what the ledger calls.
#include "ledger/ledger.h"
#include "net/task.h"

#include <chrono>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace fairlead::exchange {

class Books {
 public:
  Books(const Executor& executor, Ledger& ledger);
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;

  /// Resumes once the ledger has acknowledged the rows, or they have failed. What holds an open fails by itself when the ledger
  /// cannot be written; settlements, which the ledger tries until it can, are waited for up to `settle_ms_max` (then
  /// ledger_unavailable).
  Task<Result<void>> write(Rows rows);

  static constexpr std::chrono::milliseconds commit_ms_max{5};  ///< until what was written at once goes to the disk
  static constexpr std::chrono::milliseconds settle_ms_max{30'000};

 private:
  class Wait;
  template <class Handler>
  class WaitOf;
  struct Initiate;
  struct Mailbox;

  struct Outgoing {
    Rows rows;
    std::shared_ptr<Wait> wait;
  };
  void hand_over(Outgoing outgoing);
  void give();
  bool write_at_once(std::span<const Outgoing> outgoing);
  void queue(std::span<Outgoing> outgoing);
  void limit(std::shared_ptr<Wait> wait);
  void give_up_old();
  void rest();

  Ledger& ledger_;
  std::shared_ptr<Mailbox> mailbox_;  ///< shared with what the ledger still holds
  std::vector<Outgoing> outgoing_;    ///< goes to the ledger once what is ready to run now has run
  Timer timer_;
  bool timer_runs_ = false;
  Timer commit_timer_;
  bool commit_timer_runs_ = false;
  std::deque<std::pair<SteadyTime, std::weak_ptr<Wait>>> limited_;  ///< in the order of their ends
};

}  // namespace fairlead::exchange
