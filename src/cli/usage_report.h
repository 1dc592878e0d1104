#pragma once
// What `usage` tells, before it has a form: sums by group, beside a period before, in another currency, and at another target's
// prices. The forms are functions of it, each in a file of its own.
#include <fairlead/snapshot.h>
#include <fairlead/store.h>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::cli {

/// What the same tokens would have cost at another target.
struct Elsewhere {
  Int128 usd_pico = 0;
  bool unpriced = false;  ///< of a part there is no price there, and it is not in the sum
};

struct UsageRow {
  ReportRow now;
  std::unique_ptr<ReportRow> before;  ///< the same group in the period before
  std::optional<Elsewhere> elsewhere;
  Int128 corrections_usd_pico = 0;  ///< the part of the cost that no tokens are behind; of the total
  /// Of the tokens; empty where a part of them has no cost, here or there.
  std::optional<Int128> saved_usd_pico() const;
  Int128 change_usd_pico() const { return now.usd_pico - (before ? before->usd_pico : 0); }
};

/// Another currency, at one rate for all: that which holds now.
struct ShownCurrency {
  Currency currency;
  UsdRate rate;
  Int128 amount_of(Int128 usd_pico) const;  ///< rounded half away from zero
  std::string rate_text() const;            ///< "One EUR is 1.1 USD since 2026-10-01."
};

struct UsageReport {
  ReportQuery query;
  std::optional<TimePoint> before_since, before_until;  ///< of the period before; empty: it is not compared
  std::vector<UsageRow> rows;
  UsageRow total;                    ///< of all groups, those too which are left out
  std::size_t left_out = 0;          ///< groups, by `top`
  std::vector<Currency> currencies;  ///< that were billed in
  std::optional<ShownCurrency> shown;
  std::string elsewhere;  ///< the target; empty: not asked
};

/// Which periods, beside the query's own.
Result<UsageReport> read_usage(Store& store, ReportQuery query, bool compare);
/// Keeps the groups that changed most, or cost most if nothing is compared.
void keep_top(UsageReport& report, std::size_t count);
/// What all of it would have cost at this target, hour by hour or day by day at the price in force then; by the rows themselves
/// where a price depends on a single request. Errors: config, if it does and rows of the period are gone.
Result<void> price_elsewhere(UsageReport& report, Store& store, const Target& target, const Snapshot& snapshot);

/// `part` of `whole` in 1/`units`, rounded half up.
std::int64_t share_of(Int128 part, Int128 whole, std::int64_t units = 10'000);
/// The same as a decimal, to four places.
std::string share_text(Int128 part, Int128 whole);
/// "12.5 %" of 125 thousandths.
std::string percent_text(std::int64_t thousandths);

void write_usage_text(std::ostream& to, const UsageReport& report);
void write_usage_csv(std::ostream& to, const UsageReport& report);
void write_usage_json(std::ostream& to, const UsageReport& report);
/// The FinOps Foundation's FOCUS as CSV. The query must be focus_query()'s.
void write_usage_focus(std::ostream& to, const UsageReport& report);
ReportQuery focus_query(std::optional<TimePoint> since, std::optional<TimePoint> until);

}  // namespace fairlead::cli
