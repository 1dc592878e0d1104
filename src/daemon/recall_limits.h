#pragma once
// What an earlier process admitted in the last 24 hours, read off its rows when a daemon starts whose configuration has limits of a
// day.
#include <fairlead/snapshot.h>
#include <fairlead/time.h>

#include "state/limits.h"

namespace fairlead::daemon {

/// After the ledger has fed what the process before left. Errors: as open_store.
Result<void> recall_limits(state::Limits& limits, const Snapshot& snapshot, TimePoint now);

}  // namespace fairlead::daemon
