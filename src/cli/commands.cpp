#include "cli/commands.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

namespace fairlead::cli {

int run(int argc, char** argv) {
  CLI::App app{"fairlead: an OpenAI-compatible gateway that takes the cheapest endpoint policy allows, and keeps the books"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(FAIRLEAD_VERSION));
  int exit_code = 0;
  add_serve(app, exit_code);
  add_check(app, exit_code);
  add_schema(app, exit_code);
  add_prices(app, exit_code);
  add_reload(app, exit_code);
  add_diff(app, exit_code);
  add_explain(app, exit_code);
  add_usage(app, exit_code);
  add_audit(app, exit_code);
  add_reconcile(app, exit_code);
  add_replay(app, exit_code);
  add_close(app, exit_code);
  add_correct(app, exit_code);
  add_archive(app, exit_code);
  add_key(app, exit_code);
  add_credit(app, exit_code);
  add_simulate(app, exit_code);
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
