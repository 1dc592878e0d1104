#pragma once
// The seam of databases: one store per file of src/store/. A store is used by one thread at a time.
#include <fairlead/budget_store.h>
#include <fairlead/calendar.h>
#include <fairlead/key_store.h>
#include <fairlead/result.h>
#include <fairlead/row.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// A finer grouping, by what moves a price. Its values follow those of `by`: the beginning of the hour or day, UTC, in microseconds
/// since 1970; then, `by_request`, the highest of `input_above` that an attempt's whole input exceeds (else 0), and 1 if it has
/// reasoning, else 0.
struct PriceCut {
  bool hourly = false;                    ///< else daily
  bool by_request = false;                ///< of rows alone: sums do not tell
  std::vector<std::int64_t> input_above;  ///< tokens, ascending
};

/// What `usage` reports: attempts grouped by any dimensions.
struct ReportQuery {
  /// provider, model, target, route, key, team, project, usage_source, currency; month, week (its Monday), day and hour by the
  /// clocks of `zone`. Empty: one row of all.
  std::vector<std::string> by;
  std::optional<TimePoint> since, until;  ///< of the time at which an attempt counts: sent_at, but for late ones; `until` exclusive
  bool from_rows = false;                 ///< of the rows themselves, not of the sums that are kept of them
  std::optional<PriceCut> cut{};
  std::shared_ptr<const Zone> zone{};  ///< null: UTC. Sums are of hours of UTC: of one that is in several groups, rows are read
};

/// Of a correction, what it is about: the day of a bill, or an attempt. Both may be empty: the row of the attempt is gone.
struct CorrectedAt {
  std::optional<TimePoint> day;      ///< midnight by the bill's own clocks, written as one of UTC
  std::optional<TimePoint> sent_at;  ///< of the request's last attempt
};

struct ReportRow {
  std::vector<std::string> group;  ///< values in the order of `by`
  std::string correction;          ///< the reason of one, whose amounts these are; empty: these are sums over attempts
  CorrectedAt corrected;           ///< of one
  std::int64_t requests = 0;       ///< whose last attempt is in this group, so that they add up
  std::int64_t attempts = 0;
  std::int64_t failed_attempts = 0;     ///< ended in an error, or interrupted
  Usage usage;                          ///< sums; kinds never reported stay empty
  std::int64_t estimated_attempts = 0;  ///< usage_source estimated or invalid
  std::int64_t unpriced_attempts = 0;   ///< ended, and their cost is unknown
  std::vector<Money> cost;              ///< one per currency, by its code
  Int128 usd_pico = 0;
  Int128 charge_usd_pico = 0;
  Int128 estimated_usd_pico = 0;  ///< the part of usd_pico that is of attempts with usage_source estimated or invalid
};

/// All but the group and the correction.
void add_figures(ReportRow& row, const ReportRow& more);
/// To the cost in its currency.
void add_money(ReportRow& row, const Money& more);

/// One request with its attempts, as `explain` shows them. Rows not yet settled have empty settlements.
struct RequestRecord {
  RowState state = RowState::open;
  RequestOpen open;
  RequestSettle settle;
  struct Attempt {
    RowState state = RowState::open;
    AttemptOpen open;
    AttemptSettle settle;
  };
  std::vector<Attempt> attempts;
};

/// By the time at which a request came. `until` exclusive; empty: no bound.
struct Period {
  std::optional<TimePoint> since, until;
};

/// One link of the chain over what has ended: the hash of all up to it. docs/audit.md
struct ChainLink {
  std::int64_t number = 0;  ///< from 1; 0: there is none yet
  std::string hash;         ///< SHA-256, 64 hex digits
};

/// What the chain says of the rows as they are now.
struct ChainCheck {
  struct Finding {
    std::string request;    ///< its id; empty: it is of the link alone
    std::int64_t link = 0;  ///< 0: none
    std::string what;
  };
  struct Removal {
    std::int64_t link = 0;
    std::int64_t requests = 0;
    std::string note;
  };
  static constexpr std::size_t findings_max = 1'000;  ///< are told; all are counted

  std::int64_t sealed = 0;          ///< requests that are there, and were sealed
  std::int64_t open = 0;            ///< requests that have not ended yet
  std::int64_t entries = 0;         ///< corrections, credits and closings of months that are there as they were booked
  ChainLink head;                   ///< the newest
  std::vector<Removal> removals;    ///< that the chain has a record of
  std::vector<Finding> findings;    ///< rows, and what people booked, changed, added or taken away since; none: all is well
  std::int64_t findings_count = 0;  ///< also those that are not told
};

/// What the sums that reports read say, beside the rows that they were made of, and beside the closings of months.
struct SumsCheck {
  std::int64_t compared = 0;           ///< sums of one hour and group
  std::optional<TimePoint> rows_from;  ///< of before, not all rows are there to compare with; empty: all are
  std::int64_t closed_months = 0;
  std::vector<std::string> findings;  ///< none: all is well. At most ChainCheck::findings_max; all are counted
  std::int64_t findings_count = 0;
};

/// Of a request that was served: what routing knew of it, and when it ended.
struct ServedRequest {
  std::string facts;  ///< never empty
  TimePoint ended_at;
};

/// What some of the requests of a step of time have consumed.
struct Consumed {
  std::string key, team, route;  ///< of these
  TimePoint until;               ///< the end of the step
  std::int64_t requests = 0;     ///< with an attempt
  std::int64_t tokens = 0;       ///< of all kinds, of all attempts
};

/// Gives one record after another, each good until the next call; null after the last. Called again from the start for another try.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  virtual const RequestRecord* next() = 0;
};

class Bookkeeper;

class Store {
 public:
  virtual ~Store() = default;
  /// Saves requests as they stand, each whole with its attempts, in one transaction: what is new is added, what is open is
  /// replaced, and what has ended (settled, interrupted) never changes again; so saving a record twice is harmless. Not durable
  /// before sync(). On an error nothing of it is saved. No records: a probe, which succeeds if rows could be saved now. Errors:
  /// ledger_unavailable (may succeed later); internal (one of these can never be saved, such as an amount above 9.2 million units).
  virtual Result<void> save(RecordSource& records) = 0;
  /// All that was saved is durable (fsync) when it returns, whoever reads meanwhile. Errors: ledger_unavailable.
  virtual Result<void> sync() = 0;
  /// The store's own number of the next request that is new to it: higher than all that it has.
  virtual Result<std::int64_t> next_number() = 0;
  /// Of the requests from this number on, the journal may have rows, which a start would save again: none of them is let go
  /// (bookkeeper.h), whatever its times say.
  virtual Result<void> keep_from(std::int64_t number) = 0;
  /// Rows still `open` become `interrupted`, with the estimate of their open row as usage and cost. Returns how many attempts.
  /// Called once, after the journal's rows were saved and before any of this process.
  virtual Result<std::int64_t> recover(TimePoint now) = 0;
  /// Ordered by group, then corrections, each a row of its own. A period of whole hours is read from sums, in which each attempt
  /// is from the moment on at which its row ended. Errors: ledger_unavailable, config (no such dimension; a period of less than
  /// hours whose rows are gone).
  virtual Result<std::vector<ReportRow>> report(const ReportQuery& query) = 0;
  /// By id, or the newest for "last"; empty if there is none.
  virtual Result<std::optional<RequestRecord>> request(std::string_view id) = 0;
  /// Verifies the chain of hashes over all that has ended, and that the anchors, taken from heads of earlier checks, are a part of
  /// it. Errors: ledger_unavailable.
  virtual Result<ChainCheck> check_chain(const std::vector<ChainLink>& anchors) = 0;
  /// Compares sums with rows, finer sums with coarser ones, and closed months with what they were. Errors: ledger_unavailable.
  virtual Result<SumsCheck> check_sums() = 0;
  /// Calls `visitor` with each request that came in the period and its attempts, in the order in which they came into the store;
  /// all of one state of the store. Errors: ledger_unavailable.
  virtual Result<void> visit(const Period& period, const std::function<void(const RequestRecord&)>& visitor) = 0;
  /// Of the requests with facts that hold this text and were served since then by a provider: the newest `most`, oldest first.
  virtual Result<std::vector<ServedRequest>> served(std::string_view facts_text, TimePoint since, std::size_t most) = 0;
  /// What requests with a lower number than that sent since then, in steps of this length, oldest first.
  virtual Result<std::vector<Consumed>> consumed(TimePoint since, std::chrono::microseconds step, std::int64_t before) = 0;
  /// How the names of the journal's files begin that this store's writer keeps: "/var/lib/fairlead/ledger.db.journal-" for
  /// instance.
  virtual std::string journal() const = 0;
};

enum class StoreMode : std::uint8_t { write, read };

/// Opens "sqlite:PATH"; `write` creates it and its schema where missing and takes the one writer's lock; `read` only looks, also
/// while a daemon writes. The messages of its errors are for the operator, and name the path. Errors: ledger_unavailable (cannot
/// open, not ours, newer schema, another daemon has it), config (unknown scheme).
Result<std::unique_ptr<Store>> open_store(std::string_view url, StoreMode mode);

/// One kind of database: what a file of src/store/ defines. `where` is the URL after its scheme, "sqlite:" for sqlite.cpp.
struct StoreKind {
  Result<std::unique_ptr<Store>> (*open)(std::string_view where, StoreMode mode);
  Result<std::unique_ptr<Bookkeeper>> (*open_bookkeeper)(std::string_view where);
  Result<std::unique_ptr<KeyStore>> (*open_keys)(std::string_view where, int busy_ms_max);
  Result<std::unique_ptr<BudgetStore>> (*open_budgets)(std::string_view where, int busy_ms_max);
};

/// By the name of its file, which is the URL's scheme; null if there is none.
const StoreKind* find_store(std::string_view name);
std::vector<std::string_view> store_names();

}  // namespace fairlead
