#pragma once
// The keys of the ledger's database, as a running daemon knows them. One thread.
#include <fairlead/key_store.h>

#include <memory>
#include <string>
#include <vector>

namespace fairlead::daemon {

class Keyring {
 public:
  /// Reads them all. Errors: as open_key_store and KeyStore::all; then it is not open.
  Result<void> open(const std::string& ledger);
  bool is_open() const { return store_ != nullptr; }
  /// Reads them anew if they have changed. True: they have. Errors: ledger_unavailable; then those known before are kept.
  Result<bool> look();
  const std::vector<StoredKey>& rows() const { return rows_; }
  KeyStore& store() { return *store_; }

 private:
  std::unique_ptr<KeyStore> store_;
  std::vector<StoredKey> rows_;
  std::int64_t version_ = -1;
};

}  // namespace fairlead::daemon
