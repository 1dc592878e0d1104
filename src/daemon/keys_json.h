#pragma once
// What is known of keys, for people: those of the files and those of the ledger's database. No secrets. Pure.
#include <fairlead/key_store.h>
#include <fairlead/snapshot.h>

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace fairlead::daemon {

struct KnownKeys {
  const Snapshot* snapshot = nullptr;  ///< null: of the files nothing is known
  const std::vector<StoredKey>& rows;
  std::map<std::string, TimePoint> last_used;
};

/// A list of {"name","from","state","hash","options","expires_at","created_at","created_by","note","replaced_at","ends_at",
/// "revoked_at","revoked_by","revoked_because","last_used_at"}. "from": file, ledger. "state": valid, expired, former (replaced,
/// and still good), replaced, revoked, shadowed (the files have a key of the same name or hash, and that one holds), refused (the
/// configuration does not understand it, or an assertion is broken by it).
nlohmann::ordered_json keys_json(const KnownKeys& known, TimePoint now);

}  // namespace fairlead::daemon
