#include "cli/commands.h"

#include "cli/table.h"

#include <fairlead/near.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::cli {
namespace {

/// "there is no command 'chekc'; did you mean 'check'?" Empty: no other word than a command stands first.
std::string no_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) commands.push_back(command->get_name());
  if (std::find(commands.begin(), commands.end(), argv[1]) != commands.end()) return "";
  const std::vector<std::string_view> names(commands.begin(), commands.end());
  return "there is no command '" + printable(argv[1]) + "'" + did_you_mean(argv[1], names, "; ", "; fairlead --help lists them");
}

/// Under one title of `--help`.
void group(CLI::App& app, const std::string& title, std::initializer_list<const char*> commands) {
  for (const char* command : commands) app.get_subcommand(command)->group(title);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{"fairlead: a gateway that sends each request to the cheapest endpoint that policy allows, and keeps the ledger",
               "fairlead"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(FAIRLEAD_VERSION));
  app.footer(
      "`fairlead COMMAND --help` lists the options of a command. Exit codes: 0 done, 1 failed, 2 wrong arguments; some commands "
      "say\n"
      "more by them (docs/audit.md, docs/reload.md).");
  int exit_code = 0;
  add_serve(app, exit_code);
  add_reload(app, exit_code);
  add_simulate(app, exit_code);
  add_check(app, exit_code);
  add_diff(app, exit_code);
  add_explain(app, exit_code);
  add_prices(app, exit_code);
  add_schema(app, exit_code);
  add_key(app, exit_code);
  add_credit(app, exit_code);
  add_usage(app, exit_code);
  add_audit(app, exit_code);
  add_reconcile(app, exit_code);
  add_replay(app, exit_code);
  add_close(app, exit_code);
  add_correct(app, exit_code);
  add_archive(app, exit_code);
  group(app, "Run", {"serve", "reload", "simulate"});
  group(app, "Configuration and routing", {"check", "diff", "explain", "prices", "schema"});
  group(app, "Keys and credit", {"key", "credit"});
  group(app, "The ledger", {"usage", "audit", "reconcile", "replay", "close", "correct", "archive"});
  if (const std::string wrong = no_command(app, argc, argv); !wrong.empty()) {
    std::cerr << "fairlead: " << wrong << '\n';
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "fairlead: " << error.what() << '\n';
    return 1;
  }
  // A report that could not be written is no report, and above all no empty one.
  if (!std::cout.flush()) {
    std::cerr << "fairlead: the output could not be written\n";
    return exit_code == 0 ? 1 : exit_code;
  }
  return exit_code;
}

}  // namespace fairlead::cli
