// fairlead serve: the daemon.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "daemon/daemon.h"

namespace fairlead::cli {

void add_serve(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("serve", "Run the daemon in the foreground (SIGHUP reloads, SIGTERM drains)");
  auto file = std::make_shared<std::string>("/etc/fairlead/fairlead.yaml");
  command->add_option("--config,-c", *file, "The configuration file")->capture_default_str();
  command->callback([file, &exit_code] { exit_code = daemon::serve(*file); });
}

}  // namespace fairlead::cli
