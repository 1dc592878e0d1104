#include "daemon/daemon.h"

#include <fairlead/store.h>
#include <malloc.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <csignal>
#include <list>
#include <optional>
#include <vector>

#include "config/config.h"
#include "daemon/admin.h"
#include "daemon/estimates_file.h"
#include "daemon/estimates_json.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/observe.h"
#include "daemon/worker.h"

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds ledger_flush_max{30};
constexpr std::chrono::seconds feed_look_every{5};
constexpr std::chrono::seconds estimates_kept_every{60};

constexpr int taken_signals[] = {SIGTERM, SIGINT, SIGHUP};

/// Only the main thread takes signals: blocked before any other thread starts, which then blocks them too.
void set_signals(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : taken_signals) sigaddset(&signals, number);
  pthread_sigmask(how, &signals, nullptr);
}

/// A connection is a descriptor: take as many as the system lets us.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string text_of(const net::Endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

TimePoint wall_clock() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

void log_findings(const std::vector<config::Finding>& findings) {
  for (const config::Finding& finding : findings) {
    const bool error = finding.severity == config::Severity::error;
    log(error ? Level::error : Level::warn, error ? "config_error" : "config_warning", {{"finding", config::format(finding)}});
  }
}

/// What a reload cannot change, by name; empty if nothing of it differs.
std::string needs_restart(const Snapshot& now, const Snapshot& next) {
  const auto same_listener = [](const Listener& a, const Listener& b) {
    return a.address == b.address && a.certificate.empty() == b.certificate.empty();
  };
  if (!std::equal(now.listen.begin(), now.listen.end(), next.listen.begin(), next.listen.end(), same_listener)) return "listen";
  if (now.admin != next.admin) return "admin";
  if (now.ledger != next.ledger) return "ledger";
  if (now.ledger_on_disk != next.ledger_on_disk) return "ledger_sync";
  if (now.workers != next.workers) return "workers";
  return {};
}

class Daemon {
 public:
  explicit Daemon(std::string config_file)
      : config_file_(std::move(config_file)), work_(asio::make_work_guard(io_)), signals_(io_) {}

  /// Errors: what keeps the daemon from starting, in a sentence.
  Result<void> start() {
    auto loaded = config::load(config_file_, config::real_sources());
    log_findings(loaded.findings);
    if (!loaded.snapshot) return Error(ErrorKind::config, ErrorOrigin::fairlead, config_file_ + " has errors");
    const Snapshot& snapshot = *loaded.snapshot;
    set_log_level(snapshot.log.level);
    metrics_.set_request_log(snapshot.log.requests);
    raise_descriptor_limit();
    if (auto opened = open_ledger(snapshot); !opened) return opened;
    recall_estimates(snapshot);
    cell_.emplace(loaded.snapshot);
    if (auto listening = listen(snapshot); !listening) return listening;
    if (auto admin = listen_admin(snapshot); !admin) return admin;
    for (Worker& worker : workers_) worker.start();
    metrics_.reloaded(true, snapshot.hash);
    ::malloc_trim(0);  // what reading the configuration took
    for (const int number : taken_signals) signals_.add(number);
    set_signals(SIG_UNBLOCK);  // what came meanwhile is taken now
    wait_for_signal();
    look_after_feed();
    look_after_estimates();
    log(Level::info, "ready", {{"version", FAIRLEAD_VERSION}, {"snapshot", snapshot.hash}, {"workers", workers_.size()}});
    notify_service_manager("READY=1");
    return {};
  }

  /// Until drained. The exit code.
  int run() {
    io_.run();
    for (Worker& worker : workers_) worker.join();
    keep_estimates();
    if (!ledger_->flush(ledger_flush_max)) {
      log(Level::error, "ledger_not_flushed", {{"queued", ledger_->stats().queued}});
      return 1;
    }
    if (behind_) log(Level::warn, "ledger_not_fed", {{"reason", "stopping; the rows in the journal are fed at the next start"}});
    log(Level::info, "stopped");
    return 0;
  }

 private:
  Result<void> open_ledger(const Snapshot& snapshot) {
    auto store = open_store(snapshot.ledger, StoreMode::write);
    if (!store) return store.error();
    LedgerLimits limits;
    limits.sync = snapshot.ledger_on_disk ? Sync::disk : Sync::os;
    auto ledger = Ledger::start(std::move(*store), wall_clock(), limits);
    if (!ledger) return ledger.error();
    ledger_ = std::move(*ledger);
    const LedgerFound& found = ledger_->found();
    for (const std::string& notice : found.notices) log(Level::warn, "ledger_notice", {{"notice", notice}});
    if (found.interrupted_attempts > 0)
      log(Level::warn, "ledger_recovered", {{"interrupted_attempts", found.interrupted_attempts}});
    return {};
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
    for (unsigned i = 0; i < count; ++i) workers_.emplace_back(*cell_, *ledger_, metrics_, body_memory_, estimates_);
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
      log(Level::info, "listening", {{"side", "apps"}, {"address", text_of(*endpoint)}, {"tls", *tls != nullptr}});
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
    log(Level::info, "listening", {{"side", "admin"}, {"address", text_of(*endpoint)}});
    return {};
  }

  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int number) {
      if (error) return;
      if (number == SIGHUP)
        reload();
      else
        drain();
      if (!stopped_) wait_for_signal();
    });
  }

  void refuse_reload(const std::string& reason) {
    log(Level::error, "reload_refused", {{"reason", reason}, {"snapshot", cell_->get()->hash}});
    metrics_.reloaded(false, {});
  }

  void reload() {
    auto loaded = config::load(config_file_, config::real_sources());
    log_findings(loaded.findings);
    if (!loaded.snapshot) return refuse_reload(config_file_ + " has errors");
    const auto now = cell_->get();
    const Snapshot& next = *loaded.snapshot;
    if (const std::string what = needs_restart(*now, next); !what.empty())
      return refuse_reload("'" + what + "' cannot change while running: restart for it");
    std::vector<std::shared_ptr<const net::TlsServer>> certificates;
    for (const Listener& listener : next.listen) {
      auto tls = tls_of(listener);
      if (!tls) return refuse_reload(tls.error().message);
      certificates.push_back(std::move(*tls));
    }
    // Beyond this point the new snapshot holds, whole.
    for (std::size_t i = 0; i < bound_.size(); ++i)
      for (Worker& worker : workers_)
        if (certificates[i]) worker.set_tls(bound_[i], certificates[i]);
    cell_->swap_in(loaded.snapshot);
    estimates_.know(next);
    set_log_level(next.log.level);
    metrics_.set_request_log(next.log.requests);
    metrics_.reloaded(true, next.hash);
    log(Level::info, "reloaded", {{"snapshot", next.hash}});
  }

  void drain() {
    if (draining_) return;
    draining_ = true;
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

  void stop_admin() {
    stopped_ = true;  // a signal that is queued already must not start another wait
    signals_.cancel();
    feed_look_.cancel();
    estimates_look_.cancel();
    admin_server_.drain(Milliseconds{0});
    asio::co_spawn(io_.get_executor(), admin_server_.stopped(), asio::detached);
    work_.reset();
  }

  /// Says in the log when the database cannot be fed from the journal, and when it has caught up: rows are safe meanwhile, but
  /// unseen.
  void look_after_feed() {
    feed_look_.expires_after(feed_look_every);
    feed_look_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      const LedgerStats stats = ledger_->stats();
      if (stats.failed_saves > failed_saves_) {
        log(Level::error, "ledger_not_fed",
            {{"reason", "the database cannot be written; rows are kept in the journal beside it"},
             {"unfed_rows", stats.unfed_rows}});
        behind_ = true;
      } else if (behind_ && stats.unfed_rows == 0) {
        log(Level::info, "ledger_fed");
        behind_ = false;
      }
      failed_saves_ = stats.failed_saves;
      look_after_feed();
    });
  }

  /// What the process before had learned. Without it, or if it cannot be read, the priors hold.
  void recall_estimates(const Snapshot& snapshot) {
    estimates_file_ = estimates_file_beside(snapshot.ledger);
    auto read = read_estimates(estimates_file_);
    if (read)
      estimates_.restore(std::move(*read));
    else
      log(Level::warn, "estimates_not_read",
          {{"reason", read.error().message + "; estimates start from the priors"}, {"file", estimates_file_}});
    estimates_.know(snapshot);
  }

  void keep_estimates() {
    auto written = write_estimates(estimates_file_, estimates_.everything());
    if (!written) log(Level::warn, "estimates_not_written", {{"reason", written.error().message}, {"file", estimates_file_}});
  }

  /// On the main thread, which no request waits for.
  void look_after_estimates() {
    estimates_look_.expires_after(estimates_kept_every);
    estimates_look_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      keep_estimates();
      look_after_estimates();
    });
  }

  std::string not_ready_because() const {
    if (draining_) return "draining";
    if (!ledger_->stats().writable) return "the ledger cannot be written";
    return {};
  }

  std::string metrics_text() {
    Metrics::Gauges gauges;
    gauges.ledger = ledger_->stats();
    for (const Worker& worker : workers_) {
      gauges.app_connections += worker.app_connections();
      gauges.upstream_connections += worker.upstream_connections();
      gauges.upstream_idle += worker.upstream_idle();
    }
    gauges.body_bytes = body_memory_.bytes();
    gauges.ready = not_ready_because().empty();
    gauges.estimates = estimates_.everything();
    return metrics_.text(gauges);
  }

  std::string config_file_;
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_;
  Metrics metrics_;
  std::optional<config::Cell> cell_;
  net::BodyMemory body_memory_;
  state::Estimates estimates_;
  std::string estimates_file_;
  std::list<Worker> workers_;
  std::unique_ptr<Ledger> ledger_;  ///< goes before the workers' loops, to which it hands its last results
  Admin admin_{{[this] { return not_ready_because(); }, [this] { return metrics_text(); },
                [this] { return estimates_text(estimates_.everything(), wall_clock()); }, [this] { return cell_->get()->limits; }}};
  net::Server admin_server_{io_.get_executor(), admin_, body_memory_};
  asio::basic_signal_set<Executor> signals_;
  Timer feed_look_{io_.get_executor()};
  Timer estimates_look_{io_.get_executor()};
  std::uint64_t failed_saves_ = 0;  ///< when last looked
  bool behind_ = false;
  std::vector<net::Endpoint> bound_;
  bool draining_ = false, stopped_ = false;
  std::size_t workers_left_ = 0;
};

}  // namespace

int serve(const std::string& config_file) {
  set_signals(SIG_BLOCK);
  std::signal(SIGPIPE, SIG_IGN);
  Daemon daemon(config_file);
  if (const auto started = daemon.start(); !started) {
    log(Level::error, "not_started", {{"reason", started.error().message}, {"detail", started.error().detail}});
    return 1;
  }
  return daemon.run();
}

}  // namespace fairlead::daemon
