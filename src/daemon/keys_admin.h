#pragma once
// GET and POST /admin/v1/keys, POST /admin/v1/keys/NAME/revoke and /rotate. On the main thread.
#include "daemon/admin_answer.h"
#include "daemon/keyring.h"
#include "daemon/new_key.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::daemon {

inline constexpr std::string_view keys_path = "/admin/v1/keys";

struct KeyDesk {
  Keyring& keyring;
  LoadWith load_with;
  std::function<std::shared_ptr<const Snapshot>()> snapshot;
  /// Called after a change; what was changed holds when it returns. Errors: it does not hold yet (ledger_unavailable, config).
  std::function<Result<void>()> changed;
};

/// `path` begins with keys_path.
AdminAnswer answer_about_keys(const KeyDesk& desk, std::string_view method, std::string_view path, std::string_view body);

}  // namespace fairlead::daemon
