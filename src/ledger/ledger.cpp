#include "ledger/ledger.h"

#include "ledger/feeder.h"
#include "ledger/journal.h"
#include "ledger/recovery.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

namespace fairlead {
namespace {

using Clock = std::chrono::steady_clock;

/// One call of write(): durable together.
struct Entry {
  std::vector<Write> writes;
  Ledger::Done done;
};
using Entries = std::deque<Entry>;

bool is_open(const Write& write) {
  return std::holds_alternative<RequestOpen>(write) || std::holds_alternative<AttemptOpen>(write);
}

bool has_open(const Entry& entry) { return std::any_of(entry.writes.begin(), entry.writes.end(), is_open); }

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
std::vector<Write> settlements_of(std::vector<Write> writes) {
  std::vector<Write> kept;
  for (Write& write : writes) {
    if (is_open(write)) continue;
    if (std::none_of(writes.begin(), writes.end(), [&](const Write& other) { return is_pair(other, write); }))
      kept.push_back(std::move(write));
  }
  return kept;
}

Error cannot_keep_up() {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger cannot keep up",
          "the ledger's queue or journal is full"};
}

FeedLimits feed_limits(const LedgerLimits& limits) {
  FeedLimits feed;
  feed.window_ms = limits.feed_ms_max;
  feed.open_ms_max = limits.open_ms_max;
  feed.retry_ms_min = limits.retry_ms_min;
  feed.retry_ms_max = limits.retry_ms_max;
  return feed;
}

}  // namespace

struct Ledger::Impl {
  Impl(std::unique_ptr<Store> store_, LedgerLimits limits_, JournalFiles& files, const Recovered& recovered)
      : store(std::move(store_)),
        limits(limits_),
        found{recovered.interrupted_attempts, recovered.replayed_rows, recovered.notices},
        journal(files, store->journal(), recovered.next_sequence, limits.segment_bytes, limits.sync),
        feeder(*store, files, store->journal(), feed_limits(limits)),
        backoff(limits.retry_ms_min) {
    // Before the first request: the journal's first file takes a while.
    if (const auto begun = journal.append({}); !begun) lose_journal({}, begun.error());
    follow(0);
    feeder.start();
    writer = std::thread([this] { run(); });
  }

  void write(Entry entry);
  bool flush(std::chrono::milliseconds timeout);
  void close();

  void run();
  void follow(std::size_t rows);
  bool is_journal_full() const { return feeder.stats().journal_bytes >= limits.journal_bytes_max; }
  bool collect();
  void commit_some();
  Result<void> commit(Entries& group);
  void commit_each(Entries group);
  void lose_journal(Entries failed, const Error& error);
  Entries turn_away(Entries entries);
  void fail(Entry entry, const Error& error, Entries& kept);
  void end(const Done& done, std::size_t writes, const Result<void>& result);

  std::unique_ptr<Store> store;
  const LedgerLimits limits;
  const LedgerFound found;
  Journal journal;  // the writer thread's own
  Feeder feeder;

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable arrived, ended;
  Entries queue;
  std::size_t unfinished = 0;  // entries in `queue`, in `pending` or being committed
  bool journal_full = false;   // the store is too far behind
  bool idle = false;           // the writer waits for something to do
  bool closing = false;
  Clock::time_point close_by;
  LedgerStats numbers;

  // The writer thread's own.
  Entries pending;    // taken from the queue, or kept for another try; oldest first
  bool lost = false;  // the last commit failed: opens fail at once, and the journal is tried again at `retry_at`
  Clock::time_point retry_at;
  std::chrono::milliseconds backoff;
  Error why;
  std::thread writer;
};

void Ledger::Impl::write(Entry entry) {
  {
    const std::lock_guard lock(mutex);
    if (journal_full) journal_full = is_journal_full();
    if (!has_open(entry) || (numbers.queued + entry.writes.size() <= limits.queue_writes_max && !journal_full)) {
      numbers.queued += entry.writes.size();
      ++unfinished;
      queue.push_back(std::move(entry));
      if (std::exchange(idle, false)) arrived.notify_one();
      return;
    }
  }
  if (entry.done) entry.done(cannot_keep_up());
}

bool Ledger::Impl::flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  return ended.wait_for(lock, timeout, [this] { return unfinished == 0; });
}

void Ledger::Impl::close() {
  {
    const std::lock_guard lock(mutex);
    closing = true;
    close_by = Clock::now() + limits.close_ms_max;
    arrived.notify_one();
  }
  writer.join();
  feeder.close(close_by);
}

void Ledger::Impl::run() {
  while (collect())
    if (!lost || Clock::now() >= retry_at) commit_some();
  for (const Entry& entry : pending) end(entry.done, entry.writes.size(), why);
}

/// Waits for something to do and takes what is queued. False: the ledger is closed, or has tried for long enough.
bool Ledger::Impl::collect() {
  Entries taken;
  {
    std::unique_lock lock(mutex);
    const auto something = [this] { return !queue.empty() || (closing && !lost); };
    idle = true;
    if (lost)
      arrived.wait_until(lock, closing ? std::min(retry_at, close_by) : retry_at, something);
    else if (pending.empty())
      arrived.wait(lock, something);
    idle = false;
    taken.swap(queue);
    if (closing && ((pending.empty() && taken.empty()) || (lost && Clock::now() >= close_by))) {
      pending.insert(pending.end(), std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
      return false;
    }
  }
  if (lost) taken = turn_away(std::move(taken));
  pending.insert(pending.end(), std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
  return true;
}

/// One group commit of the oldest entries; with none, a probe of the lost journal.
void Ledger::Impl::commit_some() {
  Entries group;
  std::size_t writes = 0;
  while (!pending.empty() && (group.empty() || writes + pending.front().writes.size() <= limits.commit_writes_max)) {
    writes += pending.front().writes.size();
    group.push_back(std::move(pending.front()));
    pending.pop_front();
  }
  const Result<void> result = commit(group);
  if (result) return;
  if (result.error().kind == ErrorKind::internal) return commit_each(std::move(group));
  lose_journal(std::move(group), result.error());
}

/// Commits the group as one. On success its entries are ended, and on an error they are as they were.
Result<void> Ledger::Impl::commit(Entries& group) {
  std::vector<std::span<const Write>> writes;
  std::size_t rows = 0;
  for (const Entry& entry : group) {
    writes.emplace_back(entry.writes);
    rows += entry.writes.size();
  }
  Result<void> result = journal.append(writes);
  follow(result ? rows : 0);
  {
    const bool full = is_journal_full();
    const std::lock_guard lock(mutex);
    ++(result ? numbers.commits : numbers.failed_commits);
    journal_full = full;
    if (!result) return result;
    numbers.rows += rows;
    numbers.queued -= rows;
    numbers.writable = true;
  }
  lost = false;
  backoff = limits.retry_ms_min;
  for (const Entry& entry : group)
    if (entry.done) entry.done(result);
  const std::lock_guard lock(mutex);
  unfinished -= group.size();
  if (unfinished == 0) ended.notify_all();  // only now: who waited for the end may let go of what `done` stands on
  return result;
}

void Ledger::Impl::follow(std::size_t rows) {
  for (const std::uint64_t sequence : journal.take_abandoned()) feeder.follow(sequence, 0, segment_header_bytes, 0);
  if (journal.sequence() != 0) feeder.follow(journal.sequence(), journal.segment_bytes(), journal.end(), rows);
}

/// After a group that held a row which can never be written: finds it, so that no other entry suffers.
void Ledger::Impl::commit_each(Entries group) {
  while (!group.empty()) {
    Entries one;
    one.push_back(std::move(group.front()));
    group.pop_front();
    const Result<void> result = commit(one);
    if (result) continue;
    if (result.error().kind != ErrorKind::internal) {
      group.push_front(std::move(one.front()));
      return lose_journal(std::move(group), result.error());
    }
    Entries kept;
    fail(std::move(one.front()), result.error(), kept);
    std::move(kept.begin(), kept.end(), std::front_inserter(pending));
  }
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
  failed.insert(failed.end(), std::make_move_iterator(pending.begin()), std::make_move_iterator(pending.end()));
  pending = turn_away(std::move(failed));
}

/// Fails what holds an open; the rest is to be tried again.
Entries Ledger::Impl::turn_away(Entries entries) {
  Entries kept;
  for (Entry& entry : entries) {
    if (has_open(entry))
      fail(std::move(entry), why, kept);
    else
      kept.push_back(std::move(entry));
  }
  return kept;
}

/// The entry has failed. If it held opens, settlements of older rows in it become an entry of their own, in `kept`.
void Ledger::Impl::fail(Entry entry, const Error& error, Entries& kept) {
  std::size_t failed = entry.writes.size();
  std::vector<Write> settlements;
  if (has_open(entry)) settlements = settlements_of(std::move(entry.writes));
  failed -= settlements.size();
  {
    const std::lock_guard lock(mutex);
    if (error.kind == ErrorKind::internal) numbers.refused_rows += failed;
    if (!settlements.empty()) ++unfinished;
  }
  if (!settlements.empty()) kept.push_back({std::move(settlements), nullptr});
  end(entry.done, failed, error);
}

void Ledger::Impl::end(const Done& done, std::size_t writes, const Result<void>& result) {
  {
    const std::lock_guard lock(mutex);
    numbers.queued -= writes;
  }
  if (done) done(result);
  const std::lock_guard lock(mutex);
  if (--unfinished == 0) ended.notify_all();  // only now: who waited for the end may let go of what `done` stands on
}

Result<std::unique_ptr<Ledger>> Ledger::start(std::unique_ptr<Store> store, TimePoint now, LedgerLimits limits,
                                              JournalFiles& files) {
  const auto recovered = recover_journal(*store, files, now);
  if (!recovered) return recovered.error();
  return std::unique_ptr<Ledger>(new Ledger(std::make_unique<Impl>(std::move(store), limits, files, *recovered)));
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Ledger::~Ledger() { impl_->close(); }

void Ledger::write(std::vector<Write> writes, Done done) { impl_->write({std::move(writes), std::move(done)}); }

bool Ledger::flush(std::chrono::milliseconds timeout) { return impl_->flush(timeout); }

const LedgerFound& Ledger::found() const { return impl_->found; }

LedgerStats Ledger::stats() const {
  const FeedStats feed = impl_->feeder.stats();
  const std::lock_guard lock(impl_->mutex);
  LedgerStats stats = impl_->numbers;
  stats.unfed_rows = feed.unfed_rows;
  stats.refused_rows += feed.refused_rows;
  stats.failed_saves = feed.failed_saves;
  stats.journal_bytes = feed.journal_bytes;
  stats.writable = stats.writable && feed.journal_bytes < impl_->limits.journal_bytes_max;
  return stats;
}

}  // namespace fairlead
