#pragma once
// How much was counted in the time before now: a window that slides. Its owner's thread, or under its lock.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fairlead::state {

using SteadyTime = std::chrono::steady_clock::time_point;
using SteadySpan = std::chrono::steady_clock::duration;

/// Counts stand with the time from which they count, and leave together `length` later. Up to `steps` counts each have their own
/// time. With more of them, those of one step (`length` / steps) count from its end: a little too long, never too short.
class Window {
 public:
  static constexpr std::size_t steps = 256;

  explicit Window(SteadySpan length) : length_(length) {}

  /// What is counted now. Times must not go back, here and below.
  std::int64_t used(SteadyTime now);
  /// Returns the time that it counts from, by which it can be corrected.
  SteadyTime add(std::int64_t count, SteadyTime now);
  /// Adds what counts from an earlier time, or with what counts from then already.
  void add_earlier(std::int64_t count, SteadyTime from);
  /// What counts from before that time is counted no more.
  void forget_before(SteadyTime from);
  /// Adds to what was counted from then; nothing, if that has left meanwhile.
  void correct(SteadyTime from, std::int64_t difference);
  /// When `count` more will fit under `most`, if nothing is added before: now or later. `count` is `most` at most.
  SteadyTime fits_at(std::int64_t count, std::int64_t most, SteadyTime now);
  /// When nothing will be counted any more: now or later.
  SteadyTime empty_at(SteadyTime now);

 private:
  struct Entry {
    SteadyTime from;
    std::int64_t count;
  };
  void drop(SteadyTime now);
  std::size_t live() const { return entries_.size() - first_; }

  SteadySpan length_;
  std::vector<Entry> entries_;  ///< ascending
  std::size_t first_ = 0;       ///< those before it have left
  std::int64_t used_ = 0;       ///< the sum of the others
};

}  // namespace fairlead::state
