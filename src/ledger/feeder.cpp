#include "ledger/feeder.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fairlead {

Feeder::Feeder(Store& store, JournalFiles& files, std::string prefix, FeedLimits limits)
    : store_(store), files_(files), prefix_(std::move(prefix)), limits_(limits), intake_(store), backoff_(limits.retry_ms_min) {}

void Feeder::start() {
  work();  // what it needs is open before the first request comes
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "ledger-feeder");
}

Feeder::~Feeder() { close(Clock::now()); }

void Feeder::follow(std::uint64_t sequence, std::uint64_t segment_bytes, std::uint64_t end, std::uint64_t rows) {
  const std::lock_guard lock(mutex_);
  auto [segment, created] = segments_.try_emplace(sequence);
  if (created) {
    segment->second.bytes = segment_bytes;
    numbers_.journal_bytes += segment_bytes;
  }
  acknowledged_bytes_ += end - segment->second.end;
  segment->second.end = end;
  acknowledged_rows_ += rows;
  numbers_.unfed_rows += rows;
  if (woken_ || (!created && acknowledged_bytes_ < wake_bytes_)) return;
  woken_ = true;
  changed_.notify_one();
}

void Feeder::close(Clock::time_point until) {
  {
    const std::lock_guard lock(mutex_);
    if (!close_by_) close_by_ = until;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

FeedStats Feeder::stats() const {
  const std::lock_guard lock(mutex_);
  return numbers_;
}

std::string Feeder::why_failed() const {
  const std::lock_guard lock(mutex_);
  return why_failed_;
}

void Feeder::run() {
  while (wait()) work();
}

/// Until there is something to do. False: the end.
bool Feeder::wait() {
  std::unique_lock lock(mutex_);
  const auto until = wake_time();
  wake_bytes_ = wake_bytes();
  const bool more_segments = all_read_ && !segments_.empty() && segments_.rbegin()->first > reading_;
  woken_ = acknowledged_bytes_ >= wake_bytes_ || (more_segments && !failing_);
  const auto due = [&] { return woken_ || (close_by_ && (!failing_ || *close_by_ < until)); };
  if (until)
    changed_.wait_until(lock, *until, due);
  else
    changed_.wait(lock, due);
  return !close_by_ || (!segments_.empty() && Clock::now() < *close_by_);
}

/// When there will be something to do, whatever comes meanwhile.
std::optional<Feeder::Clock::time_point> Feeder::wake_time() const {
  if (failing_) return retry_at_;
  if (!all_read_) return Clock::time_point();
  if (intake_.ended() > 0) return std::min(window_end_, look_at_);
  if (intake_.unsaved_rows() > 0) return look_at_;
  return std::nullopt;
}

/// How much must be acknowledged for it to be something to do.
std::uint64_t Feeder::wake_bytes() const {
  if (failing_) return ~std::uint64_t{0};
  return intake_.ended() > 0 ? fed_bytes_ + limits_.window_bytes_max : read_bytes_ + 1;
}

void Feeder::work() {
  const Clock::time_point now = Clock::now();
  const auto done = step(now);
  const std::lock_guard lock(mutex_);
  numbers_.unfed_rows = acknowledged_rows_ - (intake_.taken_rows() - intake_.unsaved_rows());
  numbers_.refused_rows = intake_.refused_rows();
  failing_ = !done;
  if (done) {
    backoff_ = limits_.retry_ms_min;
    return;
  }
  ++numbers_.failed_saves;
  why_failed_ = done.error().detail().empty() ? done.error().message() : done.error().detail();
  retry_at_ = now + backoff_;
  backoff_ = std::min(backoff_ * 2, limits_.retry_ms_max);
}

Result<void> Feeder::step(Clock::time_point now) {
  bool closing = false;
  {
    // Before reading: only once the end is announced, no more rows come, and what is read then is all that there is.
    const std::lock_guard lock(mutex_);
    closing = close_by_ && now < *close_by_;
    intake_.set_yields(!closing && numbers_.journal_bytes <= limits_.patient_bytes_max);
  }
  if (auto done = read(now); !done) return done;
  if (closing && all_read_) return feed_everything();
  if (auto done = feed(now); !done) return done;
  return retire();
}

/// As far as there is something, and room for it.
Result<void> Feeder::read(Clock::time_point now) {
  all_read_ = false;
  while (!all_read_ && intake_.ended() < limits_.requests_max) {
    const auto ended = read_segment(now);
    if (!ended) return ended.error();
    if (!*ended) return {};
    const std::lock_guard lock(mutex_);
    // Only now it is sure that the segment has come to its end: there is a next one, and no more was written before it.
    const auto next = segments_.upper_bound(reading_);
    if (reading_ != 0 && reader_->position() < segments_.at(reading_).end) continue;
    all_read_ = next == segments_.end();
    if (all_read_) return {};
    reading_ = next->first;
    reader_.reset();
  }
  return {};
}

/// True: all of this segment was read that is acknowledged.
Result<bool> Feeder::read_segment(Clock::time_point now) {
  if (reading_ == 0) return true;
  std::uint64_t end = 0;
  {
    const std::lock_guard lock(mutex_);
    end = segments_.at(reading_).end;
  }
  if (!reader_) {
    const auto number = store_.next_number();
    if (!number) return number.error();
    number_ = *number;
    auto opened = SegmentReader::open(files_, prefix_, reading_, Trust::own);
    if (!opened) return opened.error();
    reader_.emplace(std::move(*opened));
    intake_.begin_segment(reading_);
  }
  while (reader_->position() < end) {
    if (intake_.ended() >= limits_.requests_max) return false;
    const std::uint64_t from = reader_->position();
    const auto frame = reader_->next(end);
    if (!frame) return frame.error();
    if (!*frame || !intake_.take(**frame, now))
      return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger is not available",
                   "the journal " + segment_path(prefix_, reading_) + " was changed by somebody else");
    read_bytes_ += reader_->position() - from;
  }
  return true;
}

/// What ended goes at once if little does, and else in large transactions.
Result<void> Feeder::feed(Clock::time_point now) {
  if (now >= window_end_) {
    window_end_ = now + limits_.window_ms;
    quick_left_ = limits_.quick_max;
  }
  const bool full = intake_.ended() >= limits_.requests_max || read_bytes_ - fed_bytes_ >= limits_.window_bytes_max;
  if (intake_.ended() > 0 && (full || quick_left_ > 0)) {
    if (quick_left_ > 0) --quick_left_;
    fed_bytes_ = read_bytes_;
    if (auto done = intake_.save_ended(); !done) return done;
  }
  if (now < look_at_) return {};
  look_at_ = now + limits_.window_ms;
  return intake_.save_open(now - limits_.open_ms_max);
}

/// Lets go of segments that were read to their end.
Result<void> Feeder::retire() {
  {
    const std::lock_guard lock(mutex_);
    if (segments_.empty() || segments_.begin()->first >= reading_) return {};
  }
  if (intake_.needed_from() < reading_) {
    if (auto done = intake_.save_ended(); !done) return done;
    if (auto done = intake_.save_open(Clock::time_point::max()); !done) return done;
  }
  // Beyond this point the store has all that these segments hold, and has it on the disk.
  if (auto done = store_.sync(); !done) return done;
  if (auto done = remove_before(reading_); !done) return done;
  (void)store_.keep_from(number_);  // if it fails, old rows stay until the next time
  return {};
}

Result<void> Feeder::feed_everything() {
  if (auto done = intake_.save_ended(); !done) return done;
  if (auto done = intake_.save_open(Clock::time_point::max()); !done) return done;
  if (auto done = store_.sync(); !done) return done;
  if (auto done = remove_before(reading_ + 1); !done) return done;
  if (const auto next = store_.next_number()) (void)store_.keep_from(*next);  // if it fails, the next start does it
  return {};
}

Result<void> Feeder::remove_before(std::uint64_t sequence) {
  for (;;) {
    std::uint64_t oldest = 0;
    {
      const std::lock_guard lock(mutex_);
      if (segments_.empty() || segments_.begin()->first >= sequence) break;
      oldest = segments_.begin()->first;
    }
    const std::string path = segment_path(prefix_, oldest);
    if (files_.remove(path) != 0 && errno != ENOENT) return journal_error("remove", path);
    const std::lock_guard lock(mutex_);
    numbers_.journal_bytes -= segments_.at(oldest).bytes;
    segments_.erase(oldest);
  }
  (void)files_.sync_folder_of(prefix_);  // a file that comes back after a power loss is replayed once more, which changes nothing
  return {};
}

}  // namespace fairlead
