#include "daemon/recall_replays.h"

#include <fairlead/store.h>

#include <algorithm>
#include <chrono>

#include "plan/repeat.h"

namespace fairlead::daemon {

Result<void> recall_replays(state::Replays& replays, const Snapshot& snapshot, TimePoint now) {
  const Milliseconds window = snapshot.idempotency.window;
  if (window == Milliseconds{0}) return {};
  const auto store = open_store(snapshot.ledger, StoreMode::read);
  if (!store) return store.error();
  const auto served = (*store)->served(repeat_marks_word, now - window, recalled_max);
  if (!served) return served.error();
  const auto steady_now = std::chrono::steady_clock::now();
  for (auto one = served->rbegin(); one != served->rend(); ++one)  // the newest first
    if (const auto marks = marks_in(one->facts))
      replays.recall(marks->name, marks->body, steady_now - (now - std::min(now, one->ended_at)));
  return {};
}

}  // namespace fairlead::daemon
