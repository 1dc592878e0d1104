#pragma once
// The tables behind reports: sums over rows that have ended, and what a month's end, a correction and retention leave behind.
#include <fairlead/bookkeeper.h>
#include <fairlead/result.h>
#include <fairlead/time.h>

#include <string>
#include <vector>

namespace fairlead::sqlite {

/// The schema's second step.
std::string report_tables();
/// Its third: sums that spare hours where the days are those of another time zone.
std::string six_hour_table();

class Database;
/// From when on no row was let go of; the earliest time if none ever was. Sums are kept of all.
Result<TimePoint> rows_kept_from(Database& database);
/// In their order.
Result<std::vector<Closing>> read_closings(Database& database);

}  // namespace fairlead::sqlite
