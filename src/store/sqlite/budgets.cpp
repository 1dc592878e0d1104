#include "store/sqlite/budgets.h"

#include "store/sqlite/entries.h"
#include "store/sqlite/report_tables.h"
#include "store/sqlite/sums.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

// Amounts are summed in two parts, since sum() fails beyond 64 bits. ?1, ?2: between which requests began; ?3, ?4: between which
// attempts were sent, which has an index.
constexpr std::string_view rows_sql =
    "SELECT a.key, a.team, a.project, a.route, t.provider, sum(c / 1000000000), sum(c % 1000000000) FROM ("
    "SELECT ask, terms, attempt_charge_usd_pico AS c FROM lines "
    "WHERE sent_at >= ?3 AND sent_at < ?4 AND started_at >= ?1 AND started_at < ?2 "
    "UNION ALL "
    "SELECT l.ask, r.terms, r.attempt_charge_usd_pico FROM retries r JOIN lines l ON l.n = r.line "
    "WHERE r.sent_at >= ?3 AND r.sent_at < ?4 AND l.started_at >= ?1 AND l.started_at < ?2) "
    "JOIN asks a ON a.id = ask JOIN terms t ON t.id = terms WHERE c IS NOT NULL GROUP BY 1, 2, 3, 4, 5";
/// By numbers first, as names are slow to compare.
std::string sums_sql(const std::string& table) {
  return "SELECT g.key, g.team, g.project, g.route, g.provider, sum(s.milli), sum(s.rest_pico) FROM ("
         "SELECT sum_group, sum(charge_milli) AS milli, sum(charge_rest_pico) AS rest_pico FROM " +
         table + " WHERE at >= ?1 AND at < ?2 GROUP BY 1) s JOIN sum_groups g ON g.id = s.sum_group GROUP BY 1, 2, 3, 4, 5";
}

/// So long before and after its beginning, requests that were sent in a span are asked when they began.
constexpr std::chrono::hours edge{2};

class SqliteBudgets final : public BudgetStore {
 public:
  explicit SqliteBudgets(Database database) : database_(std::move(database)) {}

  Result<std::vector<Charge>> charges(const BudgetSpan& span) override {
    // As of one instant: rows may be let go meanwhile, and new ones counted.
    if (auto begun = database_.execute("BEGIN"); !begun) return begun.error();
    auto all = read_charges(span);
    (void)database_.execute("ROLLBACK");  // nothing was changed
    return all;
  }

  Result<std::optional<TimePoint>> newest() override {
    // Rows may have gone; the sums stay.
    Statement statement(database_.handle(),
                        "SELECT coalesce((SELECT max(sent_at) FROM lines), (SELECT max(at) FROM hour_sums), -1)");
    if (const auto row = statement.step(); !row) return row.error();
    const std::int64_t us = statement.integer(0);
    return us < 0 ? std::nullopt : std::optional(TimePoint(std::chrono::microseconds(us)));
  }

  Result<std::vector<Credit>> credits() override {
    Statement rows(database_.handle(), "SELECT whose, name, usd_pico, at, note FROM credits ORDER BY n");
    std::vector<Credit> credits;
    for (;;) {
      const auto row = rows.step();
      if (!row) return row.error();
      if (!*row) return credits;
      credits.push_back({parse_budget_of(rows.text(0)).value_or(BudgetOf::key), rows.text(1), rows.integer(2),
                         TimePoint(std::chrono::microseconds(rows.integer(3))), rows.text(4)});
    }
  }

  Result<void> add(const Credit& credit) override {
    return database_.writing([&] {
      Statement insert(database_.handle(), "INSERT INTO credits (whose, name, usd_pico, at, note) VALUES (?, ?, ?, ?, ?)");
      auto booked = insert.run(to_string(credit.of), std::string_view(credit.name), credit.usd_pico, credit.at,
                               std::string_view(credit.note));
      return booked ? seal_last(database_, Entry::credit) : booked;
    });
  }

 private:
  using Charges = std::map<std::array<std::string, 5>, Int128>;

  /// Near its beginning and its end by the rows, which tell when a request began. In between, and where rows have gone, by the
  /// sums, which are few, and stay: of its whole days by day.
  Result<std::vector<Charge>> read_charges(const BudgetSpan& span) {
    const TimePoint until = span.until.value_or(TimePoint::max());
    const auto kept_from = rows_kept_from(database_);
    if (!kept_from) return kept_from.error();
    const bool has_rows = span.from >= *kept_from;
    const TimePoint sums_from = has_rows ? std::chrono::ceil<std::chrono::hours>(span.from) + edge
                                         : std::chrono::floor<std::chrono::hours>(span.from),
                    sums_until = std::max<TimePoint>(sums_from, std::chrono::floor<std::chrono::hours>(until));
    Charges charges;
    Statement rows(database_.handle(), rows_sql);
    Result<void> done;
    if (has_rows) done = add(rows.bind(span.from, until, span.from, sums_from), charges);
    if (done && span.until) done = add(rows.bind(span.from, until, sums_until, TimePoint::max()), charges);
    const TimePoint first_day = std::min<TimePoint>(std::chrono::ceil<std::chrono::days>(sums_from), sums_until),
                    last_day = std::max<TimePoint>(first_day, std::chrono::floor<std::chrono::days>(sums_until));
    Statement hours(database_.handle(), sums_sql("hour_sums")), days(database_.handle(), sums_sql("day_sums"));
    if (done) done = add(hours.bind(sums_from, first_day), charges);
    if (done) done = add(days.bind(first_day, last_day), charges);
    if (done) done = add(hours.bind(last_day, sums_until), charges);
    if (!done) return done.error();
    std::vector<Charge> all;
    for (auto& [of, usd_pico] : charges) all.push_back({of[0], of[1], of[2], of[3], of[4], usd_pico});
    return all;
  }

  static Result<void> add(Statement& rows, Charges& charges) {
    for (;;) {
      const auto row = rows.step();
      if (!row) return row.error();
      if (!*row) return {};
      charges[{rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4)}] += amount_at(rows, 5);
    }
  }

  Database database_;
};

}  // namespace

std::unique_ptr<BudgetStore> make_budget_store(Database database) { return std::make_unique<SqliteBudgets>(std::move(database)); }

}  // namespace fairlead::sqlite
