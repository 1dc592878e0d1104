#include "daemon/keyring.h"

#include <utility>

namespace fairlead::daemon {
namespace {

/// How long a change by the admin side waits for another writer: the main thread waits with it.
constexpr int key_busy_ms_max = 2'000;

}  // namespace

Result<void> Keyring::open(const std::string& ledger) {
  auto store = open_key_store(ledger, key_busy_ms_max);
  if (!store) return store.error();
  store_ = std::move(*store);
  const auto read = look();
  if (read) return {};
  store_.reset();
  return read.error();
}

Result<bool> Keyring::look() {
  const auto version = store_->version();
  if (!version) return version.error();
  if (*version == version_) return false;
  auto rows = store_->all();
  if (!rows) return rows.error();
  rows_ = std::move(*rows);
  version_ = *version;  // a change in between is seen the next time
  return true;
}

}  // namespace fairlead::daemon
