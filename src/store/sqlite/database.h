#pragma once
// A connection to an SQLite file and its prepared statements: errors as values, nothing thrown. One thread at a time.
#include <fairlead/money.h>
#include <fairlead/result.h>
#include <fairlead/time.h>

#include "store/sqlite/digest.h"

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::sqlite {

/// SQLite's last error on this connection. Errors of the row itself (constraints, types) are `internal`: it can never be written.
/// All others are `ledger_unavailable`.
Error last_error(sqlite3* connection);

/// Bytes that are no text. They must live until the last step.
struct Blob {
  std::string_view bytes;
};

/// A prepared statement, kept and used again. An error in preparing or binding is reported by the step that follows.
class Statement {
 public:
  Statement(sqlite3* connection, std::string_view sql);

  /// Binds all parameters in order, from the first. Texts must live until the last step.
  template <class... Values>
  Statement& bind(const Values&... values) {
    if (bound_ > 0) reset();  // else it is finished
    return add(values...);
  }
  /// Binds the parameters that follow those bound since the last reset or finished run.
  template <class... Values>
  Statement& add(const Values&... values) {
    (bind_at(++bound_, values), ...);
    return *this;
  }
  /// True: there is a row to read. False: done, and ready to be bound again.
  Result<bool> step();
  /// bind() and step() until done.
  template <class... Values>
  Result<void> run(const Values&... values) {
    bind(values...);
    for (;;) {
      const Result<bool> row = step();
      if (!row) return row.error();
      if (!*row) return {};
    }
  }
  void reset();

  // The row's columns, from 0.
  std::string text(int column) const;       ///< or the bytes of a blob
  std::string_view view(int column) const;  ///< the same, until the next step
  bool is_text(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_TEXT; }
  bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  std::optional<std::int64_t> maybe_integer(int column) const;
  // All columns, as texts; NULL is empty.
  std::vector<std::string> names() const;
  std::vector<std::string> texts() const;

 private:
  void bind_at(int position, std::string_view text);
  void bind_at(int position, std::nullopt_t);
  void bind_at(int position, Int128 amount);  ///< one amount must fit 64 bits
  void bind_at(int position, TimePoint time);
  void bind_at(int position, const Blob& blob);
  void bind_at(int position, const Ref& row) { bind_at(position, row.number); }
  template <std::integral Integer>
  void bind_at(int position, Integer value) {
    check(sqlite3_bind_int64(handle_.get(), position, static_cast<sqlite3_int64>(value)));
  }
  template <class Value>
  void bind_at(int position, const std::optional<Value>& value) {
    value ? bind_at(position, *value) : bind_at(position, std::nullopt);
  }
  void check(int code);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  std::optional<Error> prepare_error_, bind_error_;
  int bound_ = 0;
};

/// An open file. Closing it finishes the write-ahead log, if it is the last connection.
class Database {
 public:
  static Result<Database> open(const std::string& path, int flags);
  /// Beside whoever writes it; or a copy at rest, in a folder where nothing may be written.
  static Result<Database> open_to_read(const std::string& path);

  sqlite3* handle() const { return handle_.get(); }
  /// One or more statements without parameters or rows.
  Result<void> execute(const std::string& script);
  Result<std::int64_t> integer(std::string_view query);
  /// `work` in one transaction, which becomes nothing if it fails.
  template <class Work>
  Result<void> writing(Work work) {
    // A deferred transaction would fail at once, not wait, when it turns into a writer.
    if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
    Result<void> done = work();
    if (done) done = execute("COMMIT");
    if (!done && sqlite3_get_autocommit(handle()) == 0) (void)execute("ROLLBACK");
    return done;
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace fairlead::sqlite
