#include "cli/subcommands.h"

#include "cli/table.h"

#include <fairlead/near.h>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace fairlead::cli {
namespace {

/// "new, list, rotate and revoke"
std::string listing_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

}  // namespace

void require_one_of_its_commands(CLI::App& command) {
  command.require_subcommand(0, 1);
  command.parse_complete_callback([&command] {
    const std::vector<std::string> others = command.remaining();
    if (others.empty() && !command.get_subcommands().empty()) return;
    std::vector<std::string> names;
    for (const CLI::App* own : command.get_subcommands([](const CLI::App*) { return true; })) names.push_back(own->get_name());
    const std::string has = command.get_name() + " has the commands " + listing_of(names);
    if (others.empty()) throw CLI::ParseError("fairlead: " + has, CLI::ExitCodes::RequiredError);
    const std::string near = did_you_mean(others.front(), {names.begin(), names.end()});
    throw CLI::ParseError("fairlead: there is no command '" + command.get_name() + " " + printable(others.front()) + "'" + near +
                              (near.empty() ? "; " : " ") + has,
                          CLI::ExitCodes::ExtrasError);
  });
}

}  // namespace fairlead::cli
