#pragma once
// Counts what the pure parts take from the heap. In the program of the benchmarks alone, operator new is replaced to count.
#include <benchmark/benchmark.h>

#include <cstdint>

/// Allocations of this program so far.
std::uint64_t allocation_count();

/// Reports the allocations of each iteration of the loop that it stands before, as the counter `allocations`.
class CountAllocations {
 public:
  explicit CountAllocations(benchmark::State& state) : state_(state), before_(allocation_count()) {}
  CountAllocations(const CountAllocations&) = delete;
  CountAllocations& operator=(const CountAllocations&) = delete;
  ~CountAllocations() {
    state_.counters["allocations"] =
        benchmark::Counter(static_cast<double>(allocation_count() - before_), benchmark::Counter::kAvgIterations);
  }

 private:
  benchmark::State& state_;
  std::uint64_t before_;
};
