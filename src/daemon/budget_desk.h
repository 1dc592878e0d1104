#pragma once
// What the daemon does about budgets beside serving: fills them from the ledger, tops credits up, tells of shares that were
// reached, and shows them. On the main thread, but for what the ledger's store tells.
#include <fairlead/budget_store.h>
#include <fairlead/snapshot.h>

#include "daemon/late_charges.h"
#include "daemon/webhook.h"
#include "state/budgets.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::daemon {

inline constexpr std::string_view budgets_path = "/admin/v1/budgets", credit_path = "/admin/v1/credit";

class BudgetDesk {
 public:
  BudgetDesk(Executor executor, state::Budgets& budgets) : budgets_(budgets), late_charges_(budgets), webhook_(executor) {}

  /// The store that the ledger is to feed, so that budgets learn of what no worker posts to them.
  std::unique_ptr<Store> watch(std::unique_ptr<Store> store) { return late_charges_.watch(std::move(store)); }

  /// The ledger is there, and has settled what the process before left open. Errors: ledger_unavailable.
  Result<void> open(const std::string& ledger);
  /// Before the snapshot holds. A budget that is new gets what the store has of its period, and of that of
  /// the newest row, and all else as it comes into the store. Errors: ledger_unavailable.
  Result<void> know(const Snapshot& snapshot, TimePoint now);
  /// Tells of what was reached since the last time.
  void tell(const Snapshot& snapshot);
  void stop() { webhook_.stop(); }

  /// JSON: the budgets, as they stand.
  std::string budgets_text(const Snapshot& snapshot, TimePoint now) const;
  /// JSON to JSON: {"key" or "team", "usd", "note"}. Errors: bad_request, not_found, ledger_unavailable.
  Result<std::string> top_up(std::string_view asked, const Snapshot& snapshot, TimePoint now);
  /// JSON: all that was ever put in.
  Result<std::string> credits_text();
  std::vector<state::BudgetState> states(const Snapshot& snapshot, TimePoint now) const;
  std::size_t notices() const { return notices_; }
  std::size_t webhook_failures() const { return webhook_.failures(); }

 private:
  class Filling;
  TimePoint counts_from(const Budget& budget) const;

  state::Budgets& budgets_;
  LateCharges late_charges_;
  std::unique_ptr<BudgetStore> store_;
  std::vector<Credit> credits_;  ///< as in the store
  Webhook webhook_;
  std::size_t notices_ = 0;
};

}  // namespace fairlead::daemon
