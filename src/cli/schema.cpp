// `fairlead schema`: the configuration's description for editors and readers.
#include "cli/commands.h"
#include "config/config.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace fairlead::cli {

void add_schema(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("schema", "Print the JSON Schema of the configuration, for editors");
  auto markdown = std::make_shared<bool>(false);
  command->add_flag("--markdown", *markdown, "Print the reference of all options instead (docs/configuration.md)");
  command->callback([markdown, &exit_code] {
    std::cout << (*markdown ? config::reference_markdown() : config::json_schema());
    exit_code = std::cout.flush() ? 0 : 1;
  });
}

}  // namespace fairlead::cli
