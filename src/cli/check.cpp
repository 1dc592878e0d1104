// `fairlead check FILE`: every finding in a configuration, and what a good one means.
#include "cli/commands.h"
#include "config/config.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

namespace fairlead::cli {
namespace {

std::string counted(std::ptrdiff_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

int check(const std::string& file) {
  const config::Loaded loaded = config::load(file, config::real_sources());
  for (const config::Finding& finding : loaded.findings) std::cerr << config::format(finding) << "\n";
  const auto errors = std::count_if(loaded.findings.begin(), loaded.findings.end(),
                                    [](const auto& f) { return f.severity == config::Severity::error; });
  const auto warnings = static_cast<std::ptrdiff_t>(loaded.findings.size()) - errors;
  if (!loaded.snapshot) {
    std::cerr << file << ": " << counted(errors, "error") << ", " << counted(warnings, "warning") << "\n";
    return 1;
  }
  std::cout << file << ": good, " << counted(warnings, "warning") << "; snapshot " << loaded.snapshot->hash.substr(0, 12) << "\n\n"
            << config::summary(*loaded.snapshot, std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
  return 0;
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("check", "Check a configuration: all its mistakes, or what it means");
  auto file = std::make_shared<std::string>("fairlead.yaml");
  command->add_option("file", *file, "The configuration")->capture_default_str();
  command->callback([file, &exit_code] { exit_code = check(*file); });
}

}  // namespace fairlead::cli
