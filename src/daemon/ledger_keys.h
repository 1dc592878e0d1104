#pragma once
// The keys of the ledger's database as a part of a running daemon's configuration: read with every load, and looked at for what
// became of them meanwhile. On the main thread.
#include "config/config.h"
#include "daemon/config_files.h"
#include "daemon/every.h"
#include "daemon/keyring.h"
#include "daemon/keys_admin.h"

#include <fairlead/result.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::daemon {

class LedgerKeys {
 public:
  /// What the daemon does with a configuration in which keys alone are others.
  struct Holder {
    std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< that holds now
    std::function<void(const std::shared_ptr<const Snapshot>&)> hold;
  };
  /// What could not be taken in is tried again after so long.
  static constexpr std::chrono::seconds try_again_after{10};
  LedgerKeys(Executor executor, std::string config_file, ConfigFiles& files, Holder holder,
             std::chrono::milliseconds again_after = try_again_after);

  /// The configuration of these sources, with the keys of the ledger of which they tell.
  config::Loaded load(config::Sources sources);
  /// The ledger is there. Where it was there already, its keys were read with the configuration. Errors: ledger_unavailable,
  /// config.
  Result<void> open(config::Loaded& loaded);
  void start() { look_.start(); }
  void stop() { look_.stop(); }

  /// As answer_about_keys().
  AdminAnswer answer(std::string_view method, std::string_view path, std::string_view body);

 private:
  /// A key that was made, rotated or revoked, whoever did it, holds or ends by this; the files are not read for it. Errors:
  /// ledger_unavailable, config; then those known before hold.
  Result<void> take_in();

  std::string config_file_;
  ConfigFiles& files_;
  Holder holder_;
  Keyring keyring_;
  Every look_;
  bool unread_ = false;  ///< when last looked
  std::chrono::milliseconds again_after_;
  std::optional<SteadyTime> again_at_;  ///< the keys that were read last are not taken in
};

}  // namespace fairlead::daemon
