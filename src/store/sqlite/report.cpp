#include "store/sqlite/report.h"

#include "store/sqlite/report_sources.h"
#include "store/sqlite/sum_ranges.h"
#include "store/sqlite/tally.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

using std::chrono::microseconds;

constexpr microseconds hour = std::chrono::hours(1), day = std::chrono::hours(24);

bool is_full_hour(const std::optional<TimePoint>& at) { return !at || at->time_since_epoch() % hour == microseconds(0); }

std::string number_of(const std::optional<TimePoint>& at) {
  return at ? std::to_string(at->time_since_epoch().count()) : std::string();
}

bool by_request(const ReportQuery& query) { return query.cut && query.cut->by_request; }

/// "g.provider, g.model, ..."
std::string group_names() {
  std::string sql;
  for (const std::string_view name : name_dimensions) sql.append(sql.empty() ? "g." : ", g.").append(name);
  return sql;
}

/// From the columns of group_names().
Names read_names(const Statement& row, int first) {
  Names names;
  for (std::string& name : names) name = row.text(first++);
  return names;
}

/// The sums of the period that are to be read, or that sums do not tell.
Result<std::optional<std::vector<SumRange>>> ranges_of(Database& database, const ReportQuery& query, ReportTimes& times) {
  using Ranges = std::optional<std::vector<SumRange>>;
  if (query.from_rows || by_request(query) || !is_full_hour(query.since) || !is_full_hour(query.until)) return Ranges();
  const auto first = database.integer("SELECT coalesce(min(at), 0) FROM day_sums");
  const auto last = database.integer("SELECT coalesce(max(at), " + std::to_string(-day.count()) + ") FROM day_sums");
  if (!first || !last) return first ? last.error() : first.error();
  const TimePoint from(microseconds{*first}), until(microseconds(*last) + day);
  return sum_ranges(times, std::max(from, query.since.value_or(from)), std::min(until, query.until.value_or(until)));
}

Result<void> count_sums(Database& database, const std::vector<SumRange>& ranges, TallyFunctions& functions) {
  Statement groups(database.handle(), "SELECT g.id, " + group_names() + " FROM sum_groups g");
  for (;;) {
    const Result<bool> row = groups.step();
    if (!row) return row.error();
    if (!*row) break;
    functions.know_group(groups.integer(0), read_names(groups, 1));
  }
  std::vector<Statement> reading;
  for (const SumTable& table : sum_tables) reading.emplace_back(database.handle(), tally_of(table));
  for (const SumRange& range : ranges)
    if (auto done = reading[static_cast<std::size_t>(range.table - sum_tables)].run(range.from, range.until); !done) return done;
  return {};
}

Result<void> count_rows(Database& database, const std::vector<std::string>& queries) {
  for (const std::string& query : queries)
    if (auto done = Statement(database.handle(), query).run(); !done) return done;
  return {};
}

/// Rows can be read of a period of which none was let go.
Result<void> require_rows(Database& database, const ReportQuery& query, bool hours_differ) {
  const auto gone = database.integer("SELECT coalesce(max(day), -1) FROM let_go");
  if (!gone) return gone.error();
  const TimePoint kept_from(microseconds(*gone + day.count()));
  if (*gone < 0 || (query.since && *query.since >= kept_from)) return {};
  return Error(ErrorKind::config, ErrorOrigin::fairlead,
               (hours_differ ? "the hours of " + query.zone->name + " are not those that sums are kept of, and " : "") +
                   "rows before " + day_text(kept_from) + " are no longer in the ledger: ask for " +
                   (hours_differ || by_request(query) ? "a period from then on" : "whole hours, whose sums are kept"));
}

Result<void> count_all_rows(Database& database, const ReportQuery& query, const Span& period) {
  const bool hours_differ = !query.from_rows && !by_request(query) && is_full_hour(query.since) && is_full_hour(query.until);
  if (auto kept = require_rows(database, query, hours_differ); !kept) return kept;
  if (period.since.empty()) return count_rows(database, all_rows(period, ""));
  const auto late = database.integer("SELECT count(*) FROM late WHERE booked_at >= " + period.since);
  if (!late) return late.error();
  return count_rows(database, all_rows(period, *late == 0 ? period.since : std::string()));
}

Result<void> read_corrections(Database& database, const ReportQuery& query, ReportTimes& times, std::vector<ReportRow>& rows) {
  std::string sql = "SELECT c.booked_at, c.reason, c.cost_pico, c.usd_pico, c.charge_usd_pico, " + group_names() +
                    " FROM corrections c JOIN sum_groups g ON g.id = c.sum_group WHERE 1";
  if (query.since) sql += " AND c.booked_at >= " + number_of(query.since);
  if (query.until) sql += " AND c.booked_at < " + number_of(query.until);
  Statement statement(database.handle(), sql + " ORDER BY c.id");
  const std::ptrdiff_t sums = std::ssize(rows);
  for (;;) {
    const Result<bool> row = statement.step();
    if (!row) return row.error();
    if (!*row) break;
    const Names names = read_names(statement, 5);
    ReportRow read;
    read.group = group_of(query, names, times.texts(times.number(TimePoint(microseconds(statement.integer(0))))));
    read.group.resize(query.by.size());
    read.correction = statement.text(1);
    const auto currency = parse_currency(names[currency_name]);
    if (!currency) return currency.error();
    read.cost.push_back({statement.integer(2), *currency});
    read.usd_pico = statement.integer(3);
    read.charge_usd_pico = statement.integer(4);
    rows.push_back(std::move(read));
  }
  std::stable_sort(rows.begin() + sums, rows.end(), [](const ReportRow& a, const ReportRow& b) { return a.group < b.group; });
  return {};
}

}  // namespace

Result<std::vector<ReportRow>> read_report(Database& database, const ReportQuery& query) {
  if (auto known = require_dimensions(query.by); !known) return known.error();
  ReportTimes times(query);
  Tally tally(query, times);
  TallyFunctions functions(database.handle(), tally);
  if (!functions.taken()) return last_error(database.handle());
  const Span period{number_of(query.since), number_of(query.until)};
  const auto ranges = ranges_of(database, query, times);
  if (!ranges) return ranges.error();
  auto counted = *ranges ? count_sums(database, **ranges, functions) : count_all_rows(database, query, period);
  if (counted && *ranges) counted = count_rows(database, open_rows(period));
  if (!counted) return counted.error();
  auto rows = tally.take_rows();
  if (!rows) return rows;
  if (auto done = read_corrections(database, query, times, *rows); !done) return done.error();
  return rows;
}

}  // namespace fairlead::sqlite
