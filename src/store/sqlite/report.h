#pragma once
// Sums over the attempts, exact whatever their number.
#include <fairlead/bookkeeper.h>
#include <fairlead/store.h>

#include "store/sqlite/database.h"

#include <optional>
#include <vector>

namespace fairlead::sqlite {

/// What becomes of a report that needs rows which were let go: an error, or one of those that are there.
enum class RowsGone { refused, left_out };

/// Inside the caller's transaction, while no statement of the connection is under way. Errors: as Store::report.
Result<std::vector<ReportRow>> read_report(Database& database, const ReportQuery& query, RowsGone gone = RowsGone::refused);
/// What the month adds up to, corrections included, as its closing would say it now. Likewise.
Result<Closing> read_month(Database& database, const Month& month);
/// The day before and after which about as many sums are to be read; empty: they are few, or rows are read. Likewise.
Result<std::optional<TimePoint>> middle_of(Database& database, const ReportQuery& query);

}  // namespace fairlead::sqlite
