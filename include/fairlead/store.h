#pragma once
// The seam of databases: one store per file of src/store/. A store is used by one thread at a time.
#include <fairlead/result.h>
#include <fairlead/row.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// What `usage` reports: rows grouped by any dimensions.
struct ReportQuery {
  std::vector<std::string> by;            ///< provider, model, target, route, key, team, day (UTC); empty: one row of all
  std::optional<TimePoint> since, until;  ///< of the attempt's sent_at; `until` exclusive
};

struct ReportRow {
  std::vector<std::string> group;  ///< values in the order of `by`
  std::int64_t requests = 0;       ///< distinct
  std::int64_t attempts = 0;
  std::int64_t failed_attempts = 0;     ///< ended in an error, or interrupted
  Usage usage;                          ///< sums; kinds never reported stay empty
  std::int64_t estimated_attempts = 0;  ///< usage_source estimated or invalid
  std::int64_t unpriced_attempts = 0;   ///< ended, and their cost is unknown
  std::vector<Money> cost;              ///< one per currency, by its code
  Int128 usd_pico = 0;
};

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

class Store {
 public:
  virtual ~Store() = default;
  /// One transaction; durable (fsync) when it returns. On an error nothing of it is written. No writes: a probe, which succeeds if
  /// rows could be written now. Settling a row that is settled already changes nothing and succeeds.
  /// Errors: ledger_unavailable (may succeed later); internal (one of these rows can never be written: an amount above 9.2 million
  /// units, an id that exists, a settlement without its open row).
  virtual Result<void> commit(std::span<const Write> writes) = 0;
  /// Rows still `open` become `interrupted`, with the estimate of their open row as usage and cost. Returns how many attempts.
  /// Called once, before the first commit.
  virtual Result<std::int64_t> recover(TimePoint now) = 0;
  /// Ordered by group. Errors: ledger_unavailable, config (no such dimension).
  virtual Result<std::vector<ReportRow>> report(const ReportQuery& query) = 0;
  /// By id, or the newest for "last"; empty if there is none.
  virtual Result<std::optional<RequestRecord>> request(std::string_view id) = 0;
};

enum class StoreMode : std::uint8_t { write, read };

/// Opens "sqlite:PATH"; `write` creates it and its schema where missing and takes the one writer's lock; `read` only looks, also
/// while a daemon writes. The messages of its errors are for the operator, and name the path. Errors: ledger_unavailable (cannot
/// open, not ours, newer schema, another daemon has it), config (unknown scheme).
Result<std::unique_ptr<Store>> open_store(std::string_view url, StoreMode mode);

/// One kind of database: what a file of src/store/ defines. `where` is the URL after its scheme, "sqlite:" for sqlite.cpp.
struct StoreKind {
  Result<std::unique_ptr<Store>> (*open)(std::string_view where, StoreMode mode);
};

/// By the name of its file, which is the URL's scheme; null if there is none.
const StoreKind* find_store(std::string_view name);
std::vector<std::string_view> store_names();

}  // namespace fairlead
