#pragma once
// What budgets need of the ledger's database: what was charged, and the credits that were topped up. One thread at a time; several
// processes may use one ledger's.
#include <fairlead/budget.h>
#include <fairlead/result.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// What the attempts of those were charged that are alike in all of this.
struct Charge {
  std::string key, team, project, route, provider;
  Int128 usd_pico = 0;
};

struct Credit {
  BudgetOf of = BudgetOf::key;  ///< key or team
  std::string name;
  Int128 usd_pico = 0;  ///< negative: taken back
  TimePoint at;
  std::string note;
};

/// Errors of all: ledger_unavailable.
class BudgetStore {
 public:
  virtual ~BudgetStore() = default;
  /// Of the requests that began in the span, as far as they are in the database and have ended.
  virtual Result<std::vector<Charge>> charges(const BudgetSpan& span) = 0;
  /// When the newest attempt was sent; empty: there is none.
  virtual Result<std::optional<TimePoint>> newest() = 0;
  /// Every one that there ever was, oldest first.
  virtual Result<std::vector<Credit>> credits() = 0;
  /// Durable when it returns.
  virtual Result<void> add(const Credit& credit) = 0;
};

/// Of the ledger at "sqlite:PATH", which must be there. A change waits for other writers up to `busy_ms_max`. Errors:
/// ledger_unavailable, config (unknown scheme).
Result<std::unique_ptr<BudgetStore>> open_budget_store(std::string_view url, int busy_ms_max);

}  // namespace fairlead
