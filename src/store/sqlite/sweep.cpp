#include "store/sqlite/sweep.h"

#include <algorithm>
#include <utility>

namespace fairlead::sqlite {

Sweep::Sweep(Database& database, std::int64_t rows_max) : database_(database), rows_max_(rows_max) {}

Result<bool> Sweep::step() {
  auto more = next();
  if (!more || !*more) begun_ = false;
  return more;
}

Result<bool> Sweep::next() {
  if (begun_ && lines_read_ && swept_ == tables_.size()) return false;
  auto done = !begun_ ? begin() : !lines_read_ ? read_lines() : sweep_some(tables_[swept_]);
  if (!done) return done.error();
  return true;
}

/// In one transaction: what the daemon saved before is within the bounds, and what it saves afterwards refers to nothing there.
Result<void> Sweep::begin() {
  tables_ = {{Refers::asks, "asks", "plan"},
             {Refers::endings, "endings", "0"},
             {Refers::terms, "terms", "price"},
             {Refers::outcomes, "outcomes", "price"},
             {Refers::texts, "texts", "0"}};
  lines_read_ = false;
  swept_ = 0;
  auto done = database_.writing([&] {
    auto counted = database_.execute("UPDATE sweeps SET n = n + 1");
    return counted ? look() : counted;
  });
  begun_ = done.has_value();
  return done;
}

Result<void> Sweep::look() {
  for (Table& table : tables_) {
    const auto last = database_.integer("SELECT coalesce(max(id), 0) FROM " + table.name);
    if (!last) return last.error();
    table.bound = *last;
    table.referred.assign(static_cast<std::size_t>(*last) + 1, false);
    table.referred.front() = table.referred.back() = true;  // the first says that there is none
  }
  const auto first =
      database_.integer("SELECT min(n) FROM (SELECT min(n) AS n FROM lines UNION ALL SELECT min(line) FROM retries)");
  if (!first) return first.error();
  const auto last = database_.integer("SELECT max(n) FROM lines");
  if (!last) return last.error();
  at_ = *first - 1;
  last_line_ = *last;
  return {};
}

Result<void> Sweep::read_lines() {
  Statement some(database_.handle(), "SELECT max(n) FROM (SELECT n FROM lines WHERE n > ? ORDER BY n LIMIT ?)");
  some.bind(at_, rows_max_);
  if (const auto row = some.step(); !row) return row.error();
  const std::int64_t to = std::min(some.maybe_integer(0).value_or(last_line_), last_line_);
  some.reset();
  if (auto done = read("lines", "n", request_columns, to); !done) return done;
  if (auto done = read("lines", "n", attempt_columns, to); !done) return done;
  if (auto done = read("retries", "line", attempt_columns, to); !done) return done;
  lines_read_ = to >= last_line_;
  at_ = lines_read_ ? 0 : to;
  return {};
}

Result<void> Sweep::read(const std::string& table, const std::string& key, std::span<const LineColumn> columns, std::int64_t to) {
  std::string list;
  for (const LineColumn& column : columns)
    if (column.refers != Refers::none) list.append(list.empty() ? "" : ", ").append(column.name);
  Statement rows(database_.handle(), "SELECT " + list + " FROM " + table + " WHERE " + key + " > ? AND " + key + " <= ?");
  rows.bind(at_, to);
  for (;;) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return {};
    int at = 0;
    for (const LineColumn& column : columns)
      if (column.refers != Refers::none) refer(column.refers, rows.integer(at++));  // none is NULL, and reads as 0
  }
}

void Sweep::refer(Refers to, std::int64_t number) {
  const auto table = std::find_if(tables_.begin(), tables_.end(), [&](const Table& other) { return other.refers == to; });
  if (number > 0 && number < table->bound) table->referred[static_cast<std::size_t>(number)] = true;
}

Result<void> Sweep::sweep_some(Table& table) {
  Statement rows(database_.handle(),
                 "SELECT id, " + table.text + " FROM " + table.name + " WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
  rows.bind(at_, table.bound, rows_max_);
  std::string gone;
  std::int64_t looked_at = 0;
  for (;; ++looked_at) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) break;
    at_ = rows.integer(0);
    if (table.referred[static_cast<std::size_t>(at_)])
      refer(Refers::texts, rows.integer(1));
    else
      gone.append(gone.empty() ? "[" : ",").append(std::to_string(at_));
  }
  if (looked_at < rows_max_) {  // there are no more: the last may have gone with somebody else's sweep
    ++swept_;
    at_ = 0;
  }
  if (gone.empty()) return {};
  Statement remove(database_.handle(), "DELETE FROM " + table.name + " WHERE id IN (SELECT value FROM json_each(?))");
  return remove.run(std::string_view(gone += "]"));
}

}  // namespace fairlead::sqlite
