#pragma once
// Times in logarithmic steps, 128 to an octave, so that a quantile is right to 0.8 %.
#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

class Histogram {
 public:
  void add(std::uint64_t ns);

  /// Count, mean, quantiles and maximum, in microseconds.
  nlohmann::json summary() const;

 private:
  double at_us(double quantile) const;

  std::vector<std::uint64_t> steps_ = std::vector<std::uint64_t>(64 * 128);
  std::uint64_t count_ = 0;
  std::uint64_t max_ns_ = 0;
  double sum_ns_ = 0;
};
