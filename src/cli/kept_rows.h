#pragma once
// Whether retention has taken rows of a period. Used by the commands that read rows, not sums.
#include <fairlead/result.h>
#include <fairlead/store.h>

#include <optional>

namespace fairlead::cli {

/// No row of that time or later was let go; without one: none ever was. Errors: config (some were; the message says from when on
/// there are rows), ledger_unavailable.
Result<void> require_kept_rows(Store& store, std::optional<TimePoint> since);

}  // namespace fairlead::cli
