// `fairlead check FILE`: every finding in a configuration, what a good one means, and whether its routing tests and assertions
// hold.
#include "cli/assertions.h"
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/routing_tests.h"
#include "cli/table.h"
#include "config/config.h"
#include "daemon/clock.h"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

namespace fairlead::cli {
namespace {

/// "good, 1 warning", or what is not good: "routing tests fail, assertions are not proved, 1 warning".
std::string verdict(bool tests_pass, bool assertions_hold, std::ptrdiff_t warnings, bool strict) {
  std::string text;
  const auto add = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (!tests_pass) add("routing tests fail");
  if (!assertions_hold) add("assertions are not proved");
  if (text.empty() && (!strict || warnings == 0)) add("good");
  add(counted(warnings, "warning"));
  return text;
}

int check(const std::string& file, bool strict) {
  const config::Loaded loaded = config::load(file, sources_with_keys(false));
  for (const config::Finding& finding : loaded.findings) std::cerr << config::format(finding) << "\n";
  const auto errors = std::count_if(loaded.findings.begin(), loaded.findings.end(),
                                    [](const auto& f) { return f.severity == config::Severity::error; });
  const auto warnings = static_cast<std::ptrdiff_t>(loaded.findings.size()) - errors;
  if (!loaded.snapshot) {
    std::cerr << file << ": " << counted(errors, "error") << ", " << counted(warnings, "warning") << "\n";
    return 1;
  }
  // As if all secrets were there: a rule holds whether or not they are.
  const config::Loaded whole = load_config(file, sources_with_keys(true));
  if (!whole.snapshot) return 1;
  const TimePoint now = daemon::wall_clock();
  const auto outcomes = run_tests(whole.tests, *whole.snapshot, now);
  const prove::Proofs proofs = prove::prove(*whole.snapshot, now);
  const bool passed =
      std::all_of(outcomes.begin(), outcomes.end(), [](const auto& outcome) { return outcome.differences.empty(); });
  const bool coloured = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  std::cout << file << ": " << verdict(passed, all_hold(proofs), warnings, strict) << "; snapshot "
            << loaded.snapshot->hash.substr(0, 12) << "\n\n"
            << config::summary(*loaded.snapshot, *whole.snapshot, now);
  if (!outcomes.empty()) std::cout << outcomes_text(outcomes, coloured);
  if (!proofs.proofs.empty()) std::cout << proofs_text(proofs, *whole.snapshot, coloured);
  return passed && all_hold(proofs) && (!strict || warnings == 0) ? 0 : 1;
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("check", "Check a configuration: all its mistakes with their lines, or what it means");
  auto file = std::make_shared<std::string>("fairlead.yaml");
  command->add_option("file", *file, "The configuration file")->capture_default_str();
  auto strict = std::make_shared<bool>(false);
  command->add_flag("--strict", *strict, "Exit with 1 for warnings too");
  command->callback([file, strict, &exit_code] { exit_code = check(*file, *strict); });
}

}  // namespace fairlead::cli
