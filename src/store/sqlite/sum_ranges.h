#pragma once
// Which sums a report reads: as few as it can.
#include "store/sqlite/report_groups.h"
#include "store/sqlite/sums.h"

#include <optional>
#include <vector>

namespace fairlead::sqlite {

struct SumRange {
  const SumTable* table = nullptr;
  TimePoint from, until;
};

/// Days, in their place six hours and hours where one of them is in several groups or not all in the period; in the order of time.
/// `from` and `until` are full hours. Empty: there is an hour that is in several groups, so sums do not tell.
std::optional<std::vector<SumRange>> sum_ranges(ReportTimes& times, TimePoint from, TimePoint until);

}  // namespace fairlead::sqlite
