#include "ledger/ledger.h"

#include "ledger/feeder.h"
#include "ledger/journal.h"
#include "ledger/recovery.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

namespace fairlead {
namespace {

using Clock = std::chrono::steady_clock;

using Entry = Ledger::Entry;
using Entries = std::vector<Entry>;

bool is_open(const Write& write) {
  return std::holds_alternative<RequestOpen>(write) || std::holds_alternative<AttemptOpen>(write);
}

bool has_open(const Entry& entry) { return std::any_of(entry.rows->begin(), entry.rows->end(), is_open); }

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

  void write(std::span<Entry> entries);
  bool flush(std::chrono::milliseconds timeout);
  void close();

  void run();
  void follow(std::size_t rows);
  bool is_journal_full() const { return feeder.stats().journal_bytes >= limits.journal_bytes_max; }
  bool collect();
  void commit_some();
  Result<void> commit(std::span<Entry> group);
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
  Entries taken;      // the queue's room, while it is not the queue
  Entries pending;    // taken from the queue, or kept for another try; oldest first
  bool lost = false;  // the last commit failed: opens fail at once, and the journal is tried again at `retry_at`
  Clock::time_point retry_at;
  std::chrono::milliseconds backoff;
  Clock::time_point next_commit;  // not before
  Error why;
  std::thread writer;
};

void Ledger::Impl::write(std::span<Entry> entries) {
  bool wake = false;
  Entries refused;
  {
    const std::lock_guard lock(mutex);
    if (journal_full) journal_full = is_journal_full();
    for (Entry& entry : entries) {
      if (has_open(entry) && (numbers.queued + entry.size() > limits.queue_writes_max || journal_full)) {
        refused.push_back(std::move(entry));
        continue;
      }
      numbers.queued += entry.size();
      ++unfinished;
      queue.push_back(std::move(entry));
    }
    wake = !queue.empty() && std::exchange(idle, false);
  }
  if (wake) arrived.notify_one();
  for (const Entry& entry : refused)
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
  for (const Entry& entry : pending) end(entry.done, entry.size(), why);
}

/// Waits for something to do and takes what is queued. False: the ledger is closed, or has tried for long enough.
bool Ledger::Impl::collect() {
  {
    std::unique_lock lock(mutex);
    const auto something = [this] { return !queue.empty() || (closing && !lost); };
    idle = true;
    if (lost)
      arrived.wait_until(lock, closing ? std::min(retry_at, close_by) : retry_at, something);
    else if (pending.empty())
      arrived.wait(lock, something);
    idle = false;
    if (!lost && Clock::now() < next_commit) arrived.wait_until(lock, next_commit, [this] { return closing; });
    taken.swap(queue);
    if (closing && ((pending.empty() && taken.empty()) || (lost && Clock::now() >= close_by))) {
      append(pending, taken);
      return false;
    }
  }
  if (lost) taken = turn_away(std::move(taken));
  append(pending, taken);
  return true;
}

/// One group commit of the oldest entries; with none, a probe of the lost journal.
void Ledger::Impl::commit_some() {
  std::size_t entries = 0;
  for (std::size_t writes = 0; entries < pending.size(); ++entries) {
    writes += pending[entries].size();
    if (entries > 0 && writes > limits.commit_writes_max) break;
  }
  Entries rest(std::make_move_iterator(pending.begin() + static_cast<std::ptrdiff_t>(entries)),
               std::make_move_iterator(pending.end()));
  Entries group = std::move(pending);
  group.resize(entries);
  pending = std::move(rest);
  const Result<void> result = commit(group);
  if (result) {
    group.clear();
    if (pending.empty()) pending.swap(group);  // for its room
    return;
  }
  if (result.error().kind == ErrorKind::internal) return commit_each(std::move(group));
  lose_journal(std::move(group), result.error());
}

/// Commits the group as one. On success its entries are ended, and on an error they are as they were.
Result<void> Ledger::Impl::commit(std::span<Entry> group) {
  std::vector<std::span<const Write>> writes;
  std::size_t rows = 0;
  for (const Entry& entry : group) {
    writes.emplace_back(*entry.rows);
    rows += entry.size();
  }
  next_commit = Clock::now() + limits.commit_us_min;
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
  for (auto at = group.begin(); at != group.end(); ++at) {
    const Result<void> result = commit({at, 1});
    if (result) continue;
    if (result.error().kind != ErrorKind::internal) {
      group.erase(group.begin(), at);
      return lose_journal(std::move(group), result.error());
    }
    Entries kept;
    fail(std::move(*at), result.error(), kept);
    pending.insert(pending.begin(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
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
  append(failed, pending);
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
  std::size_t failed = entry.size();
  std::vector<Write> settlements;
  if (has_open(entry)) settlements = settlements_of(*entry.rows);
  failed -= settlements.size();
  {
    const std::lock_guard lock(mutex);
    if (error.kind == ErrorKind::internal) numbers.refused_rows += failed;
    if (!settlements.empty()) ++unfinished;
  }
  if (!settlements.empty()) kept.push_back({std::make_shared<const std::vector<Write>>(std::move(settlements)), nullptr});
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

void Ledger::write(std::span<Entry> entries) { impl_->write(entries); }

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
