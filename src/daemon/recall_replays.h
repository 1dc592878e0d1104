#pragma once
// What an earlier process served to requests with an Idempotency-Key, read off its rows when a daemon starts, and
// when the clock was set since.
#include <fairlead/snapshot.h>
#include <fairlead/time.h>

#include "state/replays.h"

#include <cstddef>

namespace fairlead::daemon {

inline constexpr std::size_t recalled_max = 100'000;  ///< the newest, so that the start is not held up

/// After the ledger has fed what the process before left. Errors: as open_store.
Result<void> recall_replays(state::Replays& replays, const Snapshot& snapshot, TimePoint now);

}  // namespace fairlead::daemon
