#pragma once
// Percentiles of durations of which old ones count less and less: a histogram whose additions grow with time. Not shared between
// threads.
#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fairlead::state {

struct Times {
  static constexpr double half_life_s = 600;    ///< after it, a duration counts half
  static constexpr double measured_from = 0.5;  ///< evidence below it is none: one duration holds for one half-life
  static constexpr std::size_t per_octave = 8;  ///< so that a percentile is off by 6 % at most
  static constexpr std::size_t octaves = 32;    ///< from 1 us to over an hour
  static constexpr std::size_t bucket_count = per_octave * octaves;

  TimePoint since;             ///< when an addition weighed 1
  double total = 0;            ///< of all weights
  std::vector<float> buckets;  ///< weights; empty: nothing noted yet

  void note(std::int64_t us, TimePoint now);
  /// How many durations of just now would weigh as much.
  double evidence(TimePoint now) const;
  /// Microseconds; `share` in (0, 1). 0 if there is nothing.
  std::int64_t percentile(double share) const;
};

}  // namespace fairlead::state
