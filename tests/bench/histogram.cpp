#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <nlohmann/json.hpp>

void Histogram::add(std::uint64_t ns) {
  ++count_;
  sum_ns_ += static_cast<double>(ns);
  max_ns_ = std::max(max_ns_, ns);
  const std::size_t octave = ns < 256 ? 0 : static_cast<std::size_t>(std::bit_width(ns)) - 8;
  ++steps_[octave * 128 + static_cast<std::size_t>(ns >> octave)];
}

double Histogram::at_us(double quantile) const {
  const auto wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    seen += steps_[i];
    if (seen <= wanted) continue;
    const std::size_t octave = i < 256 ? 0 : i / 128 - 1;
    return static_cast<double>((i - octave * 128) << octave) / 1e3;
  }
  return static_cast<double>(max_ns_) / 1e3;
}

nlohmann::json Histogram::summary() const {
  return {{"n", count_},
          {"mean", count_ > 0 ? sum_ns_ / static_cast<double>(count_) / 1e3 : 0},
          {"p50", at_us(.5)},
          {"p90", at_us(.9)},
          {"p99", at_us(.99)},
          {"p999", at_us(.999)},
          {"max", static_cast<double>(max_ns_) / 1e3}};
}
