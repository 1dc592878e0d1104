// `fairlead reload`: lets a running daemon read its files anew, and tells what came of it.
#include "cli/commands.h"
#include "cli/table.h"
#include "config/config.h"
#include "daemon/ask.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace fairlead::cli {
namespace {

using Json = nlohmann::json;

struct Wanted {
  std::string config = "/etc/fairlead/fairlead.yaml";
  std::string admin;  ///< an address; empty: the configuration's
};

int failed(const std::string& why) {
  std::cerr << "fairlead: " << why << '\n';
  return 1;
}

/// The address in a file that need not be right in all else. Empty after saying why.
std::string admin_of(const std::string& file) {
  const config::Loaded loaded = config::load(file, config::real_sources());
  const bool any_port = loaded.admin.ends_with(":0");
  if (!loaded.admin.empty() && !any_port) return loaded.admin;
  for (const config::Finding& finding : loaded.findings)
    if (!loaded.snapshot && finding.severity == config::Severity::error) std::cerr << config::format(finding) << '\n';
  failed(any_port ? file + " lets `admin` take any port: name it with --admin, or send SIGHUP"
                  : file + " tells no `admin` address: name it with --admin, or send SIGHUP");
  return {};
}

std::string text(const Json& told, const char* name) {
  const auto at = told.find(name);
  return at != told.end() && at->is_string() ? printable(at->get<std::string>()) : "";  // whoever it is that answers there
}

int reload(const Wanted& wanted) {
  const std::string admin = wanted.admin.empty() ? admin_of(wanted.config) : wanted.admin;
  if (admin.empty()) return 1;
  const auto told = daemon::ask(admin, "/admin/v1/reload");
  if (!told) return failed(told.error().message + (told.error().detail.empty() ? "" : ": " + told.error().detail));
  const Json outcome = Json::parse(told->body, nullptr, false);
  if (!outcome.is_object() || !outcome.contains("result"))
    return failed("what answers at " + admin + " takes no reload: HTTP " + std::to_string(told->status));
  for (const Json& finding : outcome.value("findings", Json::array())) std::cerr << text(finding, "text") << '\n';
  const std::string snapshot = text(outcome, "snapshot").substr(0, 12);
  if (text(outcome, "result") != "taken")
    return failed("refused: " + text(outcome, "reason") + "; snapshot " + snapshot + " holds");
  std::cout << text(outcome, "file") << ": taken" << (outcome.value("changed", true) ? "" : ", and nothing changed")
            << "; snapshot " << snapshot << '\n';
  return 0;
}

}  // namespace

void add_reload(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("reload", "Let the running daemon read its files anew; ends when they hold, or are refused");
  auto wanted = std::make_shared<Wanted>();
  auto* config =
      command->add_option("--config,-c", wanted->config, "The configuration file, which names the daemon's admin address")
          ->capture_default_str();
  command->add_option("--admin", wanted->admin, "The daemon's admin address itself, such as 127.0.0.1:9090")->excludes(config);
  command->callback([wanted, &exit_code] { exit_code = reload(*wanted); });
}

}  // namespace fairlead::cli
