#include "store/sqlite/report.h"

#include "store/sqlite/report_sources.h"
#include "store/sqlite/sums.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

constexpr std::chrono::microseconds hour = std::chrono::hours(1), day = std::chrono::hours(24);

struct Dimension {
  std::string_view name;
  std::string_view expression;
};
constexpr Dimension dimensions[] = {
    {"provider", "f.provider"},
    {"model", "f.model"},
    {"target", "f.target"},
    {"route", "f.route"},
    {"key", "f.key"},
    {"team", "f.team"},
    {"project", "f.project"},
    {"usage_source", "f.usage_source"},
    {"currency", "f.currency"},
    {"month", "strftime('%Y-%m', f.at / 1000000, 'unixepoch')"},
    {"week", "date(f.at / 1000000, 'unixepoch', 'weekday 0', '-6 days')"},  // the Monday before its Sunday
    {"day", "date(f.at / 1000000, 'unixepoch')"},
    {"hour", "strftime('%Y-%m-%dT%H:00Z', f.at / 1000000, 'unixepoch')"},
};

/// "f.provider, f.team, ", or an error for a name that is not in the table.
Result<std::string> group_list(const std::vector<std::string>& by) {
  std::string list;
  for (const std::string& name : by) {
    std::string known;
    bool found = false;
    for (const Dimension& dimension : dimensions) {
      known.append(known.empty() ? "" : ", ").append(dimension.name);
      if (dimension.name != name) continue;
      list.append(dimension.expression).append(", ");
      found = true;
    }
    if (!found)
      return Error(ErrorKind::config, ErrorOrigin::fairlead, "there is no report by '" + name + "': choose from " + known);
  }
  return list;
}

/// "1, 2": the positions of the first columns in the result.
std::string positions(std::size_t columns) {
  std::string list;
  for (std::size_t i = 1; i <= columns; ++i) list.append(i == 1 ? "" : ", ").append(std::to_string(i));
  return list;
}

bool is_whole(const std::optional<TimePoint>& at, std::chrono::microseconds unit) {
  return !at || at->time_since_epoch() % unit == std::chrono::microseconds(0);
}

std::string number_of(const std::optional<TimePoint>& at) {
  return at ? std::to_string(at->time_since_epoch().count()) : std::string();
}

/// Rows can be read of a period of which none was let go.
Result<std::string> rows_of(Database& database, const ReportQuery& query, const Span& period) {
  const auto gone = database.integer("SELECT coalesce(max(day), -1) FROM let_go");
  if (!gone) return gone.error();
  const TimePoint kept_from(std::chrono::microseconds(*gone + day.count()));
  if (*gone >= 0 && (!query.since || *query.since < kept_from))
    return Error(ErrorKind::config, ErrorOrigin::fairlead,
                 "rows before " + day_text(kept_from) + " are no longer in the ledger: ask for whole hours, whose sums are kept");
  if (period.since.empty()) return from_rows(period, "");
  const auto late = database.integer("SELECT count(*) FROM late WHERE booked_at >= " + period.since);
  if (!late) return late.error();
  return from_rows(period, *late == 0 ? period.since : std::string());
}

Result<std::string> source_of(Database& database, const ReportQuery& query) {
  const Span period{number_of(query.since), number_of(query.until)};
  if (query.from_rows || !is_whole(query.since, hour) || !is_whole(query.until, hour)) return rows_of(database, query, period);
  const bool by_hour = std::find(query.by.begin(), query.by.end(), "hour") != query.by.end();
  return from_sums(by_hour || !is_whole(query.since, day) || !is_whole(query.until, day) ? "hour_sums" : "day_sums", period);
}

std::string figures() {
  std::string sql;
  for (const std::string_view column : counts) sql.append("sum(f.").append(column).append("), ");
  for (const std::string_view column : tokens) sql.append("sum(f.").append(column).append("), ");
  sql += "sum(f.unpriced)";
  for (const std::string_view column : amounts) sql.append(", sum(f.").append(column).append(")");
  const std::string estimated = "CASE WHEN f.usage_source IN ('estimated', 'invalid') THEN f.";
  for (const char* column : {"attempts", "usd_milli", "usd_rest_pico"}) sql += ", sum(" + estimated + column + " ELSE 0 END)";
  return sql;
}

Int128 combine(const Statement& row, int column) { return Int128{row.integer(column)} * milli + row.integer(column + 1); }

std::vector<std::string> read_group(const Statement& row, std::size_t columns) {
  std::vector<std::string> group;
  for (std::size_t i = 0; i < columns; ++i) group.push_back(row.text(static_cast<int>(i)));
  return group;
}

/// Adds the part of a group which is in one currency. The part without one has no cost.
Result<void> add_figures(ReportRow& to, const Statement& row, std::size_t columns) {
  int at = static_cast<int>(columns);
  const std::string currency_text = row.text(at++);
  to.requests += row.integer(at++);
  to.attempts += row.integer(at++);
  to.failed_attempts += row.integer(at++);
  Usage& usage = to.usage;
  for (auto* kind :
       {&usage.input, &usage.cached_input, &usage.cache_write, &usage.output, &usage.reasoning, &usage.audio, &usage.image})
    if (const auto more = row.maybe_integer(at++)) *kind = kind->value_or(0) + *more;
  to.unpriced_attempts += row.integer(at++);
  if (!currency_text.empty()) {
    const auto currency = parse_currency(currency_text);
    if (!currency) return currency.error();
    to.cost.push_back({combine(row, at), *currency});
  }
  to.usd_pico += combine(row, at + 2);
  to.charge_usd_pico += combine(row, at + 4);
  to.estimated_attempts += row.integer(at + 6);
  to.estimated_usd_pico += combine(row, at + 7);
  return {};
}

Result<void> read_corrections(Database& database, const std::string& groups, const ReportQuery& query,
                              std::vector<ReportRow>& rows) {
  const std::size_t columns = query.by.size();
  std::string sql =
      "SELECT " + groups +
      "f.reason, f.currency, f.cost_pico, f.usd_pico, f.charge_usd_pico FROM (SELECT c.booked_at AS at, c.*, g.* FROM "
      "corrections c JOIN sum_groups g ON g.id = c.sum_group) f WHERE 1";
  if (query.since) sql += " AND f.at >= " + number_of(query.since);
  if (query.until) sql += " AND f.at < " + number_of(query.until);
  Statement statement(database.handle(), sql + " ORDER BY " + (columns == 0 ? "" : positions(columns) + ", ") + "f.id");
  const int at = static_cast<int>(columns);
  for (;;) {
    const Result<bool> row = statement.step();
    if (!row) return row.error();
    if (!*row) return {};
    ReportRow read;
    read.group = read_group(statement, columns);
    read.correction = statement.text(at);
    const auto currency = parse_currency(statement.text(at + 1));
    if (!currency) return currency.error();
    read.cost.push_back({statement.integer(at + 2), *currency});
    read.usd_pico = statement.integer(at + 3);
    read.charge_usd_pico = statement.integer(at + 4);
    rows.push_back(std::move(read));
  }
}

}  // namespace

Result<std::vector<ReportRow>> read_report(Database& database, const ReportQuery& query) {
  const auto groups = group_list(query.by);
  if (!groups) return groups.error();
  const auto source = source_of(database, query);
  if (!source) return source.error();
  const std::size_t columns = query.by.size();
  const std::string grouped = positions(columns + 1);
  Statement statement(database.handle(), "SELECT " + *groups + "f.currency, " + figures() + " FROM (" + *source + ") f GROUP BY " +
                                             grouped + " ORDER BY " + grouped);
  std::vector<ReportRow> rows;
  for (;;) {
    const Result<bool> row = statement.step();
    if (!row) return row.error();
    if (!*row) break;
    std::vector<std::string> group = read_group(statement, columns);
    if (rows.empty() || rows.back().group != group) rows.emplace_back().group = std::move(group);
    if (auto added = add_figures(rows.back(), statement, columns); !added) return added.error();
  }
  if (auto done = read_corrections(database, *groups, query, rows); !done) return done.error();
  return rows;
}

}  // namespace fairlead::sqlite
