#pragma once
// The start: what the last process left in its journal goes into the store, and what it left open is interrupted.
#include <fairlead/store.h>

#include "ledger/files.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fairlead {

/// What the start found of the process before.
struct Recovered {
  std::int64_t interrupted_attempts = 0;  ///< they were open
  std::uint64_t replayed_rows = 0;        ///< of the journal
  std::uint64_t next_sequence = 1;        ///< of the journal's segments
  std::int64_t next_number = 1;           ///< of the store: a lower one is that of a request before this start
  std::vector<std::string> notices;       ///< what an operator should know: a torn end, damage
};

/// Replays the journal, makes open rows interrupted, and removes the journal once the store has all of it on the disk. A crash at
/// any point is harmless: it is all done again. A damaged segment is replayed up to the damage, and kept under another name.
/// Errors: ledger_unavailable, also for a journal of a newer version, of which then nothing was changed.
Result<Recovered> recover_journal(Store& store, JournalFiles& files, TimePoint now);

}  // namespace fairlead
