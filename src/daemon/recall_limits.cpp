#include "daemon/recall_limits.h"

#include <fairlead/store.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace fairlead::daemon {
namespace {

using Names = std::array<std::set<std::string>, state::limited_by_count>;  // by LimitedBy: those with a limit of a day

Names limited_by_day(const Snapshot& snapshot) {
  Names names;
  const auto add = [&](state::LimitedBy by, const std::string& name, const std::optional<RateLimits>& limits) {
    if (limits && (limits->of(Limit::requests_per_day) != 0 || limits->of(Limit::tokens_per_day) != 0))
      names[static_cast<std::size_t>(by)].insert(name);
  };
  for (const Key& key : snapshot.keys) add(state::LimitedBy::key, key.name, key.limits);
  for (const auto& [name, team] : snapshot.teams) add(state::LimitedBy::team, name, team.limits);
  for (const auto& route : snapshot.routes) add(state::LimitedBy::route, route->name, route->limits);
  return names;
}

}  // namespace

Result<void> recall_limits(state::Limits& limits, const Snapshot& snapshot, TimePoint now, const Began& began) {
  const Names names = limited_by_day(snapshot);
  if (std::all_of(names.begin(), names.end(), [](const auto& some) { return some.empty(); })) return {};
  const auto store = open_store(snapshot.ledger, StoreMode::read);
  if (!store) return store.error();
  const auto step = std::chrono::duration_cast<std::chrono::microseconds>(state::Limits::recalled_step);
  const auto consumed = (*store)->consumed(now - std::chrono::hours(24), step, began.number);
  if (!consumed) return consumed.error();
  const auto steady_now = std::chrono::steady_clock::now();
  std::vector<state::Limits::Earlier> earlier;
  for (const Consumed& some : *consumed) {
    const auto at = steady_now - (now - std::min(now, some.until));
    const std::array<const std::string*, state::limited_by_count> whose{&some.key, &some.team, &some.route};
    for (std::size_t by = 0; by < whose.size(); ++by)
      if (names[by].count(*whose[by]) != 0)
        earlier.push_back({static_cast<state::LimitedBy>(by), *whose[by], some.requests, some.tokens, at});
  }
  limits.recall(earlier, began.at);
  return {};
}

}  // namespace fairlead::daemon
