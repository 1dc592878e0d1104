#include "daemon/retention.h"

#include <pthread.h>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "ledger/archive.h"

namespace fairlead::daemon {
namespace {

constexpr std::chrono::hours looked_every{1};

}  // namespace

void RetentionJob::start() {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "retention");
}

void RetentionJob::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool RetentionJob::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

void RetentionJob::run() {
  do look();
  while (rest(looked_every));
}

void RetentionJob::look() {
  const auto snapshot = snapshot_();
  const Retention& retention = snapshot->retention;
  if (retention.detail.count() == 0) return;
  const TimePoint now = wall_clock();
  const auto gone = [&]() -> Result<OldRowsGone> {
    auto books = open_bookkeeper(snapshot->ledger);
    if (!books) return books.error();
    return let_old_rows_go(**books, retention.archive, std::chrono::floor<std::chrono::days>(now) - retention.detail, now,
                           [this](std::chrono::milliseconds time) { return rest(time); });
  }();
  if (!gone)
    log(Level::error, "retention_failed",
        {{"reason", gone.error().message()},
         {"detail", gone.error().detail()},
         {"instead", "the rows stay; the next try is in an hour"}});
  else if (gone->requests > 0)
    log(Level::info, "old_rows_gone", {{"requests", gone->requests}, {"files", gone->files}});
}

}  // namespace fairlead::daemon
