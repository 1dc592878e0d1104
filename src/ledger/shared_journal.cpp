#include "ledger/shared_journal.h"

#include <iterator>
#include <utility>

namespace fairlead {
namespace {

std::vector<std::span<const Write>> spans_of(std::span<const Rows> group) {
  std::vector<std::span<const Write>> spans;
  spans.reserve(group.size());
  for (const Rows& rows : group) spans.emplace_back(*rows);
  return spans;
}

std::size_t rows_of(std::span<const std::span<const Write>> group) {
  std::size_t count = 0;
  for (const std::span<const Write> rows : group) count += rows.size();
  return count;
}

Error dropped() {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is not available",
          "a write to the journal failed just before"};
}

}  // namespace

SharedJournal::SharedJournal(Journal journal, const LedgerLimits& limits, Feeder& feeder)
    : limits_(limits), feeder_(feeder), journal_(std::move(journal)) {}

Result<void> SharedJournal::begin() {
  const std::lock_guard lock(mutex_);
  Result<void> result = journal_.write({});
  follow(0);
  at_once_ = result.has_value();
  return result;
}

Result<void> SharedJournal::write(std::span<const std::span<const Write>> group, bool last) {
  const std::lock_guard lock(mutex_);
  at_once_ = false;
  if (journal_.has_dropped()) return dropped();
  const std::uint64_t sequence = journal_.place().sequence;
  Result<void> result = journal_.write(group);
  if (journal_.place().sequence != sequence) tell_synced(unsynced_.size());  // the segment before is on the disk
  if (limits_.sync == Sync::os) follow(result ? rows_of(group) : 0);
  at_once_ = result && last;
  return result;
}

std::optional<SharedJournal::Clock::time_point> SharedJournal::renew_at() const {
  const std::lock_guard lock(mutex_);
  if (sequence_ == 0 || journal_.place().end == segment_header_bytes) return std::nullopt;
  return since_ + limits_.segment_ms_max;
}

void SharedJournal::renew() {
  const std::lock_guard lock(mutex_);
  since_ = Clock::now();  // if it fails, the next try has time
  if (journal_.has_dropped() || !journal_.renew()) return;
  tell_synced(unsynced_.size());
}

void SharedJournal::acknowledged(std::vector<Rows> group) {
  const std::lock_guard lock(mutex_);
  unsynced_.insert(unsynced_.end(), std::make_move_iterator(group.begin()), std::make_move_iterator(group.end()));
}

Result<void> SharedJournal::sync(std::size_t rows) {
  std::uint64_t before = 0, until = 0;
  std::size_t covered = 0;
  bool synced = false;
  {
    const std::lock_guard lock(mutex_);
    before = journal_.synced_end();
    until = journal_.place().end;
    covered = unsynced_.size();
    synced = journal_.is_all_synced();
  }
  Result<void> result = synced ? Result<void>() : journal_.sync();
  const std::lock_guard lock(mutex_);
  if (!result) journal_.drop_unsynced(before);
  if (!result || journal_.has_dropped()) {
    at_once_ = false;
    return result ? dropped() : result;
  }
  journal_.synced(until);
  tell_synced(covered);
  follow(rows);
  return result;
}

std::vector<Rows> SharedJournal::reclaim() {
  const std::lock_guard lock(mutex_);
  if (!journal_.take_dropped()) return {};
  at_once_ = false;
  return std::exchange(unsynced_, {});
}

bool SharedJournal::has_unsynced() const {
  const std::lock_guard lock(mutex_);
  return !unsynced_.empty();
}

bool SharedJournal::write_at_once(std::span<const Rows> group) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || !at_once_) return false;
  const auto begin = Clock::now();
  const auto spans = spans_of(group);
  if (begin < at_once_from_ || !journal_.try_write(spans)) return false;
  if (const auto end = Clock::now(); end - begin > limits_.at_once_us_max) at_once_from_ = end + limits_.at_once_rest_ms;
  const std::size_t count = rows_of(spans);
  if (limits_.sync == Sync::disk) unsynced_.insert(unsynced_.end(), group.begin(), group.end());
  rows_at_once_ += count;
  if (limits_.sync == Sync::os) follow(count);
  return true;
}

/// The oldest ones of what was unsynced are on the disk. Under the mutex, as follow() is.
void SharedJournal::tell_synced(std::size_t entries) {
  const auto end = unsynced_.begin() + static_cast<std::ptrdiff_t>(entries);
  std::size_t rows = 0;
  for (auto at = unsynced_.begin(); at != end; ++at) rows += (*at)->size();
  follow(rows);
  unsynced_.erase(unsynced_.begin(), end);
}

/// Tells the feeder, but of no further file while the journal owes rows: it would remove the one that has them. Abandoned files
/// last: from a later one it would take those before for read to their ends.
void SharedJournal::follow(std::size_t rows) {
  if (journal_.owes()) return;
  for (const Journal::Place& place : journal_.take_finished()) feeder_.follow(place.sequence, place.segment_bytes, place.end, 0);
  const Journal::Place place = journal_.place();
  if (std::exchange(sequence_, place.sequence) != place.sequence) since_ = Clock::now();
  if (place.sequence != 0) feeder_.follow(place.sequence, place.segment_bytes, journal_.synced_end(), rows);
  for (const std::uint64_t sequence : journal_.take_abandoned()) feeder_.follow(sequence, 0, segment_header_bytes, 0);
}

}  // namespace fairlead
