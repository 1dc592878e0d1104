#pragma once
// Keys made at run time, where the ledger is: who made them, and when they ended. A row is a secret, and stays when it has ended,
// so the rows are their own audit trail. A key store is used by one thread at a time; several processes may use one ledger's.
#include <fairlead/result.h>
#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// One secret of a key. A key has one that is current, and former ones while their grace lasts.
struct StoredKey {
  std::string name;
  std::string hash;     ///< "sha256:<64 hex digits>"; the secret itself is nowhere
  std::string options;  ///< JSON: what stands under a key in the configuration, but for its name and hash
  TimePoint created_at{};
  std::string created_by, note;
  std::optional<TimePoint> replaced_at, ends_at;  ///< replaced by another secret; good until the latter
  std::optional<TimePoint> revoked_at;
  std::string revoked_by, revoked_because;
};

/// Of a note, which stands in a line of `fairlead key list`.
inline constexpr std::size_t key_note_bytes_max = 500;

/// May it still be used at this time, as far as its row tells?
inline bool holds(const StoredKey& key, TimePoint at) { return !key.revoked_at && (!key.replaced_at || at < key.ends_at); }

/// Errors of all: ledger_unavailable; of what takes a note, bad_request if it is too long.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  /// Another number after any change, whoever made it. Cheap, and never waits for a writer.
  virtual Result<std::int64_t> version() = 0;
  /// Every row that there ever was, oldest first. Never waits for a writer.
  virtual Result<std::vector<StoredKey>> all() = 0;
  /// Durable when it returns. Errors: bad_request if the name has a current secret already.
  virtual Result<void> add(const StoredKey& key) = 0;
  /// `fresh` takes the place of the current secret of its name, whose options it gets, and which is good until `ends_at`, as are
  /// former ones that were to outlive it. Durable. Errors: not_found.
  virtual Result<void> replace(const StoredKey& fresh, TimePoint ends_at) = 0;
  /// Ends all secrets of this name. Durable. Errors: not_found.
  virtual Result<void> revoke(std::string_view name, TimePoint at, std::string_view by, std::string_view because) = 0;
  /// When the newest request of each key began, among the newest requests of the ledger (some ten thousands): a hint for people.
  virtual Result<std::map<std::string, TimePoint>> last_used() = 0;
};

/// Of the ledger at "sqlite:PATH", which must be there. A change waits for other writers up to `busy_ms_max`. Errors:
/// ledger_unavailable, config (unknown scheme).
Result<std::unique_ptr<KeyStore>> open_key_store(std::string_view url, int busy_ms_max);

}  // namespace fairlead
