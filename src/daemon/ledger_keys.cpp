#include "daemon/ledger_keys.h"

#include <chrono>
#include <utility>

#include "daemon/clock.h"
#include "daemon/log.h"

namespace fairlead::daemon {
namespace {

constexpr std::chrono::milliseconds look_every{250};

}  // namespace

LedgerKeys::LedgerKeys(Executor executor, std::string config_file, ConfigFiles& files, Holder holder,
                       std::chrono::milliseconds again_after)
    : config_file_(std::move(config_file)),
      files_(files),
      holder_(std::move(holder)),
      look_(executor, look_every, [this] { (void)take_in(); }),
      again_after_(again_after) {}

config::Loaded LedgerKeys::load(config::Sources sources) {
  sources.stored_keys = [this](const std::string& ledger) {
    if (!keyring_.is_open()) (void)keyring_.open(ledger);  // a ledger that is not there yet has none
    return config::stored_keys(keyring_.rows(), wall_clock());
  };
  return config::load(config_file_, sources);
}

Result<void> LedgerKeys::open(config::Loaded& loaded) {
  if (keyring_.is_open()) return {};
  if (auto opened = keyring_.open(loaded.snapshot->ledger); !opened) return opened;
  if (keyring_.rows().empty()) return {};
  loaded = load(files_.taken());
  if (!loaded.snapshot) return Error(ErrorKind::config, ErrorOrigin::fairlead, config_file_ + " has errors");
  return {};
}

AdminAnswer LedgerKeys::answer(std::string_view method, std::string_view path, std::string_view body) {
  const LoadWith load_with = [this](const std::vector<StoredKey>& rows) {
    config::Sources sources = files_.taken();
    sources.stored_keys = [&](const std::string&) { return config::stored_keys(rows, wall_clock()); };
    return config::load(config_file_, sources);
  };
  return answer_about_keys({keyring_, load_with, holder_.snapshot, [this] { return take_in(); }}, method, path, body);
}

Result<void> LedgerKeys::take_in() {
  const auto changed = keyring_.look();
  if (!changed && !unread_)
    log(Level::error, "keys_not_read", {{"reason", changed.error().detail()}, {"instead", "those known hold"}});
  unread_ = !changed;
  if (!changed) return changed.error();
  const SteadyTime now = std::chrono::steady_clock::now();
  if (!*changed && (!again_at_ || now < *again_at_)) return {};
  const auto loaded = load(files_.taken());
  if (!loaded.snapshot) {
    again_at_ = now + again_after_;
    if (*changed) {
      log_findings(loaded.findings);
      log(Level::error, "keys_not_taken", {{"snapshot", holder_.snapshot()->hash}, {"again_in_ms", again_after_.count()}});
    }
    return Error(
        ErrorKind::config, ErrorOrigin::fairlead,
        "the configuration could not be built anew; the log says why. It is tried again, and a reload that is taken lets it "
        "hold at once");
  }
  again_at_.reset();
  holder_.hold(loaded.snapshot);
  log(Level::info, "keys_taken", {{"snapshot", loaded.snapshot->hash}});
  return {};
}

}  // namespace fairlead::daemon
