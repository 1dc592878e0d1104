#pragma once
// A report of many sums, read by two threads, each with a connection of its own, at one moment of the ledger.
#include "store/sqlite/report.h"

#include <string>

namespace fairlead::sqlite {

/// As read_report(), by two threads if that pays. The caller's transaction, which has read nothing yet, may be begun anew.
Result<std::vector<ReportRow>> read_long_report(Database& database, const std::string& path, const ReportQuery& query);

/// Makes both see one state of the ledger, each in a transaction. `first` is in one already, which is begun anew; `second` may be.
/// False: others commit too often.
Result<bool> share_moment(Database& first, Database& second);

/// As read_report(), what counts before `middle`, which is in the query's period, by this thread, and what counts from then on by
/// another. Both connections share a moment.
Result<std::vector<ReportRow>> read_halves(Database& first, Database& second, const ReportQuery& query, TimePoint middle);

}  // namespace fairlead::sqlite
