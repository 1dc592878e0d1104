#pragma once
// The commands of the binary. Each is one file that adds its subcommand to the parser, with a callback that sets the exit code.
// Exit codes: 0 done, 1 the command failed, 2 wrong arguments.
namespace CLI {
class App;
}

namespace fairlead::cli {

int run(int argc, char** argv);

void add_serve(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_schema(CLI::App& app, int& exit_code);
void add_prices(CLI::App& app, int& exit_code);
void add_reload(CLI::App& app, int& exit_code);
void add_diff(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_usage(CLI::App& app, int& exit_code);
void add_audit(CLI::App& app, int& exit_code);
void add_reconcile(CLI::App& app, int& exit_code);
void add_replay(CLI::App& app, int& exit_code);
void add_close(CLI::App& app, int& exit_code);
void add_correct(CLI::App& app, int& exit_code);
void add_archive(CLI::App& app, int& exit_code);
void add_key(CLI::App& app, int& exit_code);
void add_credit(CLI::App& app, int& exit_code);
void add_simulate(CLI::App& app, int& exit_code);

}  // namespace fairlead::cli
