#include "daemon/past.h"

#include <chrono>
#include <utility>

#include "daemon/clock.h"
#include "daemon/estimates_file.h"
#include "daemon/log.h"
#include "daemon/recall_replays.h"

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds clock_set_min{60};  ///< less is no matter to a window of a day

}  // namespace

void Past::recall(const Snapshot& snapshot, std::int64_t next_number) {
  began_ = {next_number, std::chrono::steady_clock::now()};
  recall_estimates(snapshot);
  recall_requests(snapshot);
}

void Past::recall_estimates(const Snapshot& snapshot) {
  estimates_file_ = estimates_file_beside(snapshot.ledger);
  auto read = read_estimates(estimates_file_);
  if (read)
    memory_.estimates.restore(std::move(*read));
  else
    log(Level::warn, "estimates_not_read",
        {{"reason", read.error().message() + "; estimates start from the priors"}, {"file", estimates_file_}});
  memory_.estimates.know(snapshot);
}

void Past::recall_requests(const Snapshot& snapshot) {
  recalled_by_ = beginning();
  if (auto recalled = recall_limits(memory_.limits, snapshot, wall_clock(), began_); !recalled)
    log(Level::warn, "limits_not_recalled", {{"reason", recalled.error().message() + ": " + recalled.error().detail()}});
  if (auto recalled = recall_replays(memory_.replays, snapshot, wall_clock()); !recalled)
    log(Level::warn, "idempotency_not_recalled", {{"reason", recalled.error().message() + ": " + recalled.error().detail()}});
}

/// When the process began, by the clock as it is set now.
TimePoint Past::beginning() const {
  return wall_clock() - std::chrono::floor<std::chrono::microseconds>(std::chrono::steady_clock::now() - began_.at);
}

void Past::look_at_clock(const Snapshot& snapshot) {
  const auto by = std::chrono::floor<std::chrono::seconds>(beginning() - recalled_by_);
  if (std::chrono::abs(by) < clock_set_min) return;
  recall_requests(snapshot);
  log(Level::warn, "clock_set", {{"by_s", by.count()}});
}

void Past::keep_estimates() {
  auto written = write_estimates(estimates_file_, memory_.estimates.everything());
  if (!written) log(Level::warn, "estimates_not_written", {{"reason", written.error().message()}, {"file", estimates_file_}});
}

}  // namespace fairlead::daemon
