#pragma once
// One core's share of the service: a thread, its loop, its listeners, its connections to providers. An exchange never leaves it.
#include "config/cell.h"
#include "exchange/api.h"
#include "exchange/exchange.h"
#include "net/pool.h"
#include "net/server.h"

#include <boost/asio/executor_work_guard.hpp>

#include <functional>
#include <memory>
#include <thread>

namespace fairlead::daemon {

class Worker {
 public:
  Worker(const config::Cell& cell, Ledger& ledger, exchange::Observer& observer, net::BodyMemory& memory,
         state::Estimates& estimates, state::Budgets& budgets, state::Limits& limits, state::Replays& replays,
         std::size_t connections_cap);
  ~Worker();  ///< after join()

  /// Before start(). Errors: io.
  Result<net::Endpoint> listen(const net::Endpoint& endpoint, std::shared_ptr<const net::TlsServer> tls);
  void start();

  // From any thread:
  void set_tls(net::Endpoint endpoint, std::shared_ptr<const net::TlsServer> tls);
  /// Stops accepting and lets running exchanges end, up to the limit; then `ended` is called on the worker's thread, which ends.
  void drain(Milliseconds limit, std::function<void()> ended);
  /// After drain(): what still runs is ended now.
  void cut_drain();
  void join();
  std::size_t app_connections() const;
  std::uint64_t refused_connections() const;
  std::size_t upstream_connections() const;
  std::size_t upstream_idle() const;

 private:
  asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};  ///< sockets and pipes are the worker's alone: no locks for them
  asio::executor_work_guard<Executor> work_;
  net::Pool pool_;
  exchange::Books books_;
  exchange::World world_;
  exchange::Api api_;
  net::Server server_;
  std::thread thread_;
};

}  // namespace fairlead::daemon
