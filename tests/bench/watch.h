#pragma once
// What other processes have used, as the kernel counts it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct Watch {
  std::string name;
  std::vector<int> pids;
  std::uint64_t cpu_ns_before = 0;
};

/// From "name=pid,pid"; throws std::invalid_argument.
Watch parse_watch(const std::string& text);

/// Of all threads, by the scheduler's nanoseconds.
std::uint64_t cpu_ns(const Watch& watch);

/// A field of smaps_rollup, such as "Pss:", in KiB.
long memory_kib(const Watch& watch, std::string_view field);
