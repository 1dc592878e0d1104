#pragma once
// Which configuration and which ledger a command reads: the configuration's, or one that is named. Used by most commands.
#include "config/config.h"

#include <fairlead/bookkeeper.h>
#include <fairlead/snapshot.h>
#include <fairlead/store.h>

#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace fairlead::cli {

/// How long a change of a key waits for another writer of the ledger.
inline constexpr int key_busy_ms_max = 15'000;

struct BooksChoice {
  std::string config = "/etc/fairlead/fairlead.yaml";
  std::string ledger;  ///< a URL; empty: the configuration's
};

/// --config and --ledger.
void add_books_options(CLI::App& command, BooksChoice& choice);

/// Without a snapshot after saying its errors on stderr.
config::Loaded load_config(const std::string& file, const config::Sources& sources);

/// The configuration's. Null after saying its errors on stderr.
std::shared_ptr<const Snapshot> books_snapshot(const BooksChoice& choice);

/// The ledger's URL. Empty after saying why on stderr.
std::string books_url(const BooksChoice& choice);

/// For closing a month, while a daemon may write. Null after saying why on stderr.
std::unique_ptr<Bookkeeper> open_books_to_keep(const BooksChoice& choice);

/// Opened for reading, while a daemon may write. Null after saying why on stderr.
std::unique_ptr<Store> open_books(const BooksChoice& choice);

/// Of a command that asks what the running daemon would: with the keys of the ledger's database, if it is there, but for those by
/// which an assertion is broken. What keeps them from being read is told on stderr. `secrets_assumed`: as config::Sources.
config::Sources sources_with_keys(bool secrets_assumed);

/// Says it on stderr, in one line; of an error with its detail. Gives the exit code.
int fail(const Error& error, int exit_code = 1);
int fail(const std::string& message, int exit_code = 1);

}  // namespace fairlead::cli
