#pragma once
// Sums over the attempts, exact whatever their number.
#include <fairlead/store.h>

#include "store/sqlite/database.h"

#include <vector>

namespace fairlead::sqlite {

/// Inside the caller's transaction. Errors: as Store::report.
Result<std::vector<ReportRow>> read_report(Database& database, const ReportQuery& query);

}  // namespace fairlead::sqlite
