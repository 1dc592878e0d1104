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
/// They are read in less than a fifth of a second.
constexpr std::int64_t few_sums = 500'000;

bool is_full_hour(const std::optional<TimePoint>& at) { return !at || at->time_since_epoch() % hour == microseconds(0); }

/// The query's.
TimePoint begin_of(const ReportQuery& query) { return query.since.value_or(TimePoint::min()); }
TimePoint end_of(const ReportQuery& query) { return query.until.value_or(TimePoint::max()); }

bool by_request(const ReportQuery& query) { return query.cut && query.cut->by_request; }
bool all_from_rows(const ReportQuery& query) { return query.from_rows || by_request(query); }

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

std::optional<TimePoint> time_in(const Statement& row, int column) {
  const auto us = row.maybe_integer(column);
  return us ? std::optional(TimePoint(microseconds(*us))) : std::nullopt;
}

/// From the first day with sums to the last, as far as they are in the query's period.
Result<std::pair<TimePoint, TimePoint>> days_of(Database& database, const ReportQuery& query) {
  const auto first = database.integer("SELECT coalesce(min(at), 0) FROM day_sums");
  const auto last = database.integer("SELECT coalesce(max(at), " + std::to_string(-day.count()) + ") FROM day_sums");
  if (!first || !last) return first ? last.error() : first.error();
  const TimePoint from(microseconds{*first}), until(microseconds(*last) + day);
  return std::pair(std::max(from, begin_of(query)), std::min(until, end_of(query)));
}

/// What is to be read of the period.
Result<std::vector<SumRange>> ranges_of(Database& database, const ReportQuery& query, ReportTimes& times) {
  if (all_from_rows(query)) return std::vector<SumRange>{{nullptr, begin_of(query), end_of(query)}};
  const auto days = days_of(database, query);
  if (!days) return days.error();
  return sum_ranges(times, days->first, days->second);
}

/// `at`: when that counts whose rows are needed.
Error rows_gone(const ReportQuery& query, TimePoint at, TimePoint kept_from) {
  const bool hours_differ = !all_from_rows(query) && query.zone &&
                            (query.zone->offset_minutes(at) % 60 != 0 || (is_full_hour(query.since) && is_full_hour(query.until)));
  return {ErrorKind::config, ErrorOrigin::fairlead,
          (hours_differ ? "the hours of " + query.zone->name + " are not those that sums are kept of, and " : "") + "rows before " +
              day_text(kept_from) + " are no longer in the ledger: ask for " +
              (hours_differ || by_request(query) ? "a period from then on" : "whole hours, whose sums are kept")};
}

/// Rows can be read of what counts between times of which none was let go.
Result<void> require_rows(Database& database, const ReportQuery& query, const std::vector<SumRange>& ranges) {
  const auto kept_from = rows_kept_from(database);
  if (!kept_from) return kept_from.error();
  if (*kept_from == TimePoint::min()) return {};
  Statement late(database.handle(),
                 "SELECT 1 FROM late WHERE booked_at >= ? AND booked_at < ? AND NOT EXISTS (SELECT 1 FROM lines WHERE n = line)");
  for (const SumRange& range : ranges) {
    if (range.table != nullptr) continue;
    const Result<bool> late_gone = late.bind(range.from, range.until).step();
    if (!late_gone) return late_gone.error();
    if (range.from < *kept_from || *late_gone) return rows_gone(query, range.from, *kept_from);
  }
  return {};
}

Result<void> know_groups(Database& database, TallyFunctions& functions) {
  Statement groups(database.handle(), "SELECT g.id, " + group_names() + " FROM sum_groups g");
  for (;;) {
    const Result<bool> row = groups.step();
    if (!row) return row.error();
    if (!*row) return {};
    functions.know_group(groups.integer(0), read_names(groups, 1));
  }
}

Result<void> count(Database& database, const std::vector<SumRange>& ranges) {
  std::vector<Statement> sums, rows;
  for (const SumTable& table : sum_tables) sums.emplace_back(database.handle(), tally_of(table));
  for (const std::string& query : ended_rows()) rows.emplace_back(database.handle(), query);
  const auto run = [](Statement& statement, const SumRange& range) { return statement.run(range.from, range.until); };
  for (const SumRange& range : ranges) {
    if (range.table != nullptr) {
      if (auto done = run(sums[static_cast<std::size_t>(range.table - sum_tables)], range); !done) return done;
      continue;
    }
    for (Statement& some : rows)
      if (auto done = run(some, range); !done) return done;
  }
  return {};
}

Result<void> count_open(Database& database, const ReportQuery& query) {
  for (const std::string& some : open_rows())
    if (auto done = Statement(database.handle(), some).run(begin_of(query), end_of(query)); !done) return done;
  return {};
}

Result<void> read_corrections(Database& database, const ReportQuery& query, ReportTimes& times, std::vector<ReportRow>& rows) {
  Statement statement(
      database.handle(),
      "SELECT c.booked_at, c.reason, c.cost_pico, c.usd_pico, c.charge_usd_pico, c.day, "
      "(SELECT max(sent_at) FROM attempts WHERE request_id = c.request_id), " +
          group_names() +
          " FROM corrections c JOIN sum_groups g ON g.id = c.sum_group WHERE c.booked_at >= ? AND c.booked_at < ? ORDER BY c.id");
  statement.bind(begin_of(query), end_of(query));
  const std::ptrdiff_t sums = std::ssize(rows);
  for (;;) {
    const Result<bool> row = statement.step();
    if (!row) return row.error();
    if (!*row) break;
    const Names names = read_names(statement, 7);
    ReportRow read;
    read.group = group_of(query, names, times.texts(times.number(TimePoint(microseconds(statement.integer(0))))));
    read.group.resize(query.by.size());
    read.correction = statement.text(1);
    const auto currency = parse_currency(names[currency_name]);
    if (!currency) return currency.error();
    read.cost.push_back({statement.integer(2), *currency});
    read.usd_pico = statement.integer(3);
    read.charge_usd_pico = statement.integer(4);
    read.corrected = {time_in(statement, 5), time_in(statement, 6)};
    rows.push_back(std::move(read));
  }
  std::stable_sort(rows.begin() + sums, rows.end(), [](const ReportRow& a, const ReportRow& b) { return a.group < b.group; });
  return {};
}

/// As many as are read of a day of one group, in the middle of the period; an hour of rows is taken for one.
std::int64_t sums_of_a_day(const ReportQuery& query, TimePoint middle) {
  ReportTimes times(query);
  const TimePoint begin = std::chrono::floor<std::chrono::days>(middle);
  std::int64_t sums = 0;
  for (const SumRange& range : sum_ranges(times, begin, begin + day))
    sums += (range.until - range.from) / (range.table == nullptr ? hour : range.table->length);
  return sums;
}

}  // namespace

Result<std::vector<ReportRow>> read_report(Database& database, const ReportQuery& query, RowsGone gone) {
  if (auto known = require_dimensions(query.by); !known) return known.error();
  ReportTimes times(query);
  Tally tally(query, times);
  TallyFunctions functions(database.handle(), tally);
  if (!functions.taken()) return last_error(database.handle());
  const auto ranges = ranges_of(database, query, times);
  if (!ranges) return ranges.error();
  Result<void> done;
  if (gone == RowsGone::refused) done = require_rows(database, query, *ranges);
  if (done) done = know_groups(database, functions);
  if (done) done = count(database, *ranges);
  if (done) done = count_open(database, query);
  if (!done) return done.error();
  auto rows = tally.take_rows();
  if (!rows) return rows;
  done = read_corrections(database, query, times, *rows);
  if (!done) return done.error();
  return rows;
}

Result<Closing> read_month(Database& database, const Month& month) {
  const auto sums = read_report(database, {{}, month.from, month.until});
  if (!sums) return sums.error();
  Closing all{month.name, {}};
  for (const ReportRow& row : *sums) {
    all.attempts += row.attempts;
    all.usd_pico += row.usd_pico;
    all.charge_usd_pico += row.charge_usd_pico;
  }
  return all;
}

Result<std::optional<TimePoint>> middle_of(Database& database, const ReportQuery& query) {
  if (all_from_rows(query)) return std::optional<TimePoint>();
  const auto groups = database.integer("SELECT count(*) FROM sum_groups");
  const auto period = days_of(database, query);
  if (!groups || !period) return groups ? period.error() : groups.error();
  const auto& [from, until] = *period;
  if (until <= from) return std::optional<TimePoint>();
  const std::int64_t sums_max = *groups * sums_of_a_day(query, from + (until - from) / 2) * ((until - from) / day);
  if (sums_max < few_sums) return std::optional<TimePoint>();
  Statement days(database.handle(),
                 "SELECT at FROM day_sums WHERE at > ?1 AND at < ?2 ORDER BY at LIMIT 1 OFFSET "
                 "(SELECT count(*) / 2 FROM day_sums WHERE at > ?1 AND at < ?2)");
  const Result<bool> found = days.bind(from, until).step();
  if (!found) return found.error();
  return *found ? std::optional(TimePoint(microseconds(days.integer(0)))) : std::nullopt;
}

}  // namespace fairlead::sqlite
