// `fairlead reload`: lets a running daemon read its files anew, and tells what came of it.
#include "cli/admin_side.h"
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "daemon/ask.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace fairlead::cli {
namespace {

using ReloadJson = nlohmann::json;

std::string text(const ReloadJson& told, const char* name) {
  const auto at = told.find(name);
  return at != told.end() && at->is_string() ? printable(at->get<std::string>()) : "";  // whoever it is that answers there
}

int reload(const AdminChoice& choice) {
  const std::string admin = admin_of(choice);
  if (admin.empty()) return 1;
  const auto told = daemon::ask(admin, {"/admin/v1/reload"});
  if (!told) return fail(told.error());
  const ReloadJson outcome = ReloadJson::parse(told->body, nullptr, false);
  if (!outcome.is_object() || !outcome.contains("result"))
    return fail("what answers at " + admin + " takes no reload: HTTP " + std::to_string(told->status));
  for (const ReloadJson& finding : outcome.value("findings", ReloadJson::array())) std::cerr << text(finding, "text") << '\n';
  const std::string snapshot = text(outcome, "snapshot").substr(0, 12);
  if (text(outcome, "result") != "taken") return fail("refused: " + text(outcome, "reason") + "; snapshot " + snapshot + " holds");
  std::cout << text(outcome, "file") << ": taken" << (outcome.value("changed", true) ? "" : ", and nothing changed")
            << "; snapshot " << snapshot << '\n';
  return 0;
}

}  // namespace

void add_reload(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("reload", "Have the running daemon read its files again; ends when they are in force, or were refused");
  auto choice = std::make_shared<AdminChoice>();
  add_admin_options(*command, *choice);
  command->callback([choice, &exit_code] { exit_code = reload(*choice); });
}

}  // namespace fairlead::cli
