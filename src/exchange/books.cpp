#include "exchange/books.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace fairlead::exchange {

/// One coroutine that waits.
class Books::Wait {
 public:
  virtual ~Wait() = default;
  virtual void resume(Result<void> result) = 0;  ///< once; after that nothing
  bool counted = false;                          ///< among the mailbox's waits; guarded by its mutex
};

template <class Handler>
class Books::WaitOf final : public Wait {
 public:
  explicit WaitOf(Handler handler) : handler_(std::move(handler)) {}
  void resume(Result<void> result) override {
    if (!handler_) return;
    auto taken = std::move(*handler_);
    handler_.reset();
    std::move(taken)(std::move(result));
  }

 private:
  std::optional<Handler> handler_;
};

/// What the ledger has finished, until the worker takes it: a commit ends many waits, and wakes the worker once.
struct Books::Mailbox : std::enable_shared_from_this<Mailbox> {
  Mailbox(Books& of, const Executor& executor) : books(of), worker(executor) {}

  struct Finished {
    std::shared_ptr<Wait> wait;
    Result<void> result;
  };
  Books& books;  ///< for deliver(), which runs while the worker does
  Executor worker;
  std::mutex mutex;  // guards what follows
  std::vector<Finished> finished;
  std::optional<asio::executor_work_guard<Executor>> work;  ///< keeps the worker's loop alive while something is waited for
  std::size_t waits = 0;

  void expect(Wait& wait) {
    const std::lock_guard lock(mutex);
    wait.counted = true;
    if (waits++ == 0) work.emplace(worker);
  }
  /// Nobody waits for it any more, so a worker that has nothing else to do may end.
  void forget(Wait& wait) {
    const std::lock_guard lock(mutex);
    count_out(wait);
    if (waits == 0) work.reset();
  }
  void count_out(Wait& wait) {
    if (std::exchange(wait.counted, false)) --waits;
  }
  void put(std::shared_ptr<Wait> wait, Result<void> result) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex);
      wake = finished.empty();
      finished.push_back({std::move(wait), std::move(result)});
    }
    if (wake) asio::post(worker, [self = shared_from_this()] { self->deliver(); });
  }
  void deliver() {
    std::vector<Finished> taken;
    bool at_rest = false;
    {
      const std::lock_guard lock(mutex);
      taken.swap(finished);
      for (const Finished& one : taken) count_out(*one.wait);
      at_rest = waits == 0;
      if (at_rest) work.reset();
    }
    if (at_rest) books.rest();
    for (Finished& one : taken) one.wait->resume(std::move(one.result));
  }
};

constexpr std::size_t outgoing_max = 16;

struct Books::Initiate {
  Books* books;
  template <class Handler>
  void operator()(Handler handler, Rows rows) const {
    books->hand_over({std::move(rows), std::make_shared<WaitOf<Handler>>(std::move(handler))});
  }
};

Books::Books(const Executor& executor, Ledger& ledger)
    : ledger_(ledger), mailbox_(std::make_shared<Mailbox>(*this, executor)), timer_(executor), commit_timer_(executor) {}

Task<Result<void>> Books::write(Rows rows) {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Result<void>)>(
      Initiate{this}, asio::use_awaitable_t<Executor>(), std::move(rows));
}

/// What all that is ready to run has for the ledger goes to it together: one write, or one lock and one wake-up. Not too much at
/// once, so that the first can be committed while the rest still runs.
void Books::hand_over(Outgoing outgoing) {
  outgoing_.push_back(std::move(outgoing));
  if (outgoing_.size() >= outgoing_max) return give();
  if (outgoing_.size() == 1) asio::post(timer_.get_executor(), [this] { give(); });
}

void Books::give() {
  std::vector<Outgoing> taken;
  taken.swap(outgoing_);
  const auto needs_no_disk = [this](const Outgoing& one) { return !ledger_.wait_for_disk(one.rows); };
  auto waiting = std::find_if_not(taken.begin(), taken.end(), needs_no_disk);  // often all or none: then nothing is moved
  if (std::any_of(waiting, taken.end(), needs_no_disk)) waiting = std::stable_partition(waiting, taken.end(), needs_no_disk);
  std::span<Outgoing> at_once(taken.begin(), waiting);
  if (!at_once.empty() && !write_at_once(at_once)) at_once = {};
  queue(std::span(taken).subspan(at_once.size()));
  for (const Outgoing& one : at_once) one.wait->resume({});
}

bool Books::write_at_once(std::span<const Outgoing> outgoing) {
  std::vector<Rows> rows;
  rows.reserve(outgoing.size());
  for (const Outgoing& one : outgoing) rows.push_back(one.rows);
  if (!ledger_.write_at_once(rows)) return false;
  if (std::exchange(commit_timer_runs_, true)) return true;
  commit_timer_.expires_after(commit_ms_max);
  commit_timer_.async_wait([this](boost::system::error_code error) {
    commit_timer_runs_ = false;
    if (!error) ledger_.commit();
  });
  return true;
}

void Books::queue(std::span<Outgoing> outgoing) {
  if (outgoing.empty()) return;
  std::vector<Ledger::Entry> entries;
  entries.reserve(outgoing.size());
  for (Outgoing& one : outgoing) {
    if (!has_open(*one.rows)) limit(one.wait);
    mailbox_->expect(*one.wait);
    // The last reference must go on the worker's thread: the callback gives its own away.
    entries.push_back({std::move(one.rows), [wait = std::move(one.wait), mailbox = mailbox_](Result<void> result) mutable {
                         mailbox->put(std::move(wait), std::move(result));
                       }});
  }
  ledger_.write(entries);
}

void Books::limit(std::shared_ptr<Wait> wait) {
  while (!limited_.empty() && limited_.front().second.expired()) limited_.pop_front();
  limited_.emplace_back(std::chrono::steady_clock::now() + settle_ms_max, std::move(wait));
  if (!timer_runs_) give_up_old();
}

/// Nothing waits: no timer keeps the worker's loop alive.
void Books::rest() {
  limited_.clear();
  if (std::exchange(timer_runs_, false)) timer_.cancel();
}

/// Ends the waits that have lasted too long, and comes again when the next one will have.
void Books::give_up_old() {
  timer_runs_ = false;
  const SteadyTime now = std::chrono::steady_clock::now();
  while (!limited_.empty()) {
    const auto& [until, weak] = limited_.front();
    const std::shared_ptr<Wait> wait = weak.lock();
    if (wait && until > now) break;
    limited_.pop_front();
    if (!wait) continue;
    mailbox_->forget(*wait);
    wait->resume(Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger cannot be written at the moment"));
  }
  if (limited_.empty()) return;
  timer_runs_ = true;
  timer_.expires_at(limited_.front().first);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) give_up_old();
  });
}

}  // namespace fairlead::exchange
