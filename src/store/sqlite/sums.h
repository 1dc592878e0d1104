#pragma once
// The sums that reports are made of: of each hour and day, by who asked and where it went. Exact, as they are saved with the rows
// that they sum, in one transaction.
#include <fairlead/store.h>

#include "store/sqlite/database.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::sqlite {

/// Amounts are summed in two parts, of 10^-3 and of 10^-12 of a unit, which overflow only beyond a thousand million rows.
inline constexpr Int128 milli = 1'000'000'000;

/// From both columns of an amount, of which this is the first.
inline Int128 amount_at(const Statement& row, int column) { return Int128{row.integer(column)} * milli + row.integer(column + 1); }

/// Of one attempt, or of many.
struct Figures {
  std::int64_t requests = 0, attempts = 0, failed = 0;
  Usage usage;
  Int128 cost_pico = 0, usd_pico = 0, charge_usd_pico = 0;
  void add(const Figures& other);
};

/// A table of sums. Each sums up some of the one before.
struct SumTable {
  std::string_view name;
  std::chrono::microseconds length;  ///< of what a row sums up, which begins at a multiple of it
};
inline constexpr SumTable sum_tables[] = {
    {"hour_sums", std::chrono::hours(1)}, {"six_hour_sums", std::chrono::hours(6)}, {"day_sums", std::chrono::hours(24)}};

/// Gathers what a transaction adds, and adds it at its end.
class Sums {
 public:
  explicit Sums(sqlite3* connection);

  /// Of an attempt that has ended, once. `counts_at`: its sent_at, or later if it came late.
  void add_attempt(const RequestOpen& request, const RequestRecord::Attempt& attempt, TimePoint counts_at);
  /// Of a request that has ended with all of its attempts, once, in the group of the last.
  void add_request(const RequestOpen& request, const RequestRecord::Attempt& last, TimePoint counts_at);
  /// The end of the last closed month. Looked up once in each transaction.
  Result<TimePoint> closed_until();

  /// Before the commit.
  Result<void> save();
  /// After a rollback.
  void forget();

  /// The number of the group with these values.
  Result<std::int64_t> group(const RequestOpen& request, const AttemptOpen& attempt, std::string_view usage_source,
                             std::string_view currency);

 private:
  using ByGroup = std::unordered_map<std::int64_t, Figures>;
  using ByTime = std::unordered_map<std::int64_t, ByGroup>;  ///< by their beginning

  Figures& sum_of(const RequestOpen& request, const RequestRecord::Attempt& attempt, TimePoint counts_at);
  static Result<void> save(Statement& statement, const ByTime& sums);

  std::vector<Statement> tables_;  ///< as sum_tables
  Statement group_, closed_;
  std::unordered_map<std::string, std::int64_t> groups_;
  ByTime hours_;
  std::optional<TimePoint> closed_until_;
  std::optional<Error> error_;  ///< of adding: save() tells it
  std::string key_;
};

}  // namespace fairlead::sqlite
