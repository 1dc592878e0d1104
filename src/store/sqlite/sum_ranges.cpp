#include "store/sqlite/sum_ranges.h"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace fairlead::sqlite {
namespace {

class Ranges {
 public:
  Ranges(ReportTimes& times, TimePoint from, TimePoint until) : times_(times), from_(from), until_(until) {}

  /// `at`: where one sum of this table begins.
  void add(TimePoint at, std::size_t table) {
    const TimePoint end = at + sum_tables[table].length;
    if (end <= from_ || at >= until_) return;
    if (at >= from_ && end <= until_ && times_.is_one(at, end)) return append({&sum_tables[table], at, end});
    if (table == 0) return append({nullptr, std::max(at, from_), std::min(end, until_)});
    for (TimePoint part = at; part < end; part += sum_tables[table - 1].length) add(part, table - 1);
  }

  std::vector<SumRange> ranges;

 private:
  void append(const SumRange& range) {
    if (!ranges.empty() && ranges.back().table == range.table && ranges.back().until == range.from)
      ranges.back().until = range.until;
    else
      ranges.push_back(range);
  }

  ReportTimes& times_;
  TimePoint from_, until_;
};

}  // namespace

std::vector<SumRange> sum_ranges(ReportTimes& times, TimePoint from, TimePoint until) {
  Ranges all(times, from, until);
  for (TimePoint day = std::chrono::floor<std::chrono::days>(from); day < until; day += std::chrono::days(1))
    all.add(day, std::size(sum_tables) - 1);
  return std::move(all.ranges);
}

}  // namespace fairlead::sqlite
