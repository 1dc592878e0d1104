#pragma once
// Old rows leave the ledger, a day at a time: into a file of the archive first, if there is one. Beside the daemon's own writing,
// which waits for no more than one small transaction of it.
#include <fairlead/bookkeeper.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fairlead {

struct OldRowsGone {
  std::int64_t requests = 0;
  std::vector<std::string> files;  ///< that were written
};

/// Waits between two steps, or only asks (0 ms). False: stop here; the rest goes another time.
using Rest = std::function<bool(std::chrono::milliseconds)>;

/// What was sent on days that ended at or before `until`. `folder`: of the archive; empty: there is none. A crash at any point
/// loses nothing: rows are removed only once their file is on the disk and the ledger says so. Errors: ledger_unavailable.
Result<OldRowsGone> let_old_rows_go(Bookkeeper& books, const std::string& folder, TimePoint until, TimePoint now, const Rest& rest);

/// Writes the rows to a new file of the folder, which is made if it is missing: fairlead-2026-08-01.csv.gz, mode 0600; the name is
/// there once the file is whole and on the disk. The same bytes are written once, and no file is ever replaced: another ledger's
/// has the name with -2 and so on. Returns its path. Told to stop, it writes none: an error.
Result<std::string> archive_rows(Bookkeeper& books, const std::string& folder, const OldRows& rows, const Rest& rest);

}  // namespace fairlead
