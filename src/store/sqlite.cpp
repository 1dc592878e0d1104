// The embedded ledger: one SQLite file in write-ahead mode, every commit synced. One daemon writes; anybody may read meanwhile.
#include <fairlead/store.h>

#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/report.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/schema.h"

#include <optional>
#include <string>
#include <utility>

namespace fairlead {
namespace {

using sqlite::Database;
using sqlite::Statement;

/// The statements that only a writer has.
struct Writer {
  explicit Writer(sqlite3* connection)
      : begin(connection, "BEGIN IMMEDIATE"),  // a deferred transaction would fail at once, not wait, when it turns into a writer
        commit(connection, "COMMIT"),
        rollback(connection, "ROLLBACK"),
        probe(connection, "PRAGMA user_version = " + std::to_string(sqlite::schema_version())),  // writes a page that says the same
        rows(connection) {}

  Statement begin, commit, rollback, probe;
  sqlite::RowWriter rows;
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(Database database) : database_(std::move(database)) {}
  SqliteStore(Database database, sqlite::WriterLock lock) : lock_(std::move(lock)), database_(std::move(database)) {
    writer_.emplace(database_.handle());
  }

  Result<void> commit(std::span<const Write> writes) override {
    if (!writer_) return read_only();
    if (auto begun = writer_->begin.run(); !begun) return begun;
    auto done = write(writes);
    if (done) done = writer_->commit.run();
    if (!done && sqlite3_get_autocommit(database_.handle()) == 0) (void)writer_->rollback.run();
    return done;
  }

  Result<std::int64_t> recover(TimePoint now) override {
    if (!writer_) return read_only();
    if (auto begun = writer_->begin.run(); !begun) return begun.error();
    auto attempts = interrupt_open_rows(now);
    if (attempts)
      if (auto done = writer_->commit.run(); !done) attempts = done.error();
    if (!attempts && sqlite3_get_autocommit(database_.handle()) == 0) (void)writer_->rollback.run();
    return attempts;
  }

  Result<std::vector<ReportRow>> report(const ReportQuery& query) override {
    return reading([&] { return sqlite::read_report(database_, query); });
  }

  Result<std::optional<RequestRecord>> request(std::string_view id) override {
    return reading([&] { return sqlite::read_request(database_, id); });
  }

 private:
  static Error read_only() { return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is open for reading only"}; }

  Result<void> write(std::span<const Write> writes) {
    if (writes.empty()) return writer_->probe.run();
    for (const Write& row : writes)
      if (auto done = writer_->rows.write(row); !done) return done;
    return {};
  }

  Result<std::int64_t> interrupt_open_rows(TimePoint now) {
    Statement attempts(database_.handle(),
                       "UPDATE attempts SET state = 'interrupted', ended_at = ?1, ended_by = 'fairlead', phase = 'none', "
                       "error = 'interrupted', status = 0, unconfirmed = 1, connection_reused = 0, reported_model = '', "
                       "upstream_id = '', finish_reason = '', input_tokens = input_tokens_estimate, usage_source = 'estimated', "
                       "cost_pico = estimate_cost_pico, cost_currency = estimate_cost_currency, usd_pico = estimate_usd_pico, "
                       "usd_rate_pico = estimate_usd_rate_pico WHERE state = 'open'");
    if (auto done = attempts.run(now); !done) return done.error();
    const std::int64_t count = sqlite3_changes64(database_.handle());
    Statement requests(database_.handle(),
                       "UPDATE requests SET state = 'interrupted', ended_at = ?1, http_status = 0, ended_by = 'fairlead', "
                       "phase = 'none', error = 'interrupted', target = '', "
                       "attempts = (SELECT count(*) FROM attempts WHERE request_id = id), "
                       "usd_pico = (SELECT coalesce(sum(usd_pico), 0) FROM attempts WHERE request_id = id) WHERE state = 'open'");
    if (auto done = requests.run(now); !done) return done.error();
    return count;
  }

  /// Several queries that see one state of the file.
  template <class Query>
  auto reading(Query query) -> decltype(query()) {
    if (auto begun = database_.execute("BEGIN"); !begun) return begun.error();
    auto result = query();
    (void)database_.execute("ROLLBACK");  // nothing was changed
    return result;
  }

  // In this order: the statements go first, then the file closes, then the next writer may come.
  std::optional<sqlite::WriterLock> lock_;
  Database database_;
  std::optional<Writer> writer_;
};

Error cannot_open(const std::string& path, Error error) {
  return {error.kind, error.origin, "cannot open the ledger " + path + ": " + error.detail};
}

Result<std::unique_ptr<Store>> open_to_write(const std::string& path, sqlite::FileKind kind) {
  auto lock = sqlite::WriterLock::take(path);
  if (!lock) return lock.error();
  if (kind == sqlite::FileKind::missing)
    if (auto created = sqlite::create_private(path); !created) return created.error();
  auto database = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!database) return cannot_open(path, database.error());
  // The schema comes before the write-ahead log, so that the file's own first page says from the beginning whose it is.
  if (auto done = sqlite::migrate(*database, path); !done)
    return done.error().detail.empty() ? done.error() : cannot_open(path, done.error());
  if (auto done = database->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
                                    "PRAGMA journal_size_limit = 67108864");
      !done)
    return cannot_open(path, done.error());
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(*database), std::move(*lock)));
}

Result<std::unique_ptr<Store>> open_to_read(const std::string& path) {
  // Not SQLITE_OPEN_READONLY: whoever reads a write-ahead log takes part in its shared memory.
  auto database = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!database) return cannot_open(path, database.error());
  if (auto done = database->execute("PRAGMA query_only = ON"); !done) return cannot_open(path, done.error());
  if (auto done = sqlite::require_schema(*database, path); !done)
    return done.error().detail.empty() ? done.error() : cannot_open(path, done.error());
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(*database)));
}

Result<std::unique_ptr<Store>> open_sqlite(std::string_view where, StoreMode mode) {
  if (where.empty()) return Error(ErrorKind::config, ErrorOrigin::fairlead, "the ledger has no path: write sqlite:PATH");
  // A path is a path: SQLite would take ":memory:" for a database that is never written.
  const std::string path = (where.front() == '/' ? "" : "./") + std::string(where);
  const auto kind = sqlite::identify(path);
  if (!kind) return kind.error();
  if (mode == StoreMode::write) return open_to_write(path, *kind);
  if (*kind != sqlite::FileKind::ours)
    return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead,
                 "there is no ledger at " + path + " yet: `fairlead serve` creates it");
  return open_to_read(path);
}

}  // namespace

const StoreKind& store_sqlite();
const StoreKind& store_sqlite() {
  static const StoreKind kind{open_sqlite};
  return kind;
}

}  // namespace fairlead
