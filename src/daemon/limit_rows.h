#pragma once
// What is counted against each limit of the configuration, for people and for metrics. Pure.
#include <fairlead/snapshot.h>

#include "state/limits.h"
#include "state/replays.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::daemon {

struct LimitRow {
  state::LimitedBy by = state::LimitedBy::key;
  std::string name;
  Limit limit = Limit::parallel;
  std::int64_t most = 0, used = 0;
  std::uint64_t refused = 0;  ///< so far
};

/// One for each limit of the snapshot, in the order of its keys, teams and routes.
std::vector<LimitRow> limit_rows(const Snapshot& snapshot, const std::vector<state::Limits::Shown>& counted);

/// JSON, for GET /admin/v1/limits.
std::string limits_text(const std::vector<LimitRow>& limits, const state::Replays::Stats& replays);

}  // namespace fairlead::daemon
