#include "ledger/ledger.h"

#include "ledger/feeder.h"
#include "ledger/shared_journal.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace fairlead {
namespace {

using Clock = std::chrono::steady_clock;

struct Queued : Ledger::Entry {
  bool acknowledged = false;  ///< and dropped by the journal after that
};
using Entries = std::vector<Queued>;

bool is_open(const Write& write) {
  return std::holds_alternative<RequestOpen>(write) || std::holds_alternative<AttemptOpen>(write);
}

/// Does somebody see what the entry says, once it is acknowledged?
bool ends_request(const std::vector<Write>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const Write& row) { return std::holds_alternative<RequestSettle>(row); });
}

/// Does `open` open the row that `settle` settles?
bool is_pair(const Write& open, const Write& settle) {
  if (const auto* request = std::get_if<RequestSettle>(&settle)) {
    const auto* opened = std::get_if<RequestOpen>(&open);
    return opened != nullptr && opened->id == request->id;
  }
  if (const auto* attempt = std::get_if<AttemptSettle>(&settle)) {
    const auto* opened = std::get_if<AttemptOpen>(&open);
    return opened != nullptr && opened->request_id == attempt->request_id && opened->number == attempt->number;
  }
  return false;
}

/// What of a failed entry must still be written: settlements of rows that an earlier commit opened.
std::vector<Write> settlements_of(const std::vector<Write>& rows) {
  std::vector<Write> kept;
  for (const Write& row : rows) {
    if (is_open(row)) continue;
    if (std::none_of(rows.begin(), rows.end(), [&](const Write& other) { return is_pair(other, row); })) kept.push_back(row);
  }
  return kept;
}

/// Moves all of `from`, which is empty then, to the end of `to`.
void append(Entries& to, Entries& from) {
  if (to.empty()) return to.swap(from);
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

std::size_t rows_of(std::span<const Queued> entries) {
  std::size_t rows = 0;
  for (const Queued& entry : entries) rows += entry.size();
  return rows;
}

Error cannot_keep_up() {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger cannot keep up",
          "the ledger's queue or journal is full"};
}

Error disk_hangs() {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is not available", "its disk does not answer"};
}

FeedLimits feed_limits(const LedgerLimits& limits) {
  FeedLimits feed;
  feed.patient_bytes_max = limits.patient_bytes_max;
  feed.window_ms = limits.feed_ms_max;
  feed.open_ms_max = limits.open_ms_max;
  feed.retry_ms_min = limits.retry_ms_min;
  feed.retry_ms_max = limits.retry_ms_max;
  return feed;
}

}  // namespace

bool has_open(const std::vector<Write>& rows) { return std::any_of(rows.begin(), rows.end(), is_open); }

struct Ledger::Impl {
  Impl(std::unique_ptr<Store> store_, LedgerLimits limits_, JournalFiles& files, Recovered recovered)
      : store(std::move(store_)),
        limits(limits_),
        found(std::move(recovered)),
        feeder(*store, files, store->journal(), feed_limits(limits)),
        journal({files, store->journal(), found.next_sequence, limits.segment_bytes, limits.sync}, limits, feeder),
        backoff(limits.retry_ms_min) {
    // Before the first request: the journal's first file takes a while.
    if (const auto begun = journal.begin(); !begun) lose_journal({}, begun.error());
    feeder.start();
    writer = std::thread([this] { run(); });
    pthread_setname_np(writer.native_handle(), "ledger-writer");
  }

  void write(std::span<Ledger::Entry> entries);
  void commit_soon();
  bool flush(std::chrono::milliseconds timeout);
  void close();

  void run();
  bool hangs() const {
    const Clock::rep began = commit_began.load(std::memory_order_relaxed);
    return began != 0 && Clock::now().time_since_epoch().count() - began > Clock::duration(limits.commit_ms_max).count();
  }
  bool is_journal_full() const { return feeder.stats().journal_bytes >= limits.journal_bytes_max; }
  bool collect();
  void commit_some();
  void renew();
  Result<void> commit(Entries& group);
  Result<void> write_group(const Entries& group);
  void acknowledge_written(Entries& group);
  void reclaim();
  void refuse_row(Entries group, const Error& error);
  void lose_journal(Entries failed, const Error& error);
  Entries turn_away(Entries entries);
  void fail(Queued entry, const Error& error, Entries& kept);
  void end(std::span<const Queued> entries, const Result<void>& result);

  std::unique_ptr<Store> store;
  const LedgerLimits limits;
  const Recovered found;
  Feeder feeder;

  SharedJournal journal;  // not called while `mutex` is held

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable arrived, ended;
  Entries queue;
  bool commit_wanted = false;                // of what is unsynced
  bool committing = false;                   // a commit is being made
  std::size_t unfinished = 0;                // entries in `queue`, in `pending` or being committed
  std::atomic<Clock::rep> commit_began = 0;  // the one that is being made; 0: none is
  std::atomic<bool> journal_full = false;    // the store is too far behind; changed under the mutex alone
  bool idle = false;                         // the writer waits for something to do
  bool closing = false;
  Clock::time_point close_by;
  LedgerStats numbers;

  // The writer thread's own.
  Entries taken;           // the queue's room, while it is not the queue
  Entries pending;         // taken from the queue, or kept for another try; oldest first
  std::size_t singly = 0;  // so many of them are committed one by one, after what was acknowledged
  bool apart = false;      // that too, as one frame has no room for it
  bool ending = false;     // it was told to close
  bool lost = false;       // the last commit failed: opens fail at once, and the journal is tried again at `retry_at`
  Clock::time_point retry_at;
  std::chrono::milliseconds backoff;
  Clock::time_point next_commit;              // not before
  std::optional<Clock::time_point> renew_at;  // the journal's segment is to be followed by another
  Error why;
  std::thread writer;
};

void Ledger::Impl::write(std::span<Ledger::Entry> entries) {
  bool wake = false;
  std::vector<Ledger::Entry> refused;
  const bool hanging = hangs();
  {
    const std::lock_guard lock(mutex);
    if (journal_full) journal_full = is_journal_full();
    for (Ledger::Entry& entry : entries) {
      if (has_open(*entry.rows) && (numbers.queued + entry.size() > limits.queue_writes_max || journal_full || hanging)) {
        if (auto kept = settlements_of(*entry.rows); !kept.empty()) {
          numbers.queued += kept.size();
          ++unfinished;
          queue.push_back({{std::make_shared<const std::vector<Write>>(std::move(kept)), nullptr}});
        }
        refused.push_back(std::move(entry));
        continue;
      }
      numbers.queued += entry.size();
      ++unfinished;
      queue.push_back({std::move(entry)});
    }
    wake = !queue.empty() && std::exchange(idle, false);
  }
  if (wake) arrived.notify_one();
  for (const Ledger::Entry& entry : refused)
    if (entry.done) entry.done(hanging ? disk_hangs() : cannot_keep_up());
}

void Ledger::Impl::commit_soon() {
  const std::lock_guard lock(mutex);
  commit_wanted = true;
  if (std::exchange(idle, false)) arrived.notify_one();
}

bool Ledger::Impl::flush(std::chrono::milliseconds timeout) {
  commit_soon();
  std::unique_lock lock(mutex);
  return ended.wait_for(lock, timeout, [this] { return unfinished == 0 && !commit_wanted && !committing; });
}

void Ledger::Impl::close() {
  {
    const std::lock_guard lock(mutex);
    closing = commit_wanted = true;
    close_by = Clock::now() + limits.close_ms_max;
    arrived.notify_one();
  }
  writer.join();
  feeder.close(close_by);
}

void Ledger::Impl::run() {
  while (collect())
    if (!lost || Clock::now() >= retry_at) commit_some();
  end(pending, why);
}

/// Waits for something to do and takes what is queued. False: the ledger is closed, or has tried for long enough.
bool Ledger::Impl::collect() {
  renew_at = journal.renew_at();
  const bool unsynced = ending && journal.has_unsynced();
  {
    std::unique_lock lock(mutex);
    if (std::exchange(committing, false) && unfinished == 0) ended.notify_all();
    const auto something = [this] { return !queue.empty() || ((commit_wanted || closing) && !lost); };
    idle = true;
    if (lost)
      arrived.wait_until(lock, closing ? std::min(retry_at, close_by) : retry_at, something);
    else if (pending.empty() && renew_at)
      arrived.wait_until(lock, *renew_at, something);
    else if (pending.empty())
      arrived.wait(lock, something);
    idle = false;
    if (!lost && Clock::now() < next_commit) arrived.wait_until(lock, next_commit, [this] { return closing; });
    taken.swap(queue);
    const bool wanted = std::exchange(commit_wanted, false);
    ending = closing;
    if (closing && ((pending.empty() && taken.empty() && !wanted && !unsynced) || (lost && Clock::now() >= close_by))) {
      append(pending, taken);
      return false;
    }
    committing = true;
  }
  if (lost) taken = turn_away(std::move(taken));
  append(pending, taken);
  return true;
}

/// One group commit of the oldest entries; with none, a commit of what is unsynced, or a probe of the lost journal.
void Ledger::Impl::commit_some() {
  renew();
  reclaim();
  if (pending.empty() && !lost && !journal.has_unsynced()) return;  // nothing to commit, and nothing to find out
  std::size_t entries = 0;
  for (std::size_t writes = 0; entries < pending.size(); ++entries) {
    writes += pending[entries].size();
    if (pending[entries].acknowledged && !apart) continue;  // what was dropped goes into one frame, alone where others go singly
    if (entries > 0 && (writes > limits.commit_writes_max || singly > 0)) break;
  }
  singly -= std::min(singly, entries);
  apart = apart && singly > 0;
  Entries rest(std::make_move_iterator(pending.begin() + static_cast<std::ptrdiff_t>(entries)),
               std::make_move_iterator(pending.end()));
  Entries group = std::move(pending);
  group.resize(entries);
  pending = std::move(rest);
  const Result<void> result = commit(group);
  if (result) {
    if (pending.empty()) pending.swap(group);  // for its room
    return;
  }
  if (result.error().kind == ErrorKind::internal) return refuse_row(std::move(group), result.error());
  lose_journal(std::move(group), result.error());
}

/// A row of the store may be removed once it is old, and must not come back from the journal when that is replayed.
void Ledger::Impl::renew() {
  const Clock::time_point now = Clock::now();
  if (lost || !renew_at || now < *renew_at) return;
  commit_began = now.time_since_epoch().count();
  journal.renew();
  commit_began = 0;
}

/// Commits the group as one. It holds then what is not ended: nothing on success.
Result<void> Ledger::Impl::commit(Entries& group) {
  const Clock::time_point now = Clock::now();
  next_commit = now + limits.commit_us_min;
  commit_began = now.time_since_epoch().count();
  Result<void> result = write_group(group);
  if (result && limits.sync == Sync::disk) {
    acknowledge_written(group);
    result = journal.sync(rows_of(group));
  }
  commit_began = 0;
  {
    const bool full = is_journal_full();
    const std::lock_guard lock(mutex);
    ++(result ? numbers.commits : numbers.failed_commits);
    journal_full = full;
    if (result) numbers.writable = true;
  }
  if (!result) return result;
  lost = false;
  backoff = limits.retry_ms_min;
  end(group, result);
  group.clear();
  return result;
}

/// To the operating system.
Result<void> Ledger::Impl::write_group(const Entries& group) {
  std::vector<std::span<const Write>> writes;
  for (const Queued& entry : group) writes.emplace_back(*entry.rows);
  return journal.write(writes, pending.empty());
}

/// Who waits for no disk need wait no longer.
void Ledger::Impl::acknowledge_written(Entries& group) {
  const auto waits = std::stable_partition(group.begin(), group.end(),
                                           [](const Queued& entry) { return entry.acknowledged || !ends_request(*entry.rows); });
  std::vector<Rows> written;
  for (auto at = group.begin(); at != waits; ++at) written.push_back(at->rows);
  journal.acknowledged(std::move(written));
  end({group.begin(), waits}, {});
  group.erase(group.begin(), waits);
}

/// What was acknowledged and then dropped by the journal is to be written before anything else.
void Ledger::Impl::reclaim() {
  Entries dropped;
  for (Rows& rows : journal.reclaim()) dropped.push_back({{std::move(rows), nullptr}, true});
  if (dropped.empty()) return;
  {
    const std::lock_guard lock(mutex);
    unfinished += dropped.size();
    for (const Queued& entry : dropped) numbers.queued += entry.size();
  }
  append(dropped, pending);
  pending = std::move(dropped);
}

/// The group holds a row which can never be written. Alone it is refused; until it is, entries are committed one by one, so that no
/// other suffers.
void Ledger::Impl::refuse_row(Entries group, const Error& error) {
  if (group.size() > 1) {
    singly = group.size();
    apart = group.back().acknowledged;
  } else {
    Entries kept;
    fail(std::move(group.front()), error, kept);
    group = std::move(kept);
  }
  append(group, pending);
  pending = std::move(group);
}

/// The journal cannot be written: settlements wait in `pending`, and opens have failed.
void Ledger::Impl::lose_journal(Entries failed, const Error& error) {
  {
    const std::lock_guard lock(mutex);
    numbers.writable = false;
  }
  lost = true;
  why = error;
  retry_at = Clock::now() + backoff;
  backoff = std::min(backoff * 2, limits.retry_ms_max);
  append(failed, pending);
  pending = turn_away(std::move(failed));
}

/// Fails what holds an open; the rest is to be tried again.
Entries Ledger::Impl::turn_away(Entries entries) {
  Entries kept;
  for (Queued& entry : entries) {
    if (!entry.acknowledged && has_open(*entry.rows))
      fail(std::move(entry), why, kept);
    else
      kept.push_back(std::move(entry));
  }
  return kept;
}

/// The entry has failed. If it held opens, settlements of older rows in it become an entry of their own, in `kept`.
void Ledger::Impl::fail(Queued entry, const Error& error, Entries& kept) {
  std::vector<Write> settlements;
  if (has_open(*entry.rows)) settlements = settlements_of(*entry.rows);
  {
    const std::lock_guard lock(mutex);
    if (error.kind == ErrorKind::internal) numbers.refused_rows += entry.size() - settlements.size();
    if (!settlements.empty()) ++unfinished, numbers.queued += settlements.size();
  }
  if (!settlements.empty()) kept.push_back({{std::make_shared<const std::vector<Write>>(std::move(settlements)), nullptr}});
  end({&entry, 1}, error);
}

void Ledger::Impl::end(std::span<const Queued> entries, const Result<void>& result) {
  {
    const std::lock_guard lock(mutex);
    for (const Queued& entry : entries) {
      numbers.queued -= entry.size();
      if (result && !entry.acknowledged) numbers.rows += entry.size();
    }
  }
  for (const Queued& entry : entries)
    if (entry.done) entry.done(result);
  const std::lock_guard lock(mutex);
  unfinished -= entries.size();
  if (unfinished == 0) ended.notify_all();  // only now: who waited for the end may let go of what `done` stands on
}

Result<std::unique_ptr<Ledger>> Ledger::start(std::unique_ptr<Store> store, TimePoint now, LedgerLimits limits,
                                              JournalFiles& files) {
  auto recovered = recover_journal(*store, files, now);
  if (!recovered) return recovered.error();
  return std::unique_ptr<Ledger>(new Ledger(std::make_unique<Impl>(std::move(store), limits, files, std::move(*recovered))));
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Ledger::~Ledger() { impl_->close(); }

void Ledger::write(std::span<Entry> entries) { impl_->write(entries); }

bool Ledger::wait_for_disk(const Rows& rows) const { return impl_->limits.sync == Sync::disk && ends_request(*rows); }

bool Ledger::write_at_once(std::span<const Rows> group) {
  return !impl_->journal_full && !impl_->hangs() && impl_->journal.write_at_once(group);
}

void Ledger::commit() { impl_->commit_soon(); }

bool Ledger::flush(std::chrono::milliseconds timeout) { return impl_->flush(timeout); }

const Recovered& Ledger::found() const { return impl_->found; }

std::string Ledger::why_save_failed() const { return impl_->feeder.why_failed(); }

LedgerStats Ledger::stats() const {
  const FeedStats feed = impl_->feeder.stats();
  const std::uint64_t rows_at_once = impl_->journal.rows_at_once();
  const std::lock_guard lock(impl_->mutex);
  LedgerStats stats = impl_->numbers;
  stats.rows += rows_at_once;
  stats.unfed_rows = feed.unfed_rows;
  stats.refused_rows += feed.refused_rows;
  stats.failed_saves = feed.failed_saves;
  stats.journal_bytes = feed.journal_bytes;
  stats.writable = stats.writable && !impl_->hangs() && feed.journal_bytes < impl_->limits.journal_bytes_max;
  return stats;
}

}  // namespace fairlead
