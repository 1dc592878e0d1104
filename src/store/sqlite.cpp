// The embedded ledger: one SQLite file in write-ahead mode. What is not synced yet is in the journal. One daemon writes; anybody
// may read meanwhile.
#include <fairlead/store.h>

#include "store/sqlite/bookkeeping.h"
#include "store/sqlite/budgets.h"
#include "store/sqlite/chain_check.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/long_report.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/saving.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sums_check.h"

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

using sqlite::Database;
using sqlite::Statement;

/// How long saving waits, after the start, for another program that has the file's write lock: shortly, since the journal holds the
/// rows meanwhile.
constexpr int save_busy_ms_max = 1'000;

constexpr int checkpoint_pages = 2'000;  ///< of the write-ahead log: a commit after it copies them to the database

/// The statements that only a writer has.
struct Writer {
  explicit Writer(sqlite3* connection)
      : begin(connection, "BEGIN IMMEDIATE"),  // as in Database::writing
        commit(connection, "COMMIT"),
        rollback(connection, "ROLLBACK"),
        probe(connection, "PRAGMA user_version = " + std::to_string(sqlite::schema_version())),  // writes a page that says the same
        lines(connection) {}

  Statement begin, commit, rollback, probe;
  sqlite::LineWriter lines;
};

/// What a request becomes whose process died, or that broke before its attempt had ended.
void interrupt(RequestRecord& record, TimePoint now) {
  Int128 usd_pico = 0, charge_usd_pico = 0;
  for (RequestRecord::Attempt& attempt : record.attempts) {
    if (attempt.state == RowState::open) {
      const AttemptOpen& open = attempt.open;
      AttemptSettle settle;
      settle.request_id = open.request_id;
      settle.number = open.number;
      settle.ended_at = now;
      settle.ended_by = EndedBy::fairlead;
      settle.error = "interrupted";
      settle.unconfirmed = true;
      settle.usage.input = open.input_tokens_estimate;
      settle.usage_source = UsageSource::estimated;
      settle.cost = open.estimate_cost;
      settle.usd_pico = open.estimate_usd_pico;
      if (settle.usd_pico) settle.charge_usd_pico = charge_of(*settle.usd_pico, open.markup);
      settle.usd_rate = open.estimate_usd_rate;
      settle.price = open.price;
      attempt.state = RowState::interrupted;
      attempt.settle = std::move(settle);
    }
    usd_pico += attempt.settle.usd_pico.value_or(0);
    charge_usd_pico += attempt.settle.charge_usd_pico.value_or(0);
  }
  if (record.state == RowState::open) {
    record.state = RowState::interrupted;
    record.settle = {};
    record.settle.id = record.open.id;
    record.settle.ended_at = now;
    record.settle.ended_by = EndedBy::fairlead;
    record.settle.error = "interrupted";
    record.settle.attempts = static_cast<int>(record.attempts.size());
  }
  record.settle.usd_pico = usd_pico;
  record.settle.charge_usd_pico = charge_usd_pico;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(Database database, std::string path) : path_(std::move(path)), database_(std::move(database)) {}
  SqliteStore(Database database, std::string path, sqlite::WriterLock lock)
      : path_(std::move(path)), lock_(std::move(lock)), database_(std::move(database)) {
    writer_.emplace(database_.handle());
    sqlite3_wal_hook(database_.handle(), checkpoint, this);
  }

  Result<void> save(RecordSource& records) override {
    if (!writer_) return read_only();
    return writing([&]() -> Result<void> {
      const RequestRecord* record = records.next();
      if (record == nullptr) return writer_->probe.run();
      for (; record != nullptr; record = records.next())
        if (auto done = writer_->lines.save(*record); !done) return done;
      return {};
    });
  }

  Result<void> sync() override {
    if (!writer_) return read_only();
    // Every commit is in the write-ahead log, and a checkpoint syncs the log before it copies from it. So the log alone must be on
    // the disk; a checkpoint would have to wait for readers.
    sqlite3_file* log = nullptr;
    if (sqlite3_file_control(database_.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || log == nullptr)
      return sqlite::last_error(database_.handle());
    if (log->pMethods == nullptr) return {};  // nothing was written yet
    if (auto same = require_name(); !same) return same;
    // Linux tells of a failed sync once, and takes the pages for written then: the next sync of the log would say nothing. So all
    // of it goes into the database itself, whose own sync tells.
    if (log_in_doubt_ &&
        sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) != SQLITE_OK)
      return sqlite::last_error(database_.handle());
    log_in_doubt_ = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) != SQLITE_OK;
    if (log_in_doubt_)
      return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is not available",
                   "the write-ahead log of " + path_ + " cannot be synced");
    return {};
  }

  Result<std::int64_t> next_number() override {
    auto number = database_.integer("SELECT coalesce(max(n), 0) + 1 FROM lines");
    if (!number) return with_path(number.error());
    return number;
  }

  Result<void> keep_from(std::int64_t number) override {
    if (!writer_) return read_only();
    if (auto done = database_.execute("UPDATE journaled SET n = " + std::to_string(number)); !done) return with_path(done.error());
    return {};
  }

  Result<std::int64_t> recover(TimePoint now) override {
    if (!writer_) return read_only();
    std::int64_t attempts = 0;
    auto done = writing([&] { return interrupt_open_lines(now, attempts); });
    if (!done) return done.error();
    sqlite3_busy_timeout(database_.handle(), save_busy_ms_max);
    return attempts;
  }

  Result<std::vector<ReportRow>> report(const ReportQuery& query) override {
    return reading([&] { return sqlite::read_long_report(database_, path_, query); });
  }

  Result<std::optional<RequestRecord>> request(std::string_view id) override {
    return reading([&] { return sqlite::read_request(database_, id); });
  }

  Result<ChainCheck> check_chain(const std::vector<ChainLink>& anchors) override {
    return reading([&] { return sqlite::check_chain(database_, anchors); });
  }

  Result<SumsCheck> check_sums() override {
    return reading([&] { return sqlite::check_sums(database_); });
  }

  Result<void> visit(const Period& period, const std::function<void(const RequestRecord&)>& visitor) override {
    return reading([&] { return sqlite::visit_requests(database_, period, visitor); });
  }

  Result<std::vector<ServedRequest>> served(std::string_view facts_text, TimePoint since, std::size_t most) override {
    return reading([&] { return sqlite::read_served(database_, facts_text, since, most); });
  }

  Result<std::vector<Consumed>> consumed(TimePoint since, std::chrono::microseconds step, std::int64_t before) override {
    return reading([&] { return sqlite::read_consumed(database_, since, step, before); });
  }

  std::string journal() const override { return path_ + ".journal-"; }

 private:
  /// After a commit, in place of SQLite's own, which tells nobody of the log's failed sync: and then nobody else is told either.
  static int checkpoint(void* store, sqlite3* connection, const char* name, int pages) {
    if (pages < checkpoint_pages) return SQLITE_OK;
    const int done = sqlite3_wal_checkpoint_v2(connection, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    // A sync that fails is SQLITE_IOERR_FSYNC. SQLITE_FULL is of a write to the database itself, for which the log was synced.
    if ((done & 0xff) == SQLITE_IOERR) static_cast<SqliteStore*>(store)->log_in_doubt_ = true;
    return SQLITE_OK;
  }

  /// Of a file that was moved, the log would spoil the one that the next start finds in its place: so all of it goes where it
  /// belongs. And what comes, and what the journal still has, stays there for the other file.
  Result<void> require_name() {
    int moved = 0;
    (void)sqlite3_file_control(database_.handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved == 0) return {};
    (void)sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is not available",
                 path_ + " was removed, or another file was put in its place, while it was written: start fairlead again");
  }

  static Error read_only() { return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is open for reading only"}; }

  /// SQLite's own words tell of no file, and there may be several.
  Error with_path(Error error) const {
    if (!error.detail().empty()) error.set_detail(error.detail() + ", in " + path_);
    return error;
  }

  /// `work` in one transaction, which becomes nothing if it fails.
  template <class Work>
  Result<void> writing(Work work) {
    if (auto same = require_name(); !same) return same;
    if (auto begun = writer_->begin.run(); !begun) return with_path(begun.error());
    auto done = writer_->lines.open();
    if (done) done = work();
    if (done) done = writer_->lines.close();
    if (done) done = writer_->commit.run();
    if (done) return done;
    if (sqlite3_get_autocommit(database_.handle()) == 0) (void)writer_->rollback.run();
    writer_->lines.forget();
    return with_path(done.error());
  }

  Result<void> interrupt_open_lines(TimePoint now, std::int64_t& attempts) {
    Statement open(database_.handle(), "SELECT id FROM lines WHERE batch IS NULL");
    std::vector<std::string> ids;
    for (;;) {
      const auto row = open.step();
      if (!row) return row.error();
      if (!*row) break;
      ids.push_back(open.text(0));
    }
    for (const std::string& id : ids) {
      auto record = sqlite::read_request(database_, id);
      if (!record) return record.error();
      // What cannot be read any more, and what has ended and was not sealed, is not of ours: it stays so, for the audit to show.
      if (!*record) continue;
      std::int64_t open_attempts = 0;
      for (const auto& attempt : (*record)->attempts) open_attempts += attempt.state == RowState::open;
      if (open_attempts == 0 && (*record)->state != RowState::open) continue;
      attempts += open_attempts;
      interrupt(**record, now);
      if (auto saved = writer_->lines.save(**record); !saved) return saved;
    }
    return {};
  }

  /// Several queries that see one state of the file.
  template <class Query>
  auto reading(Query query) -> decltype(query()) {
    if (auto begun = database_.execute("BEGIN"); !begun) return with_path(begun.error());
    auto result = query();
    (void)database_.execute("ROLLBACK");  // nothing was changed
    if (!result) return with_path(result.error());
    return result;
  }

  std::string path_;
  // In this order: the statements go first, then the file closes, then the next writer may come.
  std::optional<sqlite::WriterLock> lock_;
  Database database_;
  std::optional<Writer> writer_;
  bool log_in_doubt_ = false;  ///< its last sync failed
};

Error cannot_open(const std::string& path, Error error) {
  return {error.kind, error.origin, "cannot open the ledger " + path + ": " + error.detail()};
}

Result<std::unique_ptr<Store>> open_to_write(const std::string& name, sqlite::FileKind kind) {
  if (kind == sqlite::FileKind::missing)
    if (auto created = sqlite::create_private(name); !created) return created.error();
  // The lock and the journal lie beside the file itself, by whatever link it is named.
  std::error_code failed;
  const std::string path = std::filesystem::canonical(name, failed).string();
  if (failed) return cannot_open(name, {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "", failed.message()});
  auto lock = sqlite::WriterLock::take(path);
  if (!lock) return lock.error();
  auto database = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!database) return cannot_open(path, database.error());
  if (auto done = database->execute("PRAGMA page_size = 8192"); !done) return cannot_open(path, done.error());  // of a new file
  // The schema comes before the write-ahead log, so that the file's own first page says from the beginning whose it is.
  if (auto done = sqlite::migrate(*database, path); !done)
    return done.error().detail().empty() ? done.error() : cannot_open(path, done.error());
  if (auto done = database->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                                    "PRAGMA journal_size_limit = 67108864");
      !done)
    return cannot_open(path, done.error());
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(*database), path, std::move(*lock)));
}

Result<std::unique_ptr<Store>> open_to_read(const std::string& path) {
  auto database = Database::open_to_read(path);
  if (!database) return cannot_open(path, database.error());
  if (auto done = sqlite::require_schema(*database, path); !done)
    return done.error().detail().empty() ? done.error() : cannot_open(path, done.error());
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(*database), path));
}

/// A path is a path: SQLite would take ":memory:" for a database that is never written.
Result<std::string> path_of(std::string_view where) {
  if (where.empty()) return Error(ErrorKind::config, ErrorOrigin::fairlead, "the ledger has no path: write sqlite:PATH");
  return (where.front() == '/' ? "" : "./") + std::string(where);
}

Error no_ledger_at(const std::string& path) {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead,
          "there is no ledger at " + path +
              (path.front() == '/' ? " yet: `fairlead serve` creates it"
                                   : ", seen from here: `fairlead serve` creates it in its own working directory, which is "
                                     "/var/lib/fairlead under the systemd unit")};
}

Result<std::unique_ptr<Store>> open_sqlite(std::string_view where, StoreMode mode) {
  const auto path = path_of(where);
  if (!path) return path.error();
  const auto kind = sqlite::identify(*path);
  if (!kind) return kind.error();
  if (mode == StoreMode::write) return open_to_write(*path, *kind);
  if (*kind != sqlite::FileKind::ours) return no_ledger_at(*path);
  return open_to_read(*path);
}

/// For what is kept beside the rows, while the daemon may be writing these.
Result<Database> open_beside(const std::string& path) {
  const auto kind = sqlite::identify(path);
  if (!kind) return kind.error();
  if (*kind != sqlite::FileKind::ours) return no_ledger_at(path);
  auto database = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!database) return cannot_open(path, database.error());
  if (auto done = sqlite::require_schema(*database, path); !done)
    return done.error().detail().empty() ? done.error() : cannot_open(path, done.error());
  return database;
}

Result<std::unique_ptr<Bookkeeper>> open_sqlite_bookkeeper(std::string_view where) {
  const auto path = path_of(where);
  if (!path) return path.error();
  auto database = open_beside(*path);
  if (!database) return database.error();
  return sqlite::make_bookkeeper(std::move(*database), *path);
}

/// For what operators tell the ledger.
Result<Database> open_synced_beside(std::string_view where, int busy_ms_max) {
  const auto path = path_of(where);
  if (!path) return path.error();
  auto database = open_beside(*path);
  if (!database) return database.error();
  // What an operator is told must hold after a power loss, so its commits are synced; what rows need is the ledger's own matter.
  if (auto done = database->execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0"); !done)
    return cannot_open(*path, done.error());
  sqlite3_busy_timeout(database->handle(), busy_ms_max);
  return std::move(*database);
}

Result<std::unique_ptr<KeyStore>> open_sqlite_keys(std::string_view where, int busy_ms_max) {
  auto database = open_synced_beside(where, busy_ms_max);
  if (!database) return database.error();
  return sqlite::make_key_store(std::move(*database));
}

Result<std::unique_ptr<BudgetStore>> open_sqlite_budgets(std::string_view where, int busy_ms_max) {
  auto database = open_synced_beside(where, busy_ms_max);
  if (!database) return database.error();
  return sqlite::make_budget_store(std::move(*database));
}

}  // namespace

const StoreKind& store_sqlite();
const StoreKind& store_sqlite() {
  static const StoreKind kind{open_sqlite, open_sqlite_bookkeeper, open_sqlite_keys, open_sqlite_budgets};
  return kind;
}

}  // namespace fairlead
