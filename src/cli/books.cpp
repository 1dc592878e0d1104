#include "cli/books.h"

#include "daemon/assertions.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <utility>

namespace fairlead::cli {

void add_books_options(CLI::App& command, BooksChoice& choice) {
  auto* config =
      command.add_option("--config,-c", choice.config, "The configuration file, which names the ledger")->capture_default_str();
  command.add_option("--ledger", choice.ledger, "The ledger itself, such as sqlite:/var/lib/fairlead/fairlead.db")
      ->excludes(config);
}

config::Loaded load_config(const std::string& file, const config::Sources& sources) {
  config::Loaded loaded = config::load(file, sources);
  for (const config::Finding& finding : loaded.findings)
    if (finding.severity == config::Severity::error) std::cerr << config::format(finding) << '\n';
  return loaded;
}

std::shared_ptr<const Snapshot> books_snapshot(const BooksChoice& choice) {
  return load_config(choice.config, config::real_sources()).snapshot;
}

std::string books_url(const BooksChoice& choice) {
  if (!choice.ledger.empty()) return choice.ledger;
  const auto snapshot = books_snapshot(choice);
  return snapshot ? snapshot->ledger : std::string();
}

std::unique_ptr<Store> open_books(const BooksChoice& choice) {
  const std::string url = books_url(choice);
  if (url.empty()) return nullptr;
  auto store = open_store(url, StoreMode::read);
  if (store) return std::move(*store);
  fail(store.error());
  return nullptr;
}

std::unique_ptr<Bookkeeper> open_books_to_keep(const BooksChoice& choice) {
  const std::string url = books_url(choice);
  if (url.empty()) return nullptr;
  auto books = open_bookkeeper(url);
  if (books) return std::move(*books);
  fail(books.error());
  return nullptr;
}

config::Sources sources_with_keys(bool secrets_assumed) {
  config::Sources sources = config::real_sources();
  sources.secrets_assumed = secrets_assumed;
  sources.prove = daemon::unproved_by_stored_keys;
  sources.stored_keys = [now = sources.now()](const std::string& ledger) -> config::StoredKeys {
    std::error_code error;
    if (!std::filesystem::exists(ledger.substr(ledger.find(':') + 1), error)) return {};  // as on the machine that checks a change
    auto store = open_key_store(ledger, key_busy_ms_max);
    auto rows = store ? (*store)->all() : Result<std::vector<StoredKey>>(store.error());
    if (rows) return config::stored_keys(*rows, now);
    std::cerr << "warning: the keys in the ledger are left out: " << rows.error().message() << '\n';
    return {};
  };
  return sources;
}

int fail(const Error& error, int exit_code) {
  return fail(error.message() + (error.detail().empty() ? "" : ": " + error.detail()), exit_code);
}

int fail(const std::string& message, int exit_code) {
  std::cerr << "fairlead: " << message << '\n';
  return exit_code;
}

}  // namespace fairlead::cli
