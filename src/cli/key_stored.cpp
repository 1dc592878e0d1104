#include "cli/key_stored.h"

#include "cli/table.h"
#include "config/scalar.h"
#include "daemon/assertions.h"
#include "daemon/clock.h"
#include "daemon/keys_json.h"
#include "daemon/new_key.h"

#include <pwd.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <utility>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;

struct StoredKeyWanted {
  BooksChoice books;
  std::string name, note, grace = "0s";
  bool all = false, json = false;
};

/// A ledger's keys, and the configuration that they are beside.
struct Desk {
  std::unique_ptr<KeyStore> store;
  std::shared_ptr<const Snapshot> snapshot;  ///< null: only the ledger was named
};

std::string user() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::getuid());
}

/// Without a store after saying why on stderr.
Desk open_desk(const BooksChoice& books) {
  Desk desk;
  std::string url = books.ledger;
  if (url.empty()) {
    desk.snapshot = load_config(books.config, sources_with_keys(true)).snapshot;
    if (!desk.snapshot) return desk;
    url = desk.snapshot->ledger;
  }
  auto store = open_key_store(url, key_busy_ms_max);
  if (store)
    desk.store = std::move(*store);
  else
    fail(store.error());
  return desk;
}

/// `what` and `lost`: what has been done, and what helps if the secret could not be printed.
int tell_made(const Result<daemon::MadeKey>& made, const std::string& what, const std::string& lost) {
  if (!made) return fail(made.error());
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is told of as well
  std::cout << "The key, shown only this once; give it to the app:\n\n  " << made->secret << "\n\n"
            << what << " in the ledger's database; a running daemon takes it within a second.\n";
  if (std::cout.flush()) return 0;
  return fail("the key '" + made->row.name + "' " + lost);
}

std::string text_at(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

std::string words_at(const Json& object, const char* name) {
  std::string words;
  if (const auto at = object.find(name); at != object.end() && at->is_array())
    for (const Json& one : *at) words += (words.empty() ? "" : ", ") + (one.is_string() ? one.get<std::string>() : one.dump());
  return words.empty() ? text_at(object, name) : words;
}

/// When it ends or ended, by whatever.
std::string end_of(const Json& key) {
  for (const char* name : {"revoked_at", "ends_at", "expires_at"})
    if (std::string at = text_at(key, name); !at.empty()) return at;
  return "";
}

Table table_of(const Json& keys) {
  Table table{{{"key"},
               {"from"},
               {"state"},
               {"team"},
               {"project"},
               {"routes"},
               {"hash"},
               {"made"},
               {"by"},
               {"ends"},
               {"name last used"},
               {"note"}},
              {},
              {}};
  for (const Json& key : keys) {
    const Json& options = key["options"];
    const std::string note = text_at(key, "note"), because = text_at(key, "revoked_because");
    table.rows.push_back({text_at(key, "name"), text_at(key, "from"), text_at(key, "state"), text_at(options, "team"),
                          text_at(options, "project"), words_at(options, "routes"), text_at(key, "hash"),
                          text_at(key, "created_at"), text_at(key, "created_by"), end_of(key), text_at(key, "last_used_at"),
                          note + (note.empty() || because.empty() ? "" : "; ") + because});
  }
  return table;
}

int list(const StoredKeyWanted& wanted) {
  const Desk desk = open_desk(wanted.books);
  if (!desk.store) return 1;
  const auto rows = desk.store->all();
  if (!rows) return fail(rows.error());
  auto used = desk.store->last_used();
  if (!used) return fail(used.error());
  Json keys = Json::array();
  for (Json& key : daemon::keys_json({desk.snapshot.get(), *rows, std::move(*used)}, daemon::wall_clock()))
    if (wanted.all || (key["state"] != "revoked" && key["state"] != "replaced")) keys.push_back(std::move(key));
  if (wanted.json)
    std::cout << Json{{"keys", keys}}.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  else
    std::cout << (keys.empty() ? "No keys.\n" : to_text(table_of(keys)));
  for (const Json& key : keys)
    if (key["state"] == "shadowed" || key["state"] == "refused")
      std::cerr << "fairlead: the key '" << printable(text_at(key, "name")) << "' of the ledger does not hold: "
                << (key["state"] == "shadowed" ? "the configuration has a key of the same name or hash, and that one holds"
                                               : "`fairlead check` says what the configuration has against it")
                << '\n';
  return 0;
}

int rotate(const StoredKeyWanted& wanted) {
  const Desk desk = open_desk(wanted.books);
  if (!desk.store) return 1;
  const auto grace = *config::parse_duration(wanted.grace);
  const auto made = daemon::rotate_key(*desk.store, {wanted.name, user(), wanted.note, grace}, daemon::wall_clock());
  if (!made) return fail(daemon::change_error(made.error(), desk.snapshot.get(), wanted.name, daemon::KeyChange::rotate));
  return tell_made(made,
                   grace.count() == 0 ? "The old secret is refused from now on. The key is"
                                      : "The old secret is good for another " + wanted.grace + ". The key is",
                   "was replaced all the same, and nobody has its new secret: rotate it again");
}

int revoke(const StoredKeyWanted& wanted) {
  const Desk desk = open_desk(wanted.books);
  if (!desk.store) return 1;
  if (auto revoked = desk.store->revoke(wanted.name, daemon::wall_clock(), user(), wanted.note); !revoked)
    return fail(daemon::change_error(revoked.error(), desk.snapshot.get(), wanted.name, daemon::KeyChange::revoke));
  std::cout << "Revoked: a running daemon refuses it within a second.\n";
  if (daemon::is_of_the_file(desk.snapshot.get(), wanted.name))
    std::cerr << "fairlead: the configuration has a key '" << wanted.name
              << "' of its own, which stays in force: take it out of the file\n";
  return 0;
}

}  // namespace

int store_new_key(const std::string& config, StoredKey wanted) {
  const Desk desk = open_desk({config, {}});
  if (!desk.store) return 1;
  wanted.created_by = user();
  const daemon::LoadWith load_with = [&](const std::vector<StoredKey>& rows) {
    config::Sources sources = config::real_sources();
    sources.secrets_assumed = true;
    sources.prove = daemon::unproved_by_stored_keys;
    sources.stored_keys = [&](const std::string&) { return config::stored_keys(rows, daemon::wall_clock()); };
    return config::load(config, sources);
  };
  return tell_made(daemon::make_key(*desk.store, std::move(wanted), load_with, daemon::wall_clock()), "It is",
                   "was made all the same, and nobody has its secret: `fairlead key rotate` gives it another");
}

void add_stored_keys(CLI::App& key, int& exit_code) {
  const auto add = [&](const char* command_name, const char* what, int (*run)(const StoredKeyWanted&)) {
    auto* command = key.add_subcommand(command_name, what);
    auto wanted = std::make_shared<StoredKeyWanted>();
    add_books_options(*command, wanted->books);
    command->callback([wanted, run, &exit_code] { exit_code = run(*wanted); });
    return std::pair(command, wanted);
  };
  const auto [listing, listed] = add("list", "Show the keys of the configuration and of the ledger's database", list);
  listing->add_flag("--all", listed->all, "Also those that were revoked or replaced");
  listing->add_flag("--json", listed->json, "Print JSON");
  const auto [rotating, rotated] = add("rotate", "Give a key of the ledger's database a new secret", rotate);
  rotating->add_option("name", rotated->name, "The key")->required();
  rotating->add_option("--grace", rotated->grace, "How long the old secret stays good, such as 24h")
      ->check(
          [](const std::string& text) { return config::parse_duration(text) ? "" : "'" + text + "' is no duration such as 24h"; })
      ->capture_default_str();
  rotating->add_option("--note", rotated->note, "Why, for the record");
  const auto [revoking, revoked] = add("revoke", "End a key of the ledger's database", revoke);
  revoking->add_option("name", revoked->name, "The key")->required();
  revoking->add_option("--note", revoked->note, "Why, for the record");
}

}  // namespace fairlead::cli
