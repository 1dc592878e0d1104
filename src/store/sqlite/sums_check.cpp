#include "store/sqlite/sums_check.h"

#include <fairlead/bookkeeper.h>
#include <fairlead/time.h>

#include "store/sqlite/removals.h"
#include "store/sqlite/report.h"
#include "store/sqlite/report_tables.h"
#include "store/sqlite/sums.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace fairlead::sqlite {
namespace {

using std::chrono::microseconds;

/// All that tells sums of an hour apart.
const std::vector<std::string> finest = {"hour", "target",  "provider", "model",        "key",
                                         "team", "project", "route",    "usage_source", "currency"};
/// Of an hour and group: as many are read together, in some 50 MB.
constexpr std::int64_t sums_together = 50'000;

constexpr std::string_view counts[] = {
    "requests",           "attempts",      "failed",           "input_tokens", "cached_input_tokens",
    "cache_write_tokens", "output_tokens", "reasoning_tokens", "audio_tokens", "image_tokens"};

/// `of("requests"), of("attempts"), ...`, with both parts of each amount in their one form.
std::string figures_of(const std::string& of) {
  std::string sql;
  for (const std::string_view count : counts) sql.append(of).append("(").append(count).append("), ");
  for (const std::string amount : {"cost", "usd", "charge"}) {
    const std::string rest = of + "(" + amount + "_rest_pico)";
    sql += of + "(" + amount + "_milli) + " + rest + " / 1000000000, " + rest + " % 1000000000, ";
  }
  return sql;
}

/// Where sums of a longer time are not those of the shorter times in it, or one of these does not begin where it must.
std::string differing(const SumTable& shorter, const SumTable& longer) {
  const std::string length = std::to_string(longer.length.count());
  const std::string in_period = " WHERE at >= ?1 AND at < ?2";
  return "WITH a AS (SELECT at / " + length + " * " + length + " AS d, sum_group AS i, " + figures_of("sum") + "max(at % " +
         std::to_string(shorter.length.count()) + ") FROM " + std::string(shorter.name) + in_period +
         " GROUP BY 1, 2), b AS (SELECT at AS d, sum_group AS i, " + figures_of("") + "0 FROM " + std::string(longer.name) +
         in_period +
         ") SELECT DISTINCT d, coalesce(g.target, ''), coalesce(g.key, '') FROM (SELECT * FROM (SELECT * FROM a EXCEPT SELECT * "
         "FROM b) UNION ALL SELECT * FROM (SELECT * FROM b EXCEPT SELECT * FROM a)) LEFT JOIN sum_groups g ON g.id = i ORDER BY 1";
}

constexpr std::string_view newest_row =
    "SELECT coalesce(max(at), 0) FROM (SELECT max(sent_at) AS at FROM lines UNION ALL SELECT max(started_at) FROM lines "
    "INDEXED BY lines_unsent WHERE sent_at IS NULL)";

/// Until when attempts count that came late, and went with their own days: as the chain's notes of these days say it, or for days
/// of before there were such notes, as the table does.
std::string late_and_gone() {
  return "WITH noted AS MATERIALIZED " + notes_of_removals() +
         ", older AS MATERIALIZED (SELECT n_min, n_max FROM let_go g WHERE NOT EXISTS "
         "(SELECT 1 FROM noted WHERE noted.day = g.day AND noted.part = g.part)) "
         "SELECT max(coalesce((SELECT max(late) FROM noted), 0), coalesce((SELECT max(booked_at) FROM late WHERE NOT EXISTS "
         "(SELECT 1 FROM lines WHERE n = line) AND EXISTS (SELECT 1 FROM older WHERE line BETWEEN n_min AND n_max)), 0))";
}

/// The first time from then on at which something counts.
constexpr std::string_view next_time =
    "SELECT min(at) FROM (SELECT min(at) AS at FROM hour_sums WHERE at >= ?1 UNION ALL SELECT min(at) FROM six_hour_sums WHERE at "
    ">= ?1 UNION ALL SELECT min(at) FROM day_sums WHERE at >= ?1 UNION ALL SELECT min(sent_at) FROM lines WHERE sent_at >= ?1 "
    "UNION "
    "ALL SELECT min(sent_at) FROM retries WHERE sent_at >= ?1 UNION ALL SELECT min(booked_at) FROM late WHERE booked_at >= ?1)";

/// "2026-11-01 06:00".
std::string text_of_hour(TimePoint at) {
  const auto hour = (std::chrono::floor<std::chrono::hours>(at) - std::chrono::floor<std::chrono::days>(at)).count();
  return day_text(at) + (hour < 10 ? " 0" : " ") + std::to_string(hour) + ":00";
}

bool same_figures(const ReportRow& a, const ReportRow& b) {
  return a.requests == b.requests && a.attempts == b.attempts && a.failed_attempts == b.failed_attempts && a.usage == b.usage &&
         a.unpriced_attempts == b.unpriced_attempts && a.usd_pico == b.usd_pico && a.charge_usd_pico == b.charge_usd_pico &&
         a.cost == b.cost;
}

template <class Amounts>
std::string amounts_text(const Amounts& all) {
  return std::to_string(all.attempts) + " attempts, " + format_decimal(all.usd_pico) + " USD, charged " +
         format_decimal(all.charge_usd_pico);
}

std::string figures_text(const ReportRow& row) {
  std::int64_t tokens = 0;
  for (const auto& kind : {row.usage.input, row.usage.output}) tokens += kind.value_or(0);
  return std::to_string(row.requests) + " requests, " + amounts_text(row) + ", " + std::to_string(tokens) + " tokens in and out";
}

class Comparison {
 public:
  explicit Comparison(Database& database)
      : database_(database),
        next_time_(database.handle(), next_time),
        hours_(database.handle(), "SELECT count(*) FROM hour_sums WHERE at >= ? AND at < ?") {
    for (std::size_t i = 0; i + 1 < std::size(sum_tables); ++i)
      differing_.emplace_back(database.handle(), differing(sum_tables[i], sum_tables[i + 1]));
  }

  Result<SumsCheck> run() {
    for (const auto part : {&Comparison::compare_days, &Comparison::compare_late, &Comparison::compare_closings})
      if (auto done = (this->*part)(); !done) return done.error();
    return std::move(result_);
  }

 private:
  void find(std::string what) {
    if (++result_.findings_count <= static_cast<std::int64_t>(ChainCheck::findings_max))
      result_.findings.push_back(std::move(what));
  }

  /// One day after another of which there is something; its rows, where they are there, with those of others.
  Result<void> compare_days() {
    const auto rows_from = comparable_from();
    if (!rows_from) return rows_from.error();
    if (*rows_from != TimePoint::min()) result_.rows_from = *rows_from;
    std::optional<TimePoint> from;
    TimePoint until = TimePoint::min();
    for (std::int64_t sums = 0;;) {
      const auto day = next_day(until);
      if (!day) return day.error();
      if (!*day) return from ? compare_rows(*from, until) : Result<void>();
      until = **day + std::chrono::days(1);
      if (auto done = compare_tables(**day, until); !done) return done;
      if (**day < *rows_from) continue;
      if (!from) from = **day;
      hours_.bind(**day, until);
      if (const auto row = hours_.step(); !row) return row.error();
      sums += hours_.integer(0);
      hours_.reset();
      if (sums < sums_together) continue;
      if (auto done = compare_rows(*from, until); !done) return done;
      from.reset();
      sums = 0;
    }
  }

  Result<std::optional<TimePoint>> next_day(TimePoint from) {
    next_time_.bind(from);
    if (const auto row = next_time_.step(); !row) return row.error();
    const auto at = next_time_.maybe_integer(0);
    next_time_.reset();
    if (!at) return std::optional<TimePoint>();
    return std::optional<TimePoint>(std::chrono::floor<std::chrono::days>(TimePoint(microseconds(*at))));
  }

  Result<void> compare_tables(TimePoint from, TimePoint until) {
    for (std::size_t i = 0; i < differing_.size(); ++i) {
      Statement& statement = differing_[i];
      statement.bind(from, until);
      for (;;) {
        const Result<bool> row = statement.step();
        if (!row) return row.error();
        if (!*row) break;
        find(text_of_hour(TimePoint(microseconds(statement.integer(0)))) + ", " + statement.text(1) + ", key " + statement.text(2) +
             ": " + std::string(sum_tables[i].name) + " and " + std::string(sum_tables[i + 1].name) + " differ");
      }
    }
    return {};
  }

  /// From the first day on whose sums are of rows alone that are there. Not the first that was kept, which has the retries after
  /// midnight of requests that went with the day before; nor one that counts what came late, and went with its own day.
  Result<TimePoint> comparable_from() {
    auto kept_from = rows_kept_from(database_);
    if (!kept_from || *kept_from == TimePoint::min()) return kept_from;
    using std::chrono::days;
    // The newest row always stays, and is of the last day that was let go or of a later one.
    const auto newest = database_.integer(newest_row);
    if (!newest) return newest.error();
    if (TimePoint(microseconds(*newest)) < *kept_from - days(1))
      find("rows were let go up to " + day_text(*kept_from - days(1)) + ", and there is none of that day or a later one");
    const auto late = database_.integer(late_and_gone());
    if (!late) return late.error();
    return std::max<TimePoint>(*kept_from, std::chrono::floor<days>(TimePoint(microseconds(*late)))) + days(1);
  }

  Result<void> compare_rows(TimePoint from, TimePoint until) {
    ReportQuery query;
    query.by = finest;
    query.since = from;
    query.until = until;
    const auto sums = read_report(database_, query);
    if (!sums) return sums.error();
    query.from_rows = true;
    const auto rows = read_report(database_, query, RowsGone::left_out);
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

  /// What comes late counts at the end of a closed month, and was sent before.
  Result<void> compare_late() {
    Statement wrong(database_.handle(),
                    "SELECT b.line, b.number FROM late b LEFT JOIN lines l ON l.n = b.line AND b.number = 1 LEFT JOIN retries r "
                    "ON r.line = b.line AND r.number = b.number WHERE b.booked_at NOT IN (SELECT until FROM closings) OR "
                    "coalesce(r.sent_at, l.sent_at) >= b.booked_at");
    for (;;) {
      const Result<bool> row = wrong.step();
      if (!row) return row.error();
      if (!*row) return {};
      find("attempt " + std::to_string(wrong.integer(1)) + " of line " + std::to_string(wrong.integer(0)) +
           " counts as one that came late, and does not at the end of a closed month before which it was sent");
    }
  }

  /// A closed month still adds up to what it did when it was closed, corrections included.
  Result<void> compare_closings() {
    const auto all = read_closings(database_);
    if (!all) return all.error();
    for (const Closing& closed : *all) {
      ++result_.closed_months;
      const auto month = parse_month(closed.month);
      if (!month) {
        find("'" + closed.month + "' is closed, and is no month");
        continue;
      }
      const auto now = read_month(database_, *month);
      if (!now) return now.error();
      if (closed.attempts != now->attempts || closed.usd_pico != now->usd_pico || closed.charge_usd_pico != now->charge_usd_pico)
        find(closed.month + " was closed with " + amounts_text(closed) + ", and now has " + amounts_text(*now));
    }
    return {};
  }

  Database& database_;
  Statement next_time_, hours_;
  std::vector<Statement> differing_;  ///< of a table and the next
  SumsCheck result_;
};

}  // namespace

Result<SumsCheck> check_sums(Database& database) { return Comparison(database).run(); }

}  // namespace fairlead::sqlite
