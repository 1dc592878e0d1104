#pragma once
// What is done to the books beside saving rows: months are closed, amounts corrected, old rows taken out. While a daemon writes, or
// without one; by any number of processes. One thread at a time.
#include <fairlead/money.h>
#include <fairlead/result.h>
#include <fairlead/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// A month, UTC.
struct Month {
  std::string name;  ///< "2026-10"
  TimePoint from, until;
};
/// Empty: it is no month.
std::optional<Month> parse_month(std::string_view name);

/// A month that is closed, with its sums at that time, which never change again.
struct Closing {
  std::string month;
  TimePoint closed_at;
  std::int64_t attempts = 0;
  Int128 usd_pico = 0, charge_usd_pico = 0;
};

/// An amount that rows do not have. Positive: it was more.
struct Correction {
  TimePoint booked_at;
  std::string reason;
  std::string request_id;                                  ///< which one is corrected; empty: none in particular
  std::optional<TimePoint> day;                            ///< the same, of a provider's day
  std::string key, team, project, route, provider, model;  ///< to whom it counts; empty: as the request, or to nobody
  Money amount;                                            ///< as the provider invoices it
  std::optional<Int128> usd_pico;                          ///< the same in USD
  Int128 charge_usd_pico = 0;                              ///< what the team is charged
};

/// Rows of one day which leave the ledger together.
struct OldRows {
  TimePoint day;
  int part = 1;  ///< counts those that came late, after others of the same day had left
  std::int64_t requests = 0;
  std::int64_t n_min = 0, n_max = 0;  ///< of the store's own numbers
};

/// Takes rows of text cells: first the columns' names.
class CellSink {
 public:
  virtual ~CellSink() = default;
  virtual Result<void> row(std::span<const std::string_view> cells) = 0;
};

class Bookkeeper {
 public:
  virtual ~Bookkeeper() = default;

  /// Closes it and all before it that are not closed yet: one closing for each that has sums or corrections, and for itself, in
  /// their order.
  /// Errors: config (it is not over yet, has open rows, or was closed already; the message says which), ledger_unavailable.
  virtual Result<std::vector<Closing>> close_month(const Month& month, TimePoint now) = 0;
  virtual Result<std::vector<Closing>> closings() = 0;
  /// Errors: config (no such request; booked in a closed month), ledger_unavailable.
  virtual Result<void> correct(const Correction& correction) = 0;

  /// The oldest rows of a day that ends at or before `until` which have not been let go. None while a row of that day is open.
  virtual Result<std::optional<OldRows>> old_rows(TimePoint until) = 0;
  /// One row of cells per attempt, with its request's; and of requests without any. Errors, as of let_go(): ledger_unavailable,
  /// also if another process lets them go.
  virtual Result<void> read_rows(const OldRows& rows, CellSink& sink) = 0;
  /// From now on they may be removed. `file`: where they are; empty: nowhere.
  virtual Result<void> let_go(const OldRows& rows, std::string_view file, TimePoint now) = 0;
  /// Removes up to so many requests of those that were let go, in one transaction. Returns how many; 0: there are no more. The sums
  /// that reports are made of stay.
  virtual Result<std::int64_t> remove(std::int64_t requests_max) = 0;
  /// A small step of taking away what recurs in rows (plans, prices and so on) and no row has any more. False: it is done; the next
  /// step begins anew. It may be left off at any step.
  virtual Result<bool> sweep(std::int64_t rows_max) = 0;
};

/// Of an existing ledger. Errors: as open_store.
Result<std::unique_ptr<Bookkeeper>> open_bookkeeper(std::string_view url);

}  // namespace fairlead
