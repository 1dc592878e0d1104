#include "store/sqlite/report_sources.h"

#include <string_view>

namespace fairlead::sqlite {
namespace {

/// One kind of rows: a line with its first attempt, or a retry.
struct Rows {
  std::string_view from;  ///< `x`: the row; `l`: its line
  std::string_view line, is_last, number;
};
constexpr Rows first_attempts{"lines x JOIN lines l ON l.n = x.n", "x.n", "NOT EXISTS (SELECT 1 FROM retries q WHERE q.line = l.n)",
                              "1"};
constexpr Rows retries{"retries x JOIN lines l ON l.n = x.line", "x.line",
                       "x.number = (SELECT max(number) FROM retries q WHERE q.line = x.line)", "x.number"};
/// By their lines, of which few are open.
constexpr Rows open_retries{"lines l CROSS JOIN retries x ON x.line = l.n", retries.line, retries.is_last, retries.number};
/// Of name_dimensions.
constexpr std::string_view names =
    "t.provider, t.model, t.target, a.route, a.key, a.team, a.project, o.usage_source, o.cost_currency";

const std::string counts_at = "coalesce(b.booked_at, x.sent_at)";
const std::string in_period = counts_at + " >= ?1 AND " + counts_at + " < ?2";

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
  return "(l.batch IS NOT NULL AND " + std::string(rows.is_last) +
         "), (x.outcome <> 0), (o.state = 'interrupted' OR (o.state = 'settled' AND o.error <> '')), x.input_tokens, "
         "x.cached_input_tokens, x.cache_write_tokens, x.output_tokens, x.reasoning_tokens, x.audio_tokens, x.image_tokens, 0, "
         "x.cost_pico, 0, x.attempt_usd_pico, 0, x.attempt_charge_usd_pico";
}

}  // namespace

std::vector<std::string> open_rows() {
  const std::string first_last(first_attempts.is_last), retry_last(retries.is_last);
  const auto open = [](const std::string& which) { return which + " AND " + in_period; };
  return {select(first_attempts, open_figures("(" + first_last + ")", "(x.outcome = 0)"),
                 open("x.batch IS NULL AND (x.outcome = 0 OR " + first_last + ")")),
          select(open_retries, open_figures("(" + retry_last + ")", "1"), open("l.batch IS NULL AND x.outcome = 0")),
          select(open_retries, open_figures("1", "0"), open("l.batch IS NULL AND x.outcome <> 0 AND " + retry_last))};
}

std::vector<std::string> ended_rows() {
  std::vector<std::string> queries;
  for (const Rows& rows : {first_attempts, retries}) {
    const std::string ended = "x.outcome <> 0 AND " + in_period;
    // None counts before it was sent. The late ones, which were sent before they count, are few: `+` keeps from seeking by time.
    queries.push_back(select(rows, row_figures(rows), ended + " AND x.sent_at >= ?1 AND x.sent_at < ?2"));
    queries.push_back(select(rows, row_figures(rows),
                             ended + " AND +x.sent_at < ?1 AND " + std::string(rows.line) +
                                 " IN (SELECT line FROM late WHERE booked_at >= ?1 AND booked_at < ?2)"));
  }
  return queries;
}

}  // namespace fairlead::sqlite
