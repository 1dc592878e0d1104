#include "daemon/new_key.h"

#include "config/digest.h"
#include "config/findings.h"
#include "config/scalar.h"
#include "config/stored_keys.h"

#include <openssl/rand.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace fairlead::daemon {
namespace {

constexpr std::chrono::hours grace_max{366 * 24};

Error refused_key(std::string message) { return {ErrorKind::bad_request, ErrorOrigin::app, std::move(message)}; }

/// Gives the row a fresh secret.
Result<std::string> give_secret(StoredKey& row, TimePoint now) {
  auto secret = new_secret();
  if (!secret) return Error(ErrorKind::internal, ErrorOrigin::fairlead, "the system gave no random bytes");
  row.hash = hash_of(*secret);
  row.created_at = now;
  return std::move(*secret);
}

/// When a key with these options expires: as it is written, if that is past.
std::optional<std::string> past_expiry(const nlohmann::json& options, TimePoint now) {
  const auto ends = options.find("expires_at");
  if (ends == options.end() || !ends->is_string()) return std::nullopt;
  const auto at = config::parse_instant(ends->get_ref<const std::string&>());
  return at && *at <= now ? std::optional(ends->get<std::string>()) : std::nullopt;
}

/// Nobody could use the new secret of one that has expired.
Result<void> require_unexpired(KeyStore& store, const std::string& name, TimePoint now) {
  const auto rows = store.all();
  if (!rows) return rows.error();
  for (const StoredKey& row : *rows) {
    if (row.name != name || row.replaced_at || row.revoked_at) continue;
    const auto options = nlohmann::json::parse(row.options, nullptr, false);
    if (const auto past = options.is_object() ? past_expiry(options, now) : std::nullopt)
      return refused_key("the key '" + name + "' expired at " + *past +
                         ", and would be refused with a new secret too: revoke it, and make it anew");
  }
  return {};
}

/// What a key that holds is only warned of, and none is made with.
Result<void> require_useful(const Snapshot& snapshot, const StoredKey& wanted, TimePoint now) {
  for (const Key& key : snapshot.keys)
    if (!key.stored && key.name == wanted.name)
      return refused_key("no key was made: the configuration has one of the name '" + wanted.name + "'");
  const auto options = nlohmann::json::parse(wanted.options, nullptr, false);
  if (!options.is_object()) return {};
  std::vector<std::string_view> known;
  for (const auto& route : snapshot.routes) known.push_back(route->name);
  for (const auto& route : options.value("routes", nlohmann::json::array()))
    if (route.is_string() && snapshot.route(route.get_ref<const std::string&>()) == nullptr)
      return refused_key("no key was made: routes: no route " + config::in_quotes(route.get_ref<const std::string&>()) + "; " +
                         config::did_you_mean(route.get_ref<const std::string&>(), known, "the routes are"));
  if (const auto past = past_expiry(options, now)) return refused_key("no key was made: expires_at: " + *past + " is past");
  return {};
}

/// What the configuration has against the key that it was loaded with.
Result<void> require_understood(const config::Loaded& loaded, const StoredKey& wanted, TimePoint now) {
  for (const config::Finding& finding : loaded.findings)
    if (!loaded.snapshot && finding.severity == config::Severity::error)
      return Error(ErrorKind::config, ErrorOrigin::fairlead, "the configuration has errors: " + config::format(finding));
  if (auto useful = require_useful(*loaded.snapshot, wanted, now); !useful) return useful.error();
  for (const config::Finding& finding : loaded.findings)
    if (finding.file == config::stored_key_file(wanted.name)) {
      const std::string path = finding.path.starts_with("keys[0].") ? finding.path.substr(8) + ": " : "";
      return refused_key(path + finding.message + (finding.hint.empty() ? "" : "; " + finding.hint));
    }
  const auto taken = [&](const Key& key) { return key.stored && key.name == wanted.name; };
  if (std::none_of(loaded.snapshot->keys.begin(), loaded.snapshot->keys.end(), taken))
    return refused_key("no key was made: the configuration does not take it, and has too many findings to tell why");
  return {};
}

}  // namespace

std::optional<std::string> new_secret() {
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

bool is_of_the_file(const Snapshot* snapshot, const std::string& name) {
  return snapshot != nullptr &&
         std::any_of(snapshot->keys.begin(), snapshot->keys.end(), [&](const Key& key) { return !key.stored && key.name == name; });
}

Error change_error(const Error& error, const Snapshot* snapshot, const std::string& name, KeyChange change) {
  if (error.kind != ErrorKind::not_found || !is_of_the_file(snapshot, name)) return error;
  const std::string what =
      change == KeyChange::rotate ? "give it another `hash`, and the one so far under `former`," : "take it out";
  return {
      ErrorKind::not_found, ErrorOrigin::app,
      "the key '" + name + "' is under `keys:` of " + snapshot->file + ", and not in the ledger: " + what + " there, and reload"};
}

std::string hash_of(const std::string& secret) { return "sha256:" + config::hex(config::sha256(secret)); }

Result<MadeKey> make_key(KeyStore& store, StoredKey wanted, const LoadWith& load_with, TimePoint now) {
  auto secret = give_secret(wanted, now);
  if (!secret) return secret.error();
  auto rows = store.all();
  if (!rows) return rows.error();
  const auto same_name = [&](const StoredKey& row) { return row.name == wanted.name && !row.replaced_at && !row.revoked_at; };
  if (std::none_of(rows->begin(), rows->end(), same_name)) {  // else add() says so
    rows->push_back(wanted);
    if (auto understood = require_understood(load_with(*rows), wanted, now); !understood) return understood.error();
  }
  if (auto added = store.add(wanted); !added) return added.error();
  return MadeKey{std::move(*secret), std::move(wanted)};
}

Result<MadeKey> rotate_key(KeyStore& store, const Rotation& rotation, TimePoint now) {
  if (rotation.grace > grace_max) return refused_key("a grace period may be a year at most");
  if (auto useful = require_unexpired(store, rotation.name, now); !useful) return useful.error();
  StoredKey fresh;
  fresh.name = rotation.name;
  fresh.created_by = rotation.by;
  fresh.note = rotation.note;
  auto secret = give_secret(fresh, now);
  if (!secret) return secret.error();
  if (auto replaced = store.replace(fresh, now + rotation.grace); !replaced) return replaced.error();
  return MadeKey{std::move(*secret), std::move(fresh)};
}

}  // namespace fairlead::daemon
