#pragma once
// What outlives a process: what it admitted and answered, as its rows tell, and what it learned, in a file beside the ledger. On
// the main thread.
#include <fairlead/snapshot.h>

#include "daemon/recall_limits.h"
#include "state/estimates.h"
#include "state/limits.h"
#include "state/replays.h"

#include <cstdint>
#include <string>

namespace fairlead::daemon {

class Past {
 public:
  /// The memory that it goes into.
  struct Memory {
    state::Estimates& estimates;
    state::Limits& limits;
    state::Replays& replays;
  };
  explicit Past(const Memory& memory) : memory_(memory) {}

  /// At the start, once the ledger has fed what the process before left. `next_number`: Recovered's. What cannot be read is told
  /// in the log, and is as if it had never been.
  void recall(const Snapshot& snapshot, std::int64_t next_number);
  /// Under a wrong clock the start took requests for older, or younger, than they are: they are recalled anew once it is set.
  void look_at_clock(const Snapshot& snapshot);
  /// What is learned by now, for the next process.
  void keep_estimates();

 private:
  void recall_estimates(const Snapshot& snapshot);
  void recall_requests(const Snapshot& snapshot);
  TimePoint beginning() const;

  Memory memory_;
  std::string estimates_file_;
  Began began_;
  TimePoint recalled_by_;  ///< beginning() then
};

}  // namespace fairlead::daemon
