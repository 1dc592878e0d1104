#include "store/sqlite/budgets.h"

#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

// A request is sent after it began, so the index by sent_at leads to where a span begins. Amounts are summed in two parts, since
// sum() fails beyond 64 bits.
constexpr std::string_view charges_sql =
    "SELECT a.key, a.team, a.project, a.route, t.provider, sum(c / 1000000000), sum(c % 1000000000) FROM ("
    "SELECT ask, terms, attempt_charge_usd_pico AS c FROM lines WHERE sent_at >= ?1 AND started_at >= ?1 AND started_at < ?2 "
    "UNION ALL "
    "SELECT l.ask, r.terms, r.attempt_charge_usd_pico FROM retries r JOIN lines l ON l.n = r.line "
    "WHERE r.sent_at >= ?1 AND l.started_at >= ?1 AND l.started_at < ?2) "
    "JOIN asks a ON a.id = ask JOIN terms t ON t.id = terms WHERE c IS NOT NULL GROUP BY 1, 2, 3, 4, 5";

class SqliteBudgets final : public BudgetStore {
 public:
  explicit SqliteBudgets(Database database) : database_(std::move(database)) {}

  Result<std::vector<Charge>> charges(const BudgetSpan& span) override {
    Statement rows(database_.handle(), charges_sql);
    rows.bind(span.from, span.until.value_or(TimePoint::max()));
    std::vector<Charge> charges;
    for (;;) {
      const auto row = rows.step();
      if (!row) return row.error();
      if (!*row) return charges;
      charges.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4),
                         Int128{rows.integer(5)} * 1'000'000'000 + rows.integer(6)});
    }
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
    Statement insert(database_.handle(), "INSERT INTO credits (whose, name, usd_pico, at, note) VALUES (?, ?, ?, ?, ?)");
    return insert.run(to_string(credit.of), std::string_view(credit.name), credit.usd_pico, credit.at,
                      std::string_view(credit.note));
  }

 private:
  Database database_;
};

}  // namespace

std::unique_ptr<BudgetStore> make_budget_store(Database database) { return std::make_unique<SqliteBudgets>(std::move(database)); }

}  // namespace fairlead::sqlite
