#include "store/sqlite/report.h"

#include <map>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

struct Dimension {
  std::string_view name;
  std::string_view expression;
};
constexpr Dimension dimensions[] = {
    {"provider", "a.provider"},
    {"model", "a.model"},
    {"target", "a.target"},
    {"route", "r.route"},
    {"key", "r.key"},
    {"team", "r.team"},
    {"project", "r.project"},
    {"day", "date(a.sent_at / 1000000, 'unixepoch')"},
};

/// "a.provider, r.team, ", or an error for a name that is not in the table.
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

// A sum of 64-bit amounts may exceed 64 bits, and SQLite's sum() then fails. So the amounts are summed in two parts, which overflow
// only beyond a thousand million rows.
constexpr Int128 part = 1'000'000'000;

std::string sum_in_parts(const std::string& column) { return "sum(" + column + " / 1000000000), sum(" + column + " % 1000000000)"; }

Int128 combine(const Statement& row, int column) { return Int128{row.integer(column)} * part + row.integer(column + 1); }

const std::string figures =
    "count(DISTINCT a.request_id), count(*), sum(a.state = 'interrupted' OR (a.state = 'settled' AND a.error <> '')), "
    "sum(a.input_tokens), sum(a.cached_input_tokens), sum(a.cache_write_tokens), sum(a.output_tokens), sum(a.reasoning_tokens), "
    "sum(a.audio_tokens), sum(a.image_tokens), sum(a.usage_source IN ('estimated', 'invalid')), "
    "sum(a.state <> 'open' AND a.cost_pico IS NULL), ";

std::string from_where(const ReportQuery& query) {
  std::string sql = " FROM attempts a JOIN requests r ON r.id = a.request_id WHERE 1";
  if (query.since) sql += " AND a.sent_at >= " + std::to_string(query.since->time_since_epoch().count());
  if (query.until) sql += " AND a.sent_at < " + std::to_string(query.until->time_since_epoch().count());
  return sql;
}

/// "1, 2": the positions of the group's columns in the result.
std::string positions(std::size_t columns) {
  std::string list;
  for (std::size_t i = 1; i <= columns; ++i) list.append(i == 1 ? "" : ", ").append(std::to_string(i));
  return list;
}

std::vector<std::string> read_group(const Statement& row, std::size_t columns) {
  std::vector<std::string> group;
  for (std::size_t i = 0; i < columns; ++i) group.push_back(row.text(static_cast<int>(i)));
  return group;
}

ReportRow read_figures(const Statement& row, std::size_t columns) {
  ReportRow figures_row;
  figures_row.group = read_group(row, columns);
  int at = static_cast<int>(columns);
  figures_row.requests = row.integer(at++);
  figures_row.attempts = row.integer(at++);
  figures_row.failed_attempts = row.integer(at++);
  Usage& usage = figures_row.usage;
  for (auto* kind :
       {&usage.input, &usage.cached_input, &usage.cache_write, &usage.output, &usage.reasoning, &usage.audio, &usage.image})
    *kind = row.maybe_integer(at++);
  figures_row.estimated_attempts = row.integer(at++);
  figures_row.unpriced_attempts = row.integer(at++);
  figures_row.usd_pico = combine(row, at);
  return figures_row;
}

using Costs = std::map<std::vector<std::string>, std::vector<Money>>;

Result<Costs> read_costs(Database& database, const std::string& groups, std::size_t columns, const std::string& from) {
  Costs costs;
  const std::string grouped = positions(columns + 1);
  Statement statement(database.handle(), "SELECT " + groups + "a.cost_currency, " + sum_in_parts("a.cost_pico") + from +
                                             " AND a.cost_pico IS NOT NULL GROUP BY " + grouped + " ORDER BY " + grouped);
  const int at = static_cast<int>(columns);
  for (;;) {
    const Result<bool> row = statement.step();
    if (!row) return row.error();
    if (!*row) return costs;
    const auto currency = parse_currency(statement.text(at));
    if (!currency) return currency.error();
    costs[read_group(statement, columns)].push_back({combine(statement, at + 1), *currency});
  }
}

}  // namespace

Result<std::vector<ReportRow>> read_report(Database& database, const ReportQuery& query) {
  const auto groups = group_list(query.by);
  if (!groups) return groups.error();
  const std::size_t columns = query.by.size();
  const std::string from = from_where(query);
  auto costs = read_costs(database, *groups, columns, from);
  if (!costs) return costs.error();

  const std::string grouped = columns == 0 ? "" : " GROUP BY " + positions(columns) + " ORDER BY " + positions(columns);
  Statement statement(database.handle(), "SELECT " + *groups + figures + sum_in_parts("a.usd_pico") + from + grouped);
  std::vector<ReportRow> rows;
  for (;;) {
    const Result<bool> row = statement.step();
    if (!row) return row.error();
    if (!*row) return rows;
    ReportRow read = read_figures(statement, columns);
    if (read.attempts == 0) return rows;  // a sum without groups has a row even of nothing
    read.cost = std::move((*costs)[read.group]);
    rows.push_back(std::move(read));
  }
}

}  // namespace fairlead::sqlite
