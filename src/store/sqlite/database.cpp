#include "store/sqlite/database.h"

#include <fairlead/hex.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

namespace fairlead::sqlite {
namespace {

/// How long the start waits for another program that has the file's write lock: longer than a person's `sqlite3` session
/// usually holds it (a copy, a VACUUM).
constexpr int busy_ms_max = 15'000;

bool is_of_the_row(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG || primary == SQLITE_RANGE ||
         primary == SQLITE_MISUSE;
}

}  // namespace

Error last_error(sqlite3* connection) {
  const int code = sqlite3_extended_errcode(connection);
  std::string detail = "sqlite: " + std::string(sqlite3_errmsg(connection)) + " (" + std::to_string(code) + ")";
  if (code == SQLITE_IOERR_SHMSIZE)  // of which SQLite does not say that it is for want of room, as it does of all other writes
    detail += ": the disk of the ledger is full, and reading takes 32 KiB for its -shm file: make room, or read a copy elsewhere";
  if (is_of_the_row(code))
    return {ErrorKind::internal, ErrorOrigin::fairlead, "a line cannot be written to the ledger", std::move(detail)};
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is not available", std::move(detail)};
}

Statement::Statement(sqlite3* connection, std::string_view sql) : connection_(connection) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK)
    prepare_error_ = last_error(connection);
  handle_.reset(statement);
}

Result<bool> Statement::step() {
  if (prepare_error_) return *prepare_error_;
  if (bind_error_) return *bind_error_;
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_.get());  // the next bind() replaces what is bound
    bound_ = 0;
    return false;
  }
  Error error = last_error(connection_);
  reset();
  return error;
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
  bind_error_.reset();
  bound_ = 0;
}

std::string_view Statement::view(int column) const {
  const void* bytes = is_text(column) ? sqlite3_column_text(handle_.get(), column) : sqlite3_column_blob(handle_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::string Statement::text(int column) const { return std::string(view(column)); }

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
  if (sqlite3_column_type(handle_.get(), column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::vector<std::string> Statement::names() const {
  std::vector<std::string> all;
  for (int i = 0; i < sqlite3_column_count(handle_.get()); ++i) all.emplace_back(sqlite3_column_name(handle_.get(), i));
  return all;
}

std::vector<std::string> Statement::texts() const {
  std::vector<std::string> all;
  for (int i = 0; i < sqlite3_column_count(handle_.get()); ++i) all.push_back(text(i));
  return all;
}

void Statement::check(int code) {
  if (code != SQLITE_OK && !bind_error_ && !prepare_error_) bind_error_ = last_error(connection_);
}

void Statement::bind_at(int position, std::string_view text) {
  const char* bytes = text.data() == nullptr ? "" : text.data();  // a null pointer would be NULL, not an empty text
  check(sqlite3_bind_text64(handle_.get(), position, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_at(int position, const Blob& blob) {
  check(sqlite3_bind_blob64(handle_.get(), position, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC));
}

void Statement::bind_at(int position, std::nullopt_t) { check(sqlite3_bind_null(handle_.get(), position)); }

void Statement::bind_at(int position, TimePoint time) { bind_at(position, time.time_since_epoch().count()); }

void Statement::bind_at(int position, Int128 amount) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (amount < Limits::min() || amount > Limits::max()) {
    bind_error_ = Error(ErrorKind::internal, ErrorOrigin::fairlead, "a line cannot be written to the ledger",
                        "an amount of " + format_decimal(amount) + " does not fit a row");
    return;
  }
  bind_at(position, static_cast<std::int64_t>(amount));
}

Result<Database> Database::open(const std::string& path, int flags) {
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database;
  database.handle_.reset(connection);
  if (connection == nullptr) return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "out of memory");
  if (code != SQLITE_OK) return last_error(connection);
  sqlite3_busy_timeout(connection, busy_ms_max);
  return database;
}

namespace {

/// Nobody writes it, or had to stop in the midst: such have a write-ahead log and its shared memory beside the file, wherever a
/// link to it may be. And there may be none, as the folder is not ours.
bool is_copy_at_rest(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path file = std::filesystem::canonical(path, failed);
  return !failed && ::access(file.parent_path().c_str(), W_OK) != 0 && ::access((file.string() + "-wal").c_str(), F_OK) != 0 &&
         ::access((file.string() + "-shm").c_str(), F_OK) != 0;
}

std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#')
      uri += "%" + hex(std::string_view(&c, 1));
    else
      uri += c;
  }
  return uri + "?immutable=1";
}

}  // namespace

Result<Database> Database::open_to_read(const std::string& path) {
  // Not SQLITE_OPEN_READONLY where there is a log: whoever reads it takes part in its shared memory.
  auto database =
      is_copy_at_rest(path) ? open(immutable_uri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI) : open(path, SQLITE_OPEN_READWRITE);
  if (!database) return database;
  if (auto done = database->execute("PRAGMA query_only = ON"); !done) return done.error();
  return database;
}

Result<void> Database::execute(const std::string& script) {
  if (sqlite3_exec(handle(), script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return last_error(handle());
  return {};
}

Result<std::int64_t> Database::integer(std::string_view query) {
  Statement statement(handle(), query);
  const Result<bool> row = statement.step();
  if (!row) return row.error();
  return *row ? statement.integer(0) : 0;
}

}  // namespace fairlead::sqlite
