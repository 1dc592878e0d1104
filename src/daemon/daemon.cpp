#include "daemon/daemon.h"

#include <fairlead/store.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <list>
#include <optional>
#include <vector>

#include "config/config.h"
#include "config/restart.h"
#include "daemon/admin.h"
#include "daemon/at_rest.h"
#include "daemon/budget_desk.h"
#include "daemon/clock.h"
#include "daemon/config_files.h"
#include "daemon/descriptors.h"
#include "daemon/estimates_json.h"
#include "daemon/every.h"
#include "daemon/explain.h"
#include "daemon/ledger_keys.h"
#include "daemon/limit_rows.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/observe.h"
#include "daemon/past.h"
#include "daemon/reload.h"
#include "daemon/retention.h"
#include "daemon/signals.h"
#include "daemon/troubles.h"
#include "daemon/watch.h"
#include "daemon/worker.h"

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds ledger_flush_max{30};
constexpr std::chrono::seconds journal_look_every{1};
constexpr std::chrono::seconds feed_look_every{5};
constexpr std::chrono::seconds estimates_kept_every{60};
constexpr std::chrono::seconds budgets_look_every{1};
constexpr std::chrono::seconds replays_look_every{60};
constexpr std::chrono::seconds connections_look_every{5};
constexpr std::chrono::seconds clock_look_every{1};
constexpr std::chrono::milliseconds one_signal_ms_max{250};  ///< what a terminal and a wrapper pass on of one Ctrl-C is one
constexpr std::string_view watched = "watch";                ///< the cause of a reload that nobody asked for

/// Why a reload cannot change what it would have to; empty if it can.
std::string restart_reason(const Snapshot& now, const Snapshot& next) {
  std::string names;
  const std::vector<std::string> options = config::needs_restart(now, next);
  for (const std::string& option : options) names += (names.empty() ? "'" : ", '") + option + "'";
  if (options.empty()) return {};
  return names + " cannot change while running: restart for it, or take it back";
}

/// The names of the policies that are no more, where there are fewer than before: a file may have been read half-written.
std::vector<std::string> policies_gone(const Snapshot& before, const Snapshot& now) {
  std::vector<std::string> gone;
  if (now.policies.size() >= before.policies.size()) return gone;
  for (const Policy& policy : before.policies)
    if (std::none_of(now.policies.begin(), now.policies.end(), [&](const Policy& one) { return one.name == policy.name; }))
      gone.push_back(policy.name);
  return gone;
}

class Daemon {
 public:
  explicit Daemon(std::string config_file) : config_file_(std::move(config_file)), work_(asio::make_work_guard(io_)) {}

  /// Errors: what keeps the daemon from starting, in a sentence.
  Result<void> start() {
    keep_room_for_bodies();
    auto loaded = keys_.load(files_.fresh());
    log_findings(loaded.findings);
    if (!loaded.snapshot) return Error(ErrorKind::config, ErrorOrigin::fairlead, config_file_ + " has errors");
    files_.take();
    set_log_level(loaded.snapshot->log.level);
    descriptors_ = raise_descriptor_limit();
    if (auto opened = open_ledger(*loaded.snapshot); !opened) return opened;
    if (auto opened = keys_.open(loaded); !opened) return opened;
    const Snapshot& snapshot = *loaded.snapshot;
    metrics_.set_request_log(snapshot.log.requests);
    if (auto known = know_budgets(snapshot); !known) return known;
    past_.recall(snapshot, ledger_->found().next_number);
    cell_.emplace(loaded.snapshot);
    if (auto listening = listen(snapshot); !listening) return listening;
    if (auto admin = listen_admin(snapshot); !admin) return admin;
    if (auto taking = signals_.start(); !taking) return taking;  // what came meanwhile is taken by run()
    // Beyond this point no error may end the start: workers run until they are drained.
    for (Worker& worker : workers_) worker.start();
    metrics_.reloaded(true, snapshot.hash);
    shrink_to_rest();
    watch(snapshot, loaded.files);
    retention_.start();
    keys_.start();
    for (Every* look : looks_) look->start();
    log(Level::info, "ready", {{"version", FAIRLEAD_VERSION}, {"snapshot", snapshot.hash}, {"workers", workers_.size()}});
    notify_service_manager("READY=1");
    return {};
  }

  /// Until drained. The exit code.
  int run() {
    io_.run();
    for (Worker& worker : workers_) worker.join();
    retention_.stop();
    past_.keep_estimates();
    if (!ledger_->flush(ledger_flush_max)) {
      log(Level::error, "ledger_not_flushed", {{"queued", ledger_->stats().queued}});
      return 1;
    }
    if (troubles_.behind())
      log(Level::warn, "ledger_not_fed", {{"reason", "stopping; the rows in the journal are fed at the next start"}});
    log(Level::info, "stopped");
    return 0;
  }

 private:
  Result<void> open_ledger(const Snapshot& snapshot) {
    auto store = open_store(snapshot.ledger, StoreMode::write);
    if (!store) return store.error();
    LedgerLimits limits;
    limits.sync = snapshot.ledger_on_disk ? Sync::disk : Sync::os;
    auto ledger = Ledger::start(budget_desk_.watch(std::move(*store)), wall_clock(), limits);
    if (!ledger) return ledger.error();
    ledger_ = std::move(*ledger);
    const Recovered& found = ledger_->found();
    for (const std::string& notice : found.notices) log(Level::warn, "ledger_notice", {{"notice", notice}});
    if (found.interrupted_attempts > 0)
      log(Level::warn, "ledger_recovered", {{"interrupted_attempts", found.interrupted_attempts}});
    return {};
  }

  Result<void> know_budgets(const Snapshot& snapshot) {
    if (auto opened = budget_desk_.open(snapshot.ledger); !opened) return opened;
    return budget_desk_.know(snapshot, wall_clock());
  }

  Result<std::shared_ptr<const net::TlsServer>> tls_of(const Listener& listener) {
    if (listener.certificate.empty()) return std::shared_ptr<const net::TlsServer>{};
    auto tls = net::TlsServer::make(listener.certificate, listener.private_key);
    if (!tls) return tls.error();
    return std::shared_ptr<const net::TlsServer>(std::move(*tls));
  }

  Result<void> listen(const Snapshot& snapshot) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const unsigned count = snapshot.workers > 0 ? static_cast<unsigned>(snapshot.workers) : cores;
    const std::size_t cap = connections_cap(descriptors_, count, snapshot.listen.size()),
                      wanted = static_cast<std::size_t>(snapshot.limits.connections_max);
    if (cap < wanted)
      log(Level::warn, "descriptors_few",
          {{"reason",
            "of " + std::to_string(wanted) + " connections of apps for each worker there is room for " + std::to_string(cap)},
           {"descriptors", descriptors_},
           {"help", "raise the limit of open files (ulimit -n, LimitNOFILE) to " +
                        std::to_string(descriptors_for(wanted, count, snapshot.listen.size())) +
                        ", or lower limits.connections_max"}});
    for (unsigned i = 0; i < count; ++i)
      workers_.emplace_back(*cell_, *ledger_, metrics_, body_memory_, estimates_, state_budgets_, limits_, replays_, cap);
    for (const Listener& listener : snapshot.listen) {
      auto endpoint = net::parse_endpoint(listener.address);
      if (!endpoint) return endpoint.error();
      if (auto free = net::require_free(io_.get_executor(), *endpoint); !free) return free;
      auto tls = tls_of(listener);
      if (!tls) return tls.error();
      for (Worker& worker : workers_) {
        endpoint = worker.listen(*endpoint, *tls);  // port 0 becomes the first worker's port for all
        if (!endpoint) return endpoint.error();
      }
      bound_.push_back(*endpoint);
      log(Level::info, "listening", {{"side", "apps"}, {"address", net::text_of(*endpoint)}, {"tls", *tls != nullptr}});
    }
    return {};
  }

  Result<void> listen_admin(const Snapshot& snapshot) {
    if (snapshot.admin.empty()) return {};
    auto endpoint = net::parse_endpoint(snapshot.admin);
    if (!endpoint) return endpoint.error();
    if (auto free = net::require_free(io_.get_executor(), *endpoint); !free) return free;
    endpoint = admin_server_.listen(*endpoint);
    if (!endpoint) return endpoint.error();
    log(Level::info, "listening", {{"side", "admin"}, {"address", net::text_of(*endpoint)}});
    return {};
  }

  void take_signal(int number) {
    if (number == SIGHUP)
      (void)reload("signal");
    else if (draining_)
      cut_drain();
    else
      drain();
  }

  /// Reads the files, and lets them hold or leaves everything as it is. Says what came of it in the log and the metrics.
  Reload reload(std::string_view cause) {
    auto loaded = keys_.load(files_.fresh());
    const std::shared_ptr<const Snapshot> held = cell_->get();
    const std::string& before = held->hash;
    // A change that was told twice, or changed nothing that is read, is none.
    if (cause == watched && reload_taken_ && loaded.snapshot && loaded.snapshot->hash == before) {
      watch(*loaded.snapshot, loaded.files);
      return {true, false, {}, config_file_, before, std::move(loaded.findings)};
    }
    log_findings(loaded.findings);
    const std::string refusal = take_in(loaded.snapshot);
    reload_taken_ = refusal.empty();
    if (reload_taken_) files_.take();
    const auto now = cell_->get();
    metrics_.reloaded(reload_taken_, now->hash);
    if (reload_taken_)
      log(Level::info, "reloaded", {{"snapshot", now->hash}, {"cause", cause}});
    else
      log(Level::error, "reload_refused", {{"reason", refusal}, {"snapshot", now->hash}, {"cause", cause}});
    if (const auto gone = policies_gone(*held, *now); !gone.empty())
      log(Level::warn, "policies_gone", {{"policies", gone}, {"snapshot", now->hash}, {"cause", cause}});
    notify_service_manager("STATUS=" + (reload_taken_ ? "snapshot " + now->hash : refusal + "; snapshot " + now->hash + " holds"));
    watch(*now, loaded.files);
    return {reload_taken_, now->hash != before, refusal, config_file_, now->hash, std::move(loaded.findings)};
  }

  /// Why the snapshot cannot hold; empty: it does.
  std::string take_in(const std::shared_ptr<const Snapshot>& next) {
    if (draining_) return "the daemon is going down";
    if (!next) return config_file_ + " has errors";
    if (std::string reason = restart_reason(*cell_->get(), *next); !reason.empty()) return reason;
    std::vector<std::shared_ptr<const net::TlsServer>> certificates;
    for (const Listener& listener : next->listen) {
      auto tls = tls_of(listener);
      if (!tls) return tls.error().message();
      certificates.push_back(std::move(*tls));
    }
    if (auto known = budget_desk_.know(*next, wall_clock()); !known) return known.error().message();
    // Beyond this point the new snapshot holds, whole.
    for (std::size_t i = 0; i < bound_.size(); ++i)
      for (Worker& worker : workers_)
        if (certificates[i]) worker.set_tls(bound_[i], certificates[i]);
    hold(next);
    return {};
  }

  void hold(const std::shared_ptr<const Snapshot>& next) {
    cell_->swap_in(next);
    estimates_.know(*next);
    set_log_level(next->log.level);
    metrics_.set_request_log(next->log.requests);
    forget_old_replays();
  }

  void forget_old_replays() { replays_.forget_old(cell_->get()->idempotency, std::chrono::steady_clock::now()); }

  /// The same but for its keys. One that was revoked must not go on for the sake of another's budget.
  void hold_keys(const std::shared_ptr<const Snapshot>& next) {
    if (auto known = budget_desk_.know(*next, wall_clock()); !known)
      log(Level::error, "budgets_not_filled",
          {{"reason", known.error().message()}, {"instead", "new ones begin with nothing charged"}});
    hold(next);
    metrics_.in_force(next->hash);
  }

  /// `files`: what the last load read or looked for, be it the snapshot's or not.
  void watch(const Snapshot& snapshot, const std::vector<std::string>& files) {
    if (!snapshot.watch || draining_) return watch_.stop();
    if (const auto looking = watch_.look_at(files); !looking)
      log(Level::error, "watch_failed", {{"reason", looking.error().message()}, {"instead", "reload by SIGHUP"}});
  }

  void drain() {
    draining_ = true;
    draining_since_ = std::chrono::steady_clock::now();
    watch_.stop();
    notify_service_manager("STOPPING=1");
    const Milliseconds limit = cell_->get()->limits.drain_ms_max;
    log(Level::info, "draining", {{"limit_ms", limit.count()}});
    workers_left_ = workers_.size();
    for (Worker& worker : workers_)
      worker.drain(limit, [this] {
        asio::post(io_, [this] {
          if (--workers_left_ == 0) stop_admin();
        });
      });
  }

  /// Who says it twice means at once.
  void cut_drain() {
    if (drain_cut_ || std::chrono::steady_clock::now() - draining_since_ < one_signal_ms_max) return;
    drain_cut_ = true;
    log(Level::warn, "drain_cut", {{"reason", "a second signal to stop; what is under way is ended now"}});
    for (Worker& worker : workers_) worker.cut_drain();
  }

  void stop_admin() {
    signals_.stop();
    keys_.stop();
    for (Every* look : looks_) look->stop();
    tell_of_budgets();
    budget_desk_.stop();
    admin_server_.drain(Milliseconds{0});
    asio::co_spawn(io_.get_executor(), admin_server_.stopped(), asio::detached);
    work_.reset();
  }

  void look_at_connections() {
    std::uint64_t refused = 0;
    for (const Worker& worker : workers_) refused += worker.refused_connections();
    troubles_.look_at_connections(refused, metrics_.lacking_attempts(), descriptors_);
  }

  /// Of what was reached; no request waits for that.
  void tell_of_budgets() { budget_desk_.tell(*cell_->get()); }

  std::string not_ready_because() const {
    if (draining_) return "draining";
    if (!ledger_->stats().writable) return "the ledger cannot be written";
    return {};
  }

  Result<std::string> explained(std::string_view asked) {
    const std::shared_ptr<const Snapshot> snapshot = cell_->get();
    state::Estimates::Reader reader(estimates_);
    const auto conditions = [&](const RequestFacts& facts, TimePoint at) { return reader.conditions(facts, snapshot, true, at); };
    return explain(asked, *snapshot, conditions, wall_clock());
  }

  std::vector<LimitRow> limits_shown() { return limit_rows(*cell_->get(), limits_.everything(std::chrono::steady_clock::now())); }

  std::string metrics_text() {
    Metrics::Gauges gauges;
    gauges.ledger = ledger_->stats();
    for (const Worker& worker : workers_) {
      gauges.app_connections += worker.app_connections();
      gauges.refused_connections += worker.refused_connections();
      gauges.upstream_connections += worker.upstream_connections();
      gauges.upstream_idle += worker.upstream_idle();
    }
    gauges.body_bytes = body_memory_.bytes();
    gauges.ready = not_ready_because().empty();
    const auto snapshot = cell_->get();
    const TimePoint now = wall_clock();
    for (const auto& target : snapshot->targets)
      for (const DoubtedPrice& doubted : doubts_of(*target, *snapshot, now))
        ++gauges.doubted_prices.at(static_cast<std::size_t>(doubted.doubt));
    for (const auto& provider : snapshot->providers) gauges.providers_disabled += provider->disabled_because.empty() ? 0 : 1;
    gauges.keys_disabled = snapshot->keys_disabled;
    gauges.estimates = estimates_.everything();
    gauges.budgets = budget_desk_.states(*snapshot, now);
    gauges.budget_notices = budget_desk_.notices();
    gauges.webhook_failures = budget_desk_.webhook_failures();
    gauges.limits = limits_shown();
    gauges.replays = replays_.stats();
    return metrics_.text(gauges);
  }

  std::string config_file_;
  ConfigFiles files_;
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_;
  Metrics metrics_;
  std::optional<config::Cell> cell_;
  net::BodyMemory body_memory_;
  state::Estimates estimates_;
  state::Limits limits_;
  state::Replays replays_;
  Past past_{{estimates_, limits_, replays_}};
  state::Budgets state_budgets_;
  BudgetDesk budget_desk_{io_.get_executor(), state_budgets_};
  std::list<Worker> workers_;
  std::unique_ptr<Ledger> ledger_;  ///< goes before the workers' loops, to which it hands its last results
  LedgerKeys keys_{io_.get_executor(),
                   config_file_,
                   files_,
                   {[this] { return cell_->get(); }, [this](const std::shared_ptr<const Snapshot>& next) { hold_keys(next); }}};
  Admin admin_{
      {[this] { return not_ready_because(); }, [this] { return metrics_text(); },
       [this] { return estimates_text(estimates_.everything(), wall_clock()); }, [this] { return cell_->get()->limits; },
       [this] { return reload("admin"); }, [this](std::string_view asked) { return explained(asked); },
       [this] { return budget_desk_.budgets_text(*cell_->get(), wall_clock()); }, [this] { return budget_desk_.credits_text(); },
       [this](std::string_view asked) { return budget_desk_.top_up(asked, *cell_->get(), wall_clock()); },
       [this] { return limits_text(limits_shown(), replays_.stats()); },
       [this](std::string_view method, std::string_view path, std::string_view body) { return keys_.answer(method, path, body); }}};
  net::Server admin_server_{io_.get_executor(), admin_, body_memory_};
  Signals signals_{io_.get_executor(), [this](int number) { take_signal(number); }};
  Watch watch_{io_.get_executor(), [this] { (void)reload(watched); }};
  RetentionJob retention_{[this] { return cell_->get(); }};
  Every journal_look_{io_.get_executor(), journal_look_every, [this] { troubles_.look_at_journal(ledger_->stats()); }};
  Every feed_look_{io_.get_executor(), feed_look_every, [this] { troubles_.look_at_feed(*ledger_); }};
  Every estimates_look_{io_.get_executor(), estimates_kept_every, [this] { past_.keep_estimates(); }};
  Every budgets_look_{io_.get_executor(), budgets_look_every, [this] { tell_of_budgets(); }};
  Every replays_look_{io_.get_executor(), replays_look_every, [this] { forget_old_replays(); }};
  Every connections_look_{io_.get_executor(), connections_look_every, [this] { look_at_connections(); }};
  Every clock_look_{io_.get_executor(), clock_look_every, [this] { past_.look_at_clock(*cell_->get()); }};
  const std::array<Every*, 7> looks_{&journal_look_, &feed_look_,        &estimates_look_, &budgets_look_,
                                     &replays_look_, &connections_look_, &clock_look_};
  std::size_t descriptors_ = 0;  ///< that the system lets us have
  Troubles troubles_;
  std::vector<net::Endpoint> bound_;
  bool draining_ = false, drain_cut_ = false;
  std::chrono::steady_clock::time_point draining_since_;
  bool reload_taken_ = true;  ///< the last one was, or there was none
  std::size_t workers_left_ = 0;
};

}  // namespace

int serve(const std::string& config_file) {
  Signals::block();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files (ulimit -f) is told like a full disk
  Daemon daemon(config_file);
  if (const auto started = daemon.start(); !started) {
    log(Level::error, "not_started", {{"reason", started.error().message()}, {"detail", started.error().detail()}});
    return 1;
  }
  return daemon.run();
}

}  // namespace fairlead::daemon
