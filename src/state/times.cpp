#include "state/times.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

namespace fairlead::state {
namespace {

constexpr int sub_bits = 3;
static_assert(1 << sub_bits == Times::per_octave);
constexpr double weight_max = 1 << 20;  // then all are scaled down: a float has 24 bits

/// Below 8 us a bucket for each; then 8 for each doubling.
std::size_t bucket_of(std::int64_t us) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
  if (value < Times::per_octave) return value;
  const int octave = static_cast<int>(std::bit_width(value)) - 1 - sub_bits;
  const std::size_t bucket = (static_cast<std::size_t>(octave) << sub_bits) + (value >> octave);
  return std::min(bucket, Times::bucket_count - 1);
}

double begin_of(std::size_t bucket) {
  if (bucket < 2 * Times::per_octave) return static_cast<double>(bucket);
  const std::size_t octave = (bucket >> sub_bits) - 1;
  return static_cast<double>(((bucket & (Times::per_octave - 1)) + Times::per_octave) << octave);
}

double half_lives(TimePoint from, TimePoint to) { return std::chrono::duration<double>(to - from).count() / Times::half_life_s; }

}  // namespace

void Times::note(std::int64_t us, TimePoint now) {
  if (buckets.empty() || now < since) since = now;  // the clock was ahead: what it noted is taken for as old as this
  buckets.resize(bucket_count);
  double weight = std::exp2(half_lives(since, now));
  if (weight > weight_max) {
    const double scale = 1 / weight;
    for (float& bucket : buckets) bucket = static_cast<float>(bucket * scale);
    total *= scale;
    since = now;
    weight = 1;
  }
  float& bucket = buckets[bucket_of(us)];
  bucket = static_cast<float>(bucket + weight);
  total += weight;
}

double Times::evidence(TimePoint now) const { return total * std::exp2(-std::max(0.0, half_lives(since, now))); }

std::int64_t Times::percentile(double share) const {
  double left = 0;
  for (const float bucket : buckets) left += bucket;  // and not `total`, from which rounding may have parted
  left *= share;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (buckets[i] > 0 && left <= buckets[i])
      return std::llround(begin_of(i) + (begin_of(i + 1) - begin_of(i)) * left / buckets[i]);
    left -= buckets[i];
  }
  return 0;
}

}  // namespace fairlead::state
