#pragma once
// The clock of the rig. The mock's stamps and the load's readings are of the same one, so that they may be subtracted.
#include <ctime>

#include <cstdint>

inline std::uint64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
}
