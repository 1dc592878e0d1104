#include "store/sqlite/report_sources.h"

#include <string_view>

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
/// Of name_dimensions.
constexpr std::string_view names =
    "t.provider, t.model, t.target, a.route, a.key, a.team, a.project, o.usage_source, o.cost_currency";

std::string in_period(const std::string& at, const Span& period) {
  std::string sql;
  if (!period.since.empty()) sql += " AND " + at + " >= " + period.since;
  if (!period.until.empty()) sql += " AND " + at + " < " + period.until;
  return sql;
}

const std::string counts_at = "coalesce(b.booked_at, x.sent_at)";

/// `figures`: from `requests` to the end.
std::string select(const Rows& rows, const std::string& figures, const std::string& where) {
  std::string sql = "SELECT tally_rows(" + counts_at;
  sql.append(", place(").append(names).append("), ").append(figures).append(") FROM ").append(rows.from);
  sql.append(
      " JOIN asks a ON a.id = l.ask JOIN terms t ON t.id = x.terms JOIN outcomes o ON o.id = x.outcome LEFT JOIN late b ON ");
  return sql.append("b.line = l.n AND b.number = ").append(rows.number).append(" WHERE ").append(where);
}

std::string open_figures(const std::string& requests, const std::string& attempts) {
  std::string sql = requests + ", " + attempts + ", 0";
  for (int kind = 0; kind < 7; ++kind) sql += ", NULL";
  return sql + ", 0, 0, 0, 0, 0, 0";
}

std::string row_figures(const Rows& rows) {
  return std::string(rows.is_last) +
         ", 1, (o.state = 'interrupted' OR (o.state = 'settled' AND o.error <> '')), x.input_tokens, x.cached_input_tokens, "
         "x.cache_write_tokens, x.output_tokens, x.reasoning_tokens, x.audio_tokens, x.image_tokens, 0, x.cost_pico, 0, "
         "x.attempt_usd_pico, 0, x.attempt_charge_usd_pico";
}

}  // namespace

std::vector<std::string> open_rows(const Span& period) {
  const std::string first_last(first_attempts.is_last), retry_last(retries.is_last);
  const std::string when = in_period(counts_at, period);
  return {select(first_attempts, open_figures("(x.ending = 0 AND " + first_last + ")", "(x.outcome = 0)"),
                 "x.batch IS NULL AND (x.outcome = 0 OR (x.ending = 0 AND " + first_last + "))" + when),
          select(retries, open_figures("(l.ending = 0 AND " + retry_last + ")", "1"), "l.batch IS NULL AND x.outcome = 0" + when),
          select(retries, open_figures("1", "0"), "l.batch IS NULL AND l.ending = 0 AND x.outcome <> 0 AND " + retry_last + when)};
}

std::vector<std::string> all_rows(const Span& period, const std::string& sent_since) {
  std::string when = "1" + in_period(counts_at, period);
  if (!sent_since.empty()) when += " AND x.sent_at >= " + sent_since;
  if (!period.until.empty()) when += " AND x.sent_at < " + period.until;  // it never counts before it was sent
  return {select(first_attempts, row_figures(first_attempts), when), select(retries, row_figures(retries), when)};
}

}  // namespace fairlead::sqlite
