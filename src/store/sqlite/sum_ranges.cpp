#include "store/sqlite/sum_ranges.h"

#include <chrono>
#include <iterator>

namespace fairlead::sqlite {
namespace {

class Ranges {
 public:
  Ranges(ReportTimes& times, TimePoint from, TimePoint until) : times_(times), from_(from), until_(until) {}

  /// `at`: where one sum of this table begins. False: an hour is in several groups.
  bool add(TimePoint at, std::size_t table) {
    const SumTable& sums = sum_tables[table];
    const TimePoint end = at + sums.length;
    if (end <= from_ || at >= until_) return true;
    if (at >= from_ && end <= until_ && times_.is_one(at, end)) {
      if (ranges.empty() || ranges.back().table != &sums || ranges.back().until != at) ranges.push_back({&sums, at, at});
      ranges.back().until = end;
      return true;
    }
    if (table == 0) return false;
    for (TimePoint part = at; part < end; part += sum_tables[table - 1].length)
      if (!add(part, table - 1)) return false;
    return true;
  }

  std::vector<SumRange> ranges;

 private:
  ReportTimes& times_;
  TimePoint from_, until_;
};

}  // namespace

std::optional<std::vector<SumRange>> sum_ranges(ReportTimes& times, TimePoint from, TimePoint until) {
  Ranges all(times, from, until);
  for (TimePoint day = std::chrono::floor<std::chrono::days>(from); day < until; day += std::chrono::days(1))
    if (!all.add(day, std::size(sum_tables) - 1)) return std::nullopt;
  return std::move(all.ranges);
}

}  // namespace fairlead::sqlite
