#pragma once
// Routing tests, run against a configuration. Pure; used by `check`.
#include "config/config.h"

#include <string>
#include <vector>

namespace fairlead::cli {

/// What one test found: nothing, or what was expected and what came, a line each: "- expected", "+ came".
struct TestOutcome {
  const config::RoutingTest* test = nullptr;
  std::vector<std::string> differences;
};

/// In the order of the file. `now`: for tests that say no time.
std::vector<TestOutcome> run_tests(const std::vector<config::RoutingTest>& tests, const Snapshot& snapshot, TimePoint now);

/// A line for each test, with the differences of those that fail, and the sum. `coloured`: for a terminal.
std::string outcomes_text(const std::vector<TestOutcome>& outcomes, bool coloured);

}  // namespace fairlead::cli
