#include "cli/admin_side.h"

#include "config/config.h"

#include <CLI/CLI.hpp>

#include <iostream>

namespace fairlead::cli {

void add_admin_options(CLI::App& command, AdminChoice& choice) {
  auto* config = command.add_option("--config,-c", choice.config, "The configuration file, which names the daemon's admin address")
                     ->capture_default_str();
  command.add_option("--admin", choice.admin, "The daemon's admin address itself, such as 127.0.0.1:9090")->excludes(config);
}

std::string admin_of(const AdminChoice& choice) {
  if (!choice.admin.empty()) return choice.admin;
  const config::Loaded loaded = config::load(choice.config, config::real_sources());
  const bool any_port = loaded.admin.ends_with(":0");
  if (!loaded.admin.empty() && !any_port) return loaded.admin;
  for (const config::Finding& finding : loaded.findings)
    if (finding.severity == config::Severity::error) std::cerr << config::format(finding) << '\n';
  if (!loaded.readable) return {};  // nothing is known of what it tells
  std::cerr << "fairlead: " << choice.config
            << (any_port ? " lets `admin` take any port: name it with --admin\n"
                         : " tells no `admin` address: name it with --admin\n");
  return {};
}

}  // namespace fairlead::cli
