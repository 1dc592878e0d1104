// `fairlead key new NAME`: a key for an app, shown once. With --store or --config it is kept in the ledger's database; otherwise
// the lines of the configuration are printed that know it by its hash.
#include "cli/commands.h"
#include "cli/key_stored.h"
#include "cli/subcommands.h"
#include "config/scalar.h"
#include "config/stored_keys.h"
#include "daemon/new_key.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;

struct KeyWanted {
  std::string name, team, project, expires_at, note;
  std::vector<std::string> routes, tags, request_tags, others;
  bool targets = false;
  bool store = false;
  std::string config = "/etc/fairlead/fairlead.yaml";
};

/// As YAML reads it back; most names need no quotes.
std::string yaml(const std::string& name) {
  const bool plain = name.find_first_of(":@+") == std::string::npos && name != "null" && name != "Null" && name != "NULL";
  return plain ? name : '"' + name + '"';
}

/// The options of the key, without those that are not given. Errors: bad_request for one of `--set`.
Result<Json> options_of(const KeyWanted& wanted) {
  Json options = Json::object();
  const auto add = [&](const char* name, const auto& value) {
    if (!value.empty()) options[name] = value;
  };
  add("team", wanted.team);
  add("project", wanted.project);
  add("routes", wanted.routes);
  add("tags", wanted.tags);
  add("request_tags", wanted.request_tags);
  if (wanted.targets) options["targets"] = true;
  add("expires_at", wanted.expires_at);
  for (const std::string& other : wanted.others) {
    const std::size_t equals = other.find('=');
    const std::string option = other.substr(0, equals);
    auto value = config::json_of_yaml(equals == std::string::npos ? "" : other.substr(equals + 1));
    if (!value) return Error(ErrorKind::bad_request, ErrorOrigin::app, "--set " + option + ": " + value.error().message());
    if (option.empty() || equals == std::string::npos || options.contains(option) || option == "name" || option == "hash" ||
        option == "former")
      return Error(ErrorKind::bad_request, ErrorOrigin::app,
                   "--set takes OPTION=VALUE, each option once, and not '" + option + "'");
    options[option] = Json::parse(*value);
  }
  return options;
}

int print_new_key(const KeyWanted& wanted, const Json& options) {
  const auto key = daemon::new_secret();
  if (!key) return fail("the system gave no random bytes");
  std::cout << "The key, shown only this once; give it to the app:\n\n  " << *key
            << "\n\nThese lines go under `keys:` of the configuration:\n\n  - name: " << yaml(wanted.name)
            << "\n    hash: " << daemon::hash_of(*key) << "\n";
  for (const auto& [option, value] : options.items())
    if (option != "routes")
      std::cout << "    " << option << ": " << (value.is_string() ? yaml(value.get<std::string>()) : value.dump()) << "\n";
  std::string routes;
  for (const std::string& route : wanted.routes) routes += (routes.empty() ? "" : ", ") + yaml(route);
  std::cout << "    routes: [" << (routes.empty() ? "chat" : routes) << "]"
            << (routes.empty() ? "   # the routes that it may ask for" : "") << "\n";
  return std::cout.flush() ? 0 : 1;
}

int make(const KeyWanted& wanted, bool stored) {
  const auto options = options_of(wanted);
  if (!options) return fail(options.error(), 2);
  if (!stored) return print_new_key(wanted, *options);
  StoredKey row;
  row.name = wanted.name;
  row.options = options->dump(-1, ' ', false, Json::error_handler_t::replace);
  row.note = wanted.note;
  return store_new_key(wanted.config, std::move(row));
}

/// What the configuration would refuse, the command line refuses too.
CLI::Validator a_name(bool slashes) {
  return {[slashes](const std::string& text) {
            return config::is_name(text, slashes) ? std::string()
                                                  : "'" + text + "' is not a name of letters, digits and . _ - @ : +";
          },
          "NAME"};
}

}  // namespace

void add_key(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("key", "Make, list, rotate and revoke the keys that apps hold");
  auto* fresh = command->add_subcommand("new",
                                        "Make a key, and print it once. With --config or --store it is kept in the ledger's "
                                        "database; without, its lines for the configuration are printed");
  auto wanted = std::make_shared<KeyWanted>();
  fresh->add_option("name", wanted->name, "Its name in the ledger, in reports and in rules")->required()->check(a_name(false));
  fresh->add_option("--team", wanted->team, "The team that pays")->check(a_name(false));
  fresh->add_option("--project", wanted->project, "What for")->check(a_name(false));
  fresh->add_option("--route", wanted->routes, "A route that it may ask for; repeat for more")->check(a_name(true));
  fresh->add_option("--tag", wanted->tags, "A tag of all of its requests; repeat for more")->check(a_name(false));
  fresh->add_option("--request-tag", wanted->request_tags, "A tag that a request may add; repeat for more")->check(a_name(false));
  fresh->add_flag("--targets", wanted->targets, "Let it ask for targets of its routes directly");
  fresh->add_option("--expires-at", wanted->expires_at, "When it ends, such as 2027-01-31 or 2027-01-31T12:00Z")
      ->check(
          [](const std::string& text) { return config::parse_instant(text) ? "" : "'" + text + "' is no date or instant in UTC"; });
  fresh->add_option("--set", wanted->others, "Any other option of a key, as OPTION=YAML; repeat for more");
  auto* config =
      fresh->add_option("--config,-c", wanted->config, "The configuration file; the key is kept in the ledger that it names");
  auto* store = fresh->add_flag("--store", wanted->store, "Keep the key in the ledger of " + wanted->config);
  fresh->add_option("--note", wanted->note, "A note for the record");
  fresh->callback([wanted, config, store, &exit_code] { exit_code = make(*wanted, config->count() + store->count() > 0); });
  add_stored_keys(*command, exit_code);
  require_one_of_its_commands(*command);
}

}  // namespace fairlead::cli
