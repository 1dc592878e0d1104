#pragma once
// Metrics and request logs of finished exchanges. Called by all workers; thread-safe.
#include <fairlead/price_doubt.h>

#include "daemon/limit_rows.h"
#include "exchange/exchange.h"
#include "state/budgets.h"
#include "state/estimates.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::daemon {

class Metrics : public exchange::Observer {
 public:
  Metrics();
  ~Metrics() override;
  void ended(const exchange::Ended& exchange) override;
  void turned_away(const Error& error, const std::string& peer) override;

  /// `requests`: none, failures or all.
  void set_request_log(std::string_view requests);
  /// `snapshot_hash`: of the one that holds now.
  void reloaded(bool ok, const std::string& snapshot_hash);
  void in_force(const std::string& snapshot_hash);

  /// What is counted elsewhere and only read when somebody looks.
  struct Gauges {
    LedgerStats ledger;
    std::uint64_t refused_connections = 0;
    std::size_t app_connections = 0, upstream_connections = 0, upstream_idle = 0, body_bytes = 0;
    bool ready = false;
    int providers_disabled = 0, keys_disabled = 0;        ///< for want of a secret
    std::array<int, price_doubt_count> doubted_prices{};  ///< targets, by PriceDoubt
    state::Everything estimates;
    std::vector<state::BudgetState> budgets;
    std::size_t budget_notices = 0, webhook_failures = 0;
    std::vector<LimitRow> limits;
    state::Replays::Stats replays;
  };
  /// Attempts so far for which no connection could be opened for want of something of ours.
  std::uint64_t lacking_attempts() const;
  /// Prometheus' text format.
  std::string text(const Gauges& gauges);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fairlead::daemon
