#pragma once
// What earlier processes admitted in the last 24 hours, read off their rows when a daemon starts whose configuration has limits of
// a day, and when the clock was set since.
#include <fairlead/snapshot.h>
#include <fairlead/time.h>

#include "state/limits.h"

#include <cstdint>

namespace fairlead::daemon {

/// Where this process began.
struct Began {
  std::int64_t number = 1;  ///< in the ledger: Recovered
  state::SteadyTime at;
};

/// After the ledger has fed what the process before left. Errors: as open_store.
Result<void> recall_limits(state::Limits& limits, const Snapshot& snapshot, TimePoint now, const Began& began);

}  // namespace fairlead::daemon
