#pragma once
// A bill against the ledger: what agrees, what differs, and what only one of the two has. Pure.
#include "cli/reconcile/bill.h"

#include <fairlead/store.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fairlead::cli {

/// The ledger's side, by the bill's days and names.
class BookSums {
 public:
  /// `provider`: of which the bill is; empty: of all. Days from `first` to `last` count, both included.
  BookSums(const Bill& bill, std::string provider, std::string first, std::string last);
  void add(const RequestRecord& record);

  struct Line {
    Figures figures;
    Figures estimated;  ///< the part of it that is our estimate
    std::int64_t attempts = 0, estimated_attempts = 0;
  };
  const std::map<BillKey, Line>& lines() const { return lines_; }
  const std::set<std::string>& providers() const { return providers_; }  ///< that attempts went to
  std::int64_t unpriced() const { return unpriced_; }
  std::int64_t other_currency() const { return other_currency_; }  ///< attempts whose cost is in another than the bill's

 private:
  void add(const RequestRecord::Attempt& attempt);
  BillKey key_of(const RequestRecord::Attempt& attempt) const;
  void add_cost(Line& line, const AttemptSettle& settle, bool estimated);

  const Bill& bill_;
  const std::string provider_, first_, last_;
  std::set<std::string> billed_models_;
  std::map<std::string, BillKey> billed_attempts_;
  std::map<BillKey, Line> lines_;
  std::set<std::string> providers_;
  std::int64_t unpriced_ = 0, other_currency_ = 0;
};

/// How far the two may be apart: within one of them is enough. 10^-18.
struct Tolerance {
  Int128 share = 0;  ///< of the bill's figure
  Int128 tokens = 0, cost = 0;
};

enum class Verdict : std::uint8_t { equal, tolerated, differs, only_billed, only_booked };
inline constexpr std::size_t verdict_count = 5;
std::string_view to_string(Verdict verdict);

struct Compared {
  BillKey key;
  Measure measure = Measure::cost;
  std::optional<Int128> billed, booked;  ///< empty: that side has no such line
  Int128 estimated = 0;                  ///< of what is booked
  Verdict verdict = Verdict::equal;
};

struct Reconciliation {
  std::vector<Compared> lines;  ///< in the order of their keys
  Figures billed{}, booked{}, estimated{};
  std::array<std::int64_t, verdict_count> counts{};
  bool agrees() const;
};

Reconciliation reconcile(const Bill& bill, const BookSums& books, const Tolerance& tolerance);

}  // namespace fairlead::cli
