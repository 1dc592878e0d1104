#pragma once
// Making keys in a ledger's database, for `fairlead key` and the admin side. One thread.
#include <fairlead/key_store.h>

#include "config/config.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::daemon {

/// What an app shows: "sk-fl-" and 32 random bytes as 43 characters of base64url. Empty if the system has no randomness.
std::optional<std::string> new_secret();
/// "sha256:<64 hex digits>"
std::string hash_of(const std::string& secret);

bool is_of_the_file(const Snapshot* snapshot, const std::string& name);
enum class KeyChange { rotate, revoke };
/// Why a key could not be changed; of one that is in the configuration file, how it is changed there. Null: no file is known.
Error change_error(const Error& error, const Snapshot* snapshot, const std::string& name, KeyChange change);

struct MadeKey {
  std::string secret;  ///< the only place where it ever is
  StoredKey row;
};

/// Loads the configuration as if the ledger had these rows.
using LoadWith = std::function<config::Loaded(const std::vector<StoredKey>& rows)>;

/// `wanted`: its name, options, note, and who makes it. Stored if the configuration understands it, and has no key of its own of
/// this name. Errors: bad_request with what is wrong, config (the files have errors), as KeyStore, internal.
Result<MadeKey> make_key(KeyStore& store, StoredKey wanted, const LoadWith& load_with, TimePoint now);

struct Rotation {
  std::string name, by, note;
  Milliseconds grace{0};  ///< for which the secret so far holds
};
/// Errors: not_found, bad_request (a grace of over a year; the key has expired), as KeyStore, internal.
Result<MadeKey> rotate_key(KeyStore& store, const Rotation& rotation, TimePoint now);

}  // namespace fairlead::daemon
