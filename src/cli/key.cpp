// `fairlead key new NAME`: a key for an app, shown once, and the lines of the configuration that know it by its hash.
#include "cli/commands.h"
#include "config/digest.h"
#include "config/scalar.h"

#include <openssl/rand.h>
#include <CLI/CLI.hpp>

#include <array>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::cli {
namespace {

struct Wanted {
  std::string name, team;
  std::vector<std::string> routes;
};

/// 32 random bytes as 43 characters of base64url. Empty if the system has no randomness.
std::optional<std::string> random_key() {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return std::nullopt;
  std::string key = "sk-fl-";
  unsigned bits = 0;
  int count = 0;
  for (unsigned char byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6) key += digits[bits >> (count - 6) & 63];
  }
  key += digits[bits << (6 - count) & 63];
  return key;
}

/// As YAML reads it back; most names need no quotes.
std::string yaml(const std::string& name) {
  const bool plain = name.find_first_of(":@+") == std::string::npos && name != "null" && name != "Null" && name != "NULL";
  return plain ? name : '"' + name + '"';
}

int print_new_key(const Wanted& wanted) {
  const auto key = random_key();
  if (!key) {
    std::cerr << "fairlead: the system gave no random bytes\n";
    return 1;
  }
  std::string routes;
  for (const std::string& route : wanted.routes) routes += (routes.empty() ? "" : ", ") + yaml(route);
  std::cout << "The key, shown this once; give it to the app:\n\n  " << *key
            << "\n\nThese lines go under `keys:` of the configuration:\n\n  - name: " << yaml(wanted.name)
            << "\n    hash: sha256:" << config::hex(config::sha256(*key)) << "\n";
  if (!wanted.team.empty()) std::cout << "    team: " << yaml(wanted.team) << "\n";
  std::cout << "    routes: [" << (routes.empty() ? "chat" : routes) << "]"
            << (routes.empty() ? "   # the routes that it may ask for" : "") << "\n";
  return std::cout.flush() ? 0 : 1;
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
  auto* command = app.add_subcommand("key", "Virtual keys, which apps hold");
  command->require_subcommand(1);
  auto* fresh = command->add_subcommand("new", "Make a key: prints it once, and the lines for the configuration");
  auto wanted = std::make_shared<Wanted>();
  fresh->add_option("name", wanted->name, "What it is called in the ledger")->required()->check(a_name(false));
  fresh->add_option("--team", wanted->team, "Who pays")->check(a_name(false));
  fresh->add_option("--route", wanted->routes, "The routes that it may ask for")->check(a_name(true));
  fresh->callback([wanted, &exit_code] { exit_code = print_new_key(*wanted); });
}

}  // namespace fairlead::cli
