#include "store/sqlite/sums_check.h"

#include <fairlead/bookkeeper.h>
#include <fairlead/time.h>

#include "store/sqlite/report.h"
#include "store/sqlite/report_tables.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace fairlead::sqlite {
namespace {

using std::chrono::microseconds;

/// All that tells sums of a day apart.
const std::vector<std::string> finest = {"day",  "target",  "provider", "model",        "key",
                                         "team", "project", "route",    "usage_source", "currency"};

constexpr std::string_view figure_columns =
    "sum(requests), sum(attempts), sum(failed), sum(input_tokens), sum(cached_input_tokens), sum(cache_write_tokens), "
    "sum(output_tokens), sum(reasoning_tokens), sum(audio_tokens), sum(image_tokens), "
    "sum(cost_milli) + sum(cost_rest_pico) / 1000000000, sum(cost_rest_pico) % 1000000000, "
    "sum(usd_milli) + sum(usd_rest_pico) / 1000000000, sum(usd_rest_pico) % 1000000000, "
    "sum(charge_milli) + sum(charge_rest_pico) / 1000000000, sum(charge_rest_pico) % 1000000000";

/// Of each day and group, as one table has it.
std::string days_of(std::string_view table) {
  return "SELECT at / 86400000000 * 86400000000 AS d, sum_group AS i, " + std::string(figure_columns) + " FROM " +
         std::string(table) + " GROUP BY 1, 2";
}

bool same_figures(const ReportRow& a, const ReportRow& b) {
  return a.requests == b.requests && a.attempts == b.attempts && a.failed_attempts == b.failed_attempts && a.usage == b.usage &&
         a.unpriced_attempts == b.unpriced_attempts && a.usd_pico == b.usd_pico && a.charge_usd_pico == b.charge_usd_pico &&
         a.cost == b.cost;
}

std::string amounts_text(const ReportRow& row) {
  return std::to_string(row.attempts) + " attempts, " + format_decimal(row.usd_pico) + " USD, charged " +
         format_decimal(row.charge_usd_pico);
}

std::string figures_text(const ReportRow& row) {
  std::int64_t tokens = 0;
  for (const auto& kind : {row.usage.input, row.usage.output}) tokens += kind.value_or(0);
  return std::to_string(row.requests) + " requests, " + amounts_text(row) + ", " + std::to_string(tokens) + " tokens in and out";
}

class Comparison {
 public:
  explicit Comparison(Database& database) : database_(database) {}

  Result<SumsCheck> run() {
    for (const auto part : {&Comparison::compare_tables, &Comparison::compare_rows, &Comparison::compare_closings})
      if (auto done = (this->*part)(); !done) return done.error();
    return std::move(result_);
  }

 private:
  void find(std::string what) {
    if (++result_.findings_count <= static_cast<std::int64_t>(ChainCheck::findings_max))
      result_.findings.push_back(std::move(what));
  }

  Result<void> compare_tables() {
    for (const std::string_view table : {"hour_sums", "six_hour_sums"}) {
      Statement differing(
          database_.handle(),
          "WITH finer AS (" + days_of(table) + "), daily AS (" + days_of("day_sums") +
              ") SELECT DISTINCT d, coalesce(g.target, ''), coalesce(g.key, '') FROM ("
              "SELECT * FROM (SELECT * FROM finer EXCEPT SELECT * FROM daily) UNION ALL "
              "SELECT * FROM (SELECT * FROM daily EXCEPT SELECT * FROM finer)) LEFT JOIN sum_groups g ON g.id = i ORDER BY 1");
      for (;;) {
        const Result<bool> row = differing.step();
        if (!row) return row.error();
        if (!*row) break;
        find(day_text(TimePoint(microseconds(differing.integer(0)))) + ", " + differing.text(1) + ", key " + differing.text(2) +
             ": " + std::string(table) + " and day_sums differ");
      }
    }
    return {};
  }

  /// From the first day on whose sums are of rows alone that are there. Not the first that was kept, which has the retries after
  /// midnight of requests that went with the day before; nor one that counts what came late, and went with its own day.
  Result<TimePoint> comparable_from() {
    auto kept_from = rows_kept_from(database_);
    if (!kept_from || *kept_from == TimePoint::min()) return kept_from;
    const auto late =
        database_.integer("SELECT coalesce(max(booked_at), 0) FROM late WHERE NOT EXISTS (SELECT 1 FROM lines WHERE n = line)");
    if (!late) return late.error();
    using std::chrono::days;
    return std::max<TimePoint>(*kept_from, std::chrono::floor<days>(TimePoint(microseconds(*late)))) + days(1);
  }

  Result<void> compare_rows() {
    const auto from = comparable_from();
    if (!from) return from.error();
    ReportQuery query;
    query.by = finest;
    if (*from != TimePoint::min()) query.since = result_.rows_from = *from;
    const auto sums = read_report(database_, query);
    if (!sums) return sums.error();
    query.from_rows = true;
    const auto rows = read_report(database_, query);
    if (!rows) return rows.error();
    const ReportRow nothing;
    const auto next = [](auto at, auto end) {
      while (at != end && !at->correction.empty()) ++at;  // the same on both sides, and of no row
      return at;
    };
    for (auto sum = next(sums->begin(), sums->end()), row = next(rows->begin(), rows->end());
         sum != sums->end() || row != rows->end();) {
      const bool has_sum = sum != sums->end() && (row == rows->end() || sum->group <= row->group),
                 has_row = row != rows->end() && (sum == sums->end() || row->group <= sum->group);
      const ReportRow &by_sum = has_sum ? *sum : nothing, &by_row = has_row ? *row : nothing;
      ++result_.compared;
      if (!same_figures(by_sum, by_row)) {
        const std::vector<std::string>& group = has_sum ? sum->group : row->group;
        find(group[0] + ", " + group[1] + ", key " + group[4] + ": the sums say " + figures_text(by_sum) + "; the rows " +
             figures_text(by_row));
      }
      if (has_sum) sum = next(sum + 1, sums->end());
      if (has_row) row = next(row + 1, rows->end());
    }
    return {};
  }

  /// A closed month still adds up to what it did when it was closed, corrections included.
  Result<void> compare_closings() {
    const auto all = closings();
    if (!all) return all.error();
    for (const auto& [name, closed] : *all) {
      ++result_.closed_months;
      const auto month = parse_month(name);
      if (!month) {
        find("'" + name + "' is closed, and is no month");
        continue;
      }
      const auto sums = read_report(database_, {{}, month->from, month->until});
      if (!sums) return sums.error();
      ReportRow now;
      for (const ReportRow& sum : *sums) add_figures(now, sum);
      if (closed.attempts != now.attempts || closed.usd_pico != now.usd_pico || closed.charge_usd_pico != now.charge_usd_pico)
        find(month->name + " was closed with " + amounts_text(closed) + ", and now has " + amounts_text(now));
    }
    return {};
  }

  /// The months' names, and what they had. All at once: no report is read while a statement is under way.
  Result<std::vector<std::pair<std::string, ReportRow>>> closings() {
    Statement statement(
        database_.handle(),
        "SELECT month, attempts, usd_milli, usd_rest_pico, charge_milli, charge_rest_pico FROM closings ORDER BY until");
    const auto amount = [&](int column) {
      return Int128{statement.integer(column)} * 1'000'000'000 + statement.integer(column + 1);
    };
    std::vector<std::pair<std::string, ReportRow>> all;
    for (;;) {
      const Result<bool> row = statement.step();
      if (!row) return row.error();
      if (!*row) return all;
      ReportRow& closed = all.emplace_back(statement.text(0), ReportRow()).second;
      closed.attempts = statement.integer(1);
      closed.usd_pico = amount(2);
      closed.charge_usd_pico = amount(4);
    }
  }

  Database& database_;
  SumsCheck result_;
};

}  // namespace

Result<SumsCheck> check_sums(Database& database) { return Comparison(database).run(); }

}  // namespace fairlead::sqlite
