#pragma once
// Which sums a report reads, and for which hours rows: as few as it can.
#include "store/sqlite/report_groups.h"
#include "store/sqlite/sums.h"

#include <vector>

namespace fairlead::sqlite {

struct SumRange {
  const SumTable* table = nullptr;  ///< null: sums do not tell, rows are to be read
  TimePoint from, until;
};

/// Days, in their place six hours and hours where one of them is in several groups or not all in the period, and rows where an hour
/// is; in the order of time.
std::vector<SumRange> sum_ranges(ReportTimes& times, TimePoint from, TimePoint until);

}  // namespace fairlead::sqlite
