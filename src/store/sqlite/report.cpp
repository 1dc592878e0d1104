#include "store/sqlite/report.h"

#include "store/sqlite/report_sources.h"
#include "store/sqlite/sums.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

constexpr std::chrono::microseconds hour = std::chrono::hours(1), day = std::chrono::hours(24);

struct Dimension {
  std::string_view name;
  std::string_view expression;  ///< "@" stands for the seconds since 1970 that the clocks show, "#" for how far they are from UTC
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
    {"month", "strftime('%Y-%m', @, 'unixepoch')"},
    {"week", "date(@, 'unixepoch', 'weekday 0', '-6 days')"},  // the Monday before its Sunday
    {"day", "date(@, 'unixepoch')"},
    {"hour", "strftime('%Y-%m-%dT%H:00', @, 'unixepoch') || #"},
};

/// "+02:00"
std::string offset_text(int minutes) {
  const auto two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  const int size = std::abs(minutes);
  return (minutes < 0 ? "-" : "+") + two(size / 60) + ":" + two(size % 60);
}

/// Of a zone, what `value` says of its offset in minutes at f.at.
template <typename Value>
std::string at_offset(const Zone& zone, Value value) {
  std::string sql = "CASE";
  for (std::size_t i = 0; i + 1 < zone.changes.size(); ++i)
    sql += " WHEN f.at < " + std::to_string(zone.changes[i + 1].from.time_since_epoch().count()) + " THEN " +
           value(zone.changes[i].offset_minutes);
  const std::string last = value(zone.changes.empty() ? 0 : zone.changes.back().offset_minutes);
  return zone.changes.size() < 2 ? last : sql + " ELSE " + last + " END";
}

std::string expression_of(const Dimension& dimension, const Zone* zone) {
  std::string sql;
  for (const char c : dimension.expression) {
    if (c == '@') {
      sql += "f.at / 1000000";
      if (zone) sql += " + " + at_offset(*zone, [](int minutes) { return std::to_string(minutes * 60); });
    } else if (c == '#') {
      sql += zone ? at_offset(*zone, [](int minutes) { return "'" + offset_text(minutes) + "'"; }) : "'Z'";
    } else {
      sql += c;
    }
  }
  return sql;
}

/// "f.provider, f.team, ", or an error for a name that is not in the table.
Result<std::string> group_list(const ReportQuery& query) {
  std::string list;
  for (const std::string& name : query.by) {
    std::string known;
    bool found = false;
    for (const Dimension& dimension : dimensions) {
      known.append(known.empty() ? "" : ", ").append(dimension.name);
      if (dimension.name != name) continue;
      list.append(expression_of(dimension, query.zone.get())).append(", ");
      found = true;
    }
    if (!found)
      return Error(ErrorKind::config, ErrorOrigin::fairlead, "there is no report by '" + name + "': choose from " + known);
  }
  return list;
}

/// "f.at / ..., ": how a query cuts its groups further.
std::string cut_list(const PriceCut& cut) {
  const std::string unit = std::to_string((cut.hourly ? hour : day).count());
  std::string list = "f.at / " + unit + " * " + unit + ", ";
  if (!cut.by_request) return list;
  const std::string input = "coalesce(f.input_tokens, 0) + coalesce(f.cached_input_tokens, 0) + coalesce(f.cache_write_tokens, 0)";
  std::string above = "0";
  for (const std::int64_t tokens_above : cut.input_above) {
    const std::string bound = std::to_string(tokens_above);
    above = "iif(" + input + " > " + bound + ", " + bound + ", " + above + ")";
  }
  return list + above + ", coalesce(f.reasoning_tokens, 0) > 0, ";
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

bool by_request(const ReportQuery& query) { return query.cut && query.cut->by_request; }

/// Are there times in its groups, by the clocks of a zone?
bool by_local_time(const ReportQuery& query) {
  return query.zone && std::any_of(query.by.begin(), query.by.end(), [](const std::string& name) {
           return std::any_of(std::begin(dimensions), std::end(dimensions), [&](const Dimension& dimension) {
             return dimension.name == name && dimension.expression.find('@') != std::string_view::npos;
           });
         });
}

/// Do the zone's hours begin as UTC's do, all through the period?
bool has_utc_hours(const Zone& zone, const ReportQuery& query) {
  for (std::size_t i = 0; i < zone.changes.size(); ++i) {
    const bool over = query.since && i + 1 < zone.changes.size() && zone.changes[i + 1].from <= *query.since;
    const bool ahead = query.until && i > 0 && zone.changes[i].from >= *query.until;
    if (!over && !ahead && zone.changes[i].offset_minutes % 60 != 0) return false;
  }
  return true;
}

bool has(const ReportQuery& query, std::string_view name) {
  return std::find(query.by.begin(), query.by.end(), name) != query.by.end();
}

/// Is the whole of this UTC day in one month and one week of the query's, as far as it asks for them?
bool is_in_one(const ReportQuery& query, TimePoint begin) {
  using namespace std::chrono;
  const sys_days first = floor<days>(query.zone->local(begin));
  const sys_days last = floor<days>(query.zone->local(begin + day - microseconds(1)));
  const auto month_of = [](sys_days at) { return year_month_day(at).year() / year_month_day(at).month(); };
  const auto week_of = [](sys_days at) { return at - days(weekday(at).iso_encoding() - 1); };
  return (!has(query, "month") || month_of(first) == month_of(last)) && (!has(query, "week") || week_of(first) == week_of(last));
}

/// UTC days whose hours are read one by one: the period begins or ends within them, or a month or week of its zone does.
Result<std::set<std::int64_t>> split_days(Database& database, const ReportQuery& query) {
  std::set<std::int64_t> split;
  for (const auto& at : {query.since, query.until})
    if (!is_whole(at, day)) split.insert(std::chrono::floor<std::chrono::days>(*at).time_since_epoch() / day * day.count());
  if (!by_local_time(query)) return split;
  const auto first = database.integer("SELECT coalesce(min(at), 0) FROM day_sums");
  const auto last = database.integer("SELECT coalesce(max(at), -1) FROM day_sums");
  if (!first || !last) return first ? last.error() : first.error();
  for (std::int64_t at = *first; at <= *last; at += day.count())
    if (!is_in_one(query, TimePoint(std::chrono::microseconds(at)))) split.insert(at);
  return split;
}

bool by_other_hours(const ReportQuery& query) { return by_local_time(query) && !has_utc_hours(*query.zone, query); }

/// Rows can be read of a period of which none was let go.
Result<std::string> rows_of(Database& database, const ReportQuery& query, const Span& period) {
  const auto gone = database.integer("SELECT coalesce(max(day), -1) FROM let_go");
  if (!gone) return gone.error();
  const TimePoint kept_from(std::chrono::microseconds(*gone + day.count()));
  if (*gone >= 0 && (!query.since || *query.since < kept_from))
    return Error(ErrorKind::config, ErrorOrigin::fairlead,
                 (by_other_hours(query) ? "the hours of " + query.zone->name + " are not those that sums are kept of, and " : "") +
                     "rows before " + day_text(kept_from) + " are no longer in the ledger: ask for " +
                     (by_other_hours(query) || by_request(query) ? "a period from then on" : "whole hours, whose sums are kept"));
  if (period.since.empty()) return from_rows(period, "");
  const auto late = database.integer("SELECT count(*) FROM late WHERE booked_at >= " + period.since);
  if (!late) return late.error();
  return from_rows(period, *late == 0 ? period.since : std::string());
}

Result<std::string> source_of(Database& database, const ReportQuery& query) {
  const Span period{number_of(query.since), number_of(query.until)};
  if (query.from_rows || by_request(query) || by_other_hours(query) || !is_whole(query.since, hour) || !is_whole(query.until, hour))
    return rows_of(database, query, period);
  const bool by_hour = (query.cut && query.cut->hourly) || has(query, "hour") || (query.zone && has(query, "day"));
  if (by_hour) return from_sums("hour_sums", period);
  const auto split = split_days(database, query);
  if (!split) return split.error();
  return from_sums(split->empty() ? "day_sums" : days_but(*split), period);
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
  const auto groups = group_list(query);
  if (!groups) return groups.error();
  const auto source = source_of(database, query);
  if (!source) return source.error();
  std::size_t columns = query.by.size();
  if (query.cut) columns += query.cut->by_request ? 3 : 1;
  const std::string grouped = positions(columns + 1);
  Statement statement(database.handle(), "SELECT " + *groups + (query.cut ? cut_list(*query.cut) : "") + "f.currency, " +
                                             figures() + " FROM (" + *source + ") f GROUP BY " + grouped + " ORDER BY " + grouped);
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
