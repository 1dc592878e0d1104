#include "store/sqlite/report_sources.h"

namespace fairlead::sqlite {
namespace {

/// One kind of rows: a line with its first attempt, or a retry.
struct Rows {
  std::string_view from;  ///< `x`: the row; `l`: its line
  std::string_view is_last, number;
};
constexpr Rows first_attempts{"lines x JOIN lines l ON l.n = x.n", "NOT EXISTS (SELECT 1 FROM retries q WHERE q.line = l.n)", "1"};
constexpr Rows retries{"retries x JOIN lines l ON l.n = x.line",
                       "x.number = (SELECT max(number) FROM retries q WHERE q.line = x.line)", "x.number"};

std::string in_period(const std::string& at, const Span& period) {
  std::string sql;
  if (!period.since.empty()) sql += " AND " + at + " >= " + period.since;
  if (!period.until.empty()) sql += " AND " + at + " < " + period.until;
  return sql;
}

const std::string counts_at = "coalesce(b.booked_at, x.sent_at)";

/// `figures`: from `requests` to the end.
std::string select(const Rows& rows, const std::string& figures) {
  return "SELECT " + counts_at +
         " AS at, a.key AS key, a.team AS team, a.project AS project, a.route AS route, t.provider AS provider, t.model AS model, "
         "t.target AS target, coalesce(o.usage_source, '') AS usage_source, coalesce(o.cost_currency, '') AS currency, " +
         figures + " FROM " + std::string(rows.from) +
         " JOIN asks a ON a.id = l.ask JOIN terms t ON t.id = x.terms JOIN outcomes o ON o.id = x.outcome LEFT JOIN late b ON "
         "b.line = l.n AND b.number = " +
         std::string(rows.number) + " WHERE ";
}

/// Of what is in no sum yet: how many it is, and nothing else.
std::string open_figures(const std::string& requests, const std::string& attempts) {
  std::string sql = "0 AS unpriced, " + requests + " AS requests, " + attempts + " AS attempts, 0 AS failed";
  for (const std::string_view kind : tokens) sql.append(", NULL AS ").append(kind);
  for (const std::string_view amount : amounts) sql.append(", 0 AS ").append(amount);
  return sql;
}

std::string open_rows(const Span& period) {
  const std::string first_last(first_attempts.is_last), retry_last(retries.is_last);
  const std::string when = in_period(counts_at, period);
  return select(first_attempts, open_figures("(x.ending = 0 AND " + first_last + ")", "(x.outcome = 0)")) +
         "x.batch IS NULL AND (x.outcome = 0 OR (x.ending = 0 AND " + first_last + "))" + when + " UNION ALL " +
         select(retries, open_figures("(l.ending = 0 AND " + retry_last + ")", "1")) + "l.batch IS NULL AND x.outcome = 0" + when +
         " UNION ALL " + select(retries, open_figures("1", "0")) + "l.batch IS NULL AND l.ending = 0 AND x.outcome <> 0 AND " +
         retry_last + when;
}

std::string row_figures(const Rows& rows) {
  std::string sql = "(x.outcome <> 0 AND x.cost_pico IS NULL) AS unpriced, " + std::string(rows.is_last) +
                    " AS requests, 1 AS attempts, (o.state = 'interrupted' OR (o.state = 'settled' AND o.error <> '')) AS failed";
  for (const std::string_view kind : tokens) sql.append(", x.").append(kind).append(" AS ").append(kind);
  const char* columns[] = {"cost_pico", "attempt_usd_pico", "attempt_charge_usd_pico"};
  for (int i = 0; i < 3; ++i) {
    const std::string column = std::string("coalesce(x.") + columns[i] + ", 0)";
    sql.append(", ").append(column).append(" / 1000000000 AS ").append(amounts[2 * i]);
    sql.append(", ").append(column).append(" % 1000000000 AS ").append(amounts[2 * i + 1]);
  }
  return sql;
}

}  // namespace

std::string days_but(const std::set<std::int64_t>& split) {
  std::string list, rows;
  for (const std::int64_t at : split) {
    const std::string number = std::to_string(at);
    list.append(list.empty() ? "" : ", ").append(number);
    rows.append(rows.empty() ? "(" : ", (").append(number).append(")");
  }
  return "(SELECT * FROM day_sums WHERE at NOT IN (" + list + ") UNION ALL SELECT h.* FROM (VALUES " + rows +
         ") e JOIN hour_sums h ON h.at >= e.column1 AND h.at < e.column1 + 86400000000)";
}

std::string from_sums(std::string_view table, const Span& period) {
  std::string sql =
      "SELECT s.at AS at, g.key AS key, g.team AS team, g.project AS project, g.route AS route, g.provider AS "
      "provider, g.model AS model, g.target AS target, g.usage_source AS usage_source, g.currency AS currency, "
      "CASE WHEN g.currency = '' THEN s.attempts ELSE 0 END AS unpriced";
  for (const std::string_view column : counts) sql.append(", s.").append(column).append(" AS ").append(column);
  for (const std::string_view column : tokens) sql.append(", s.").append(column).append(" AS ").append(column);
  for (const std::string_view column : amounts) sql.append(", s.").append(column).append(" AS ").append(column);
  return sql + " FROM " + std::string(table) + " s JOIN sum_groups g ON g.id = s.sum_group WHERE 1" + in_period("s.at", period) +
         " UNION ALL " + open_rows(period);
}

std::string from_rows(const Span& period, const std::string& sent_since) {
  std::string when = in_period(counts_at, period);
  if (!sent_since.empty()) when += " AND x.sent_at >= " + sent_since;
  if (!period.until.empty()) when += " AND x.sent_at < " + period.until;  // it never counts before it was sent
  return select(first_attempts, row_figures(first_attempts)) + "1" + when + " UNION ALL " + select(retries, row_figures(retries)) +
         "1" + when;
}

}  // namespace fairlead::sqlite
