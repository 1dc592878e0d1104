#include "daemon/keys_json.h"

#include "config/digest.h"
#include "config/scalar.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

namespace fairlead::daemon {
namespace {

using KeyList = nlohmann::ordered_json;

constexpr std::size_t shown_hash_bytes = 15;  // "sha256:" and 8 digits: enough to tell keys apart

KeyList time_json(const std::optional<TimePoint>& at) { return at ? KeyList(iso_8601(*at)) : KeyList(nullptr); }

KeyList options_of(const Key& key) {
  KeyList options = KeyList::object();
  if (!key.team.empty()) options["team"] = key.team;
  if (!key.project.empty()) options["project"] = key.project;
  for (const Route* route : key.routes) options["routes"].push_back(route->name);
  if (!key.tags.empty()) options["tags"] = key.tags;
  if (!key.request_tags.empty()) options["request_tags"] = key.request_tags;
  if (key.may_name_targets) options["targets"] = true;
  return options;
}

std::optional<TimePoint> expiry_of(const KeyList& options) {
  const auto at = options.find("expires_at");
  return at != options.end() && at->is_string() ? config::parse_instant(at->get<std::string>()) : std::nullopt;
}

bool is_shadowed(const StoredKey& row, const Snapshot& snapshot) {
  const auto hash = config::parse_sha256(row.hash);
  return std::any_of(snapshot.keys.begin(), snapshot.keys.end(),
                     [&](const Key& key) { return !key.stored && (key.name == row.name || (hash && key.sha256 == *hash)); });
}

std::string state_of(const StoredKey& row, const KnownKeys& known, const std::optional<TimePoint>& expires_at, TimePoint now) {
  if (row.revoked_at) return "revoked";
  if (row.replaced_at && !holds(row, now)) return "replaced";
  if (known.snapshot != nullptr) {
    const auto& keys = known.snapshot->keys;
    const auto taken = [&](const Key& key) { return key.stored && key.name == row.name; };
    if (is_shadowed(row, *known.snapshot)) return "shadowed";
    if (std::none_of(keys.begin(), keys.end(), taken)) return "refused";
  }
  if (expires_at && *expires_at <= now) return "expired";
  return row.replaced_at ? "former" : "valid";
}

}  // namespace

KeyList keys_json(const KnownKeys& known, TimePoint now) {
  KeyList list = KeyList::array();
  const auto used = [&](const std::string& name) {
    const auto at = known.last_used.find(name);
    return time_json(at == known.last_used.end() ? std::nullopt : std::optional(at->second));
  };
  if (known.snapshot != nullptr)
    for (const Key& key : known.snapshot->keys) {
      if (key.stored) continue;
      list.push_back({{"name", key.name},
                      {"from", "file"},
                      {"state", key.expires_at && *key.expires_at <= now ? "expired" : "valid"},
                      {"hash", ("sha256:" + config::hex(key.sha256)).substr(0, shown_hash_bytes)},
                      {"options", options_of(key)},
                      {"expires_at", time_json(key.expires_at)},
                      {"last_used_at", used(key.name)}});
    }
  for (const StoredKey& row : known.rows) {
    const KeyList options = KeyList::parse(row.options, nullptr, false);
    const auto expires_at = expiry_of(options);
    list.push_back({{"name", row.name},
                    {"from", "ledger"},
                    {"state", state_of(row, known, expires_at, now)},
                    {"hash", row.hash.substr(0, shown_hash_bytes)},
                    {"options", options.is_object() ? options : KeyList::object()},
                    {"expires_at", time_json(expires_at)},
                    {"created_at", time_json(row.created_at)},
                    {"created_by", row.created_by},
                    {"note", row.note},
                    {"replaced_at", time_json(row.replaced_at)},
                    {"ends_at", time_json(row.ends_at)},
                    {"revoked_at", time_json(row.revoked_at)},
                    {"revoked_by", row.revoked_by},
                    {"revoked_because", row.revoked_because},
                    {"last_used_at", used(row.name)}});
  }
  return list;
}

}  // namespace fairlead::daemon
