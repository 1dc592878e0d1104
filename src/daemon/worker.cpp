#include "daemon/worker.h"

#include <pthread.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <random>
#include <utility>

#include "daemon/clock.h"

namespace fairlead::daemon {
namespace {

std::mt19937_64 seeded_random() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

Worker::Worker(const config::Cell& cell, Ledger& ledger, exchange::Observer& observer, net::BodyMemory& memory,
               state::Estimates& estimates, state::Budgets& budgets, state::Limits& limits, state::Replays& replays,
               std::size_t connections_cap)
    : work_(asio::make_work_guard(io_)),
      pool_(io_.get_executor()),
      books_(io_.get_executor(), ledger),
      world_{io_.get_executor(),
             config::Cell::Reader(cell),
             books_,
             pool_,
             observer,
             wall_clock,
             std::chrono::steady_clock::now,
             seeded_random(),
             {},
             state::Estimates::Reader(estimates),
             budgets,
             limits,
             replays},
      api_(world_),
      server_(io_.get_executor(), api_, memory, connections_cap) {}

Worker::~Worker() = default;

Result<net::Endpoint> Worker::listen(const net::Endpoint& endpoint, std::shared_ptr<const net::TlsServer> tls) {
  return server_.listen(endpoint, std::move(tls));
}

void Worker::start() {
  thread_ = std::thread([this] { io_.run(); });
  pthread_setname_np(thread_.native_handle(), "worker");
}

void Worker::set_tls(net::Endpoint endpoint, std::shared_ptr<const net::TlsServer> tls) {
  asio::post(io_, [this, endpoint, tls = std::move(tls)] { server_.set_tls(endpoint, tls); });
}

void Worker::drain(Milliseconds limit, std::function<void()> ended) {
  asio::post(io_, [this, limit, ended = std::move(ended)]() mutable {
    server_.drain(limit);
    asio::co_spawn(io_.get_executor(), server_.stopped(), [this, ended = std::move(ended)](const std::exception_ptr&) {
      pool_.close_idle();
      work_.reset();
      ended();
    });
  });
}

void Worker::cut_drain() {
  asio::post(io_, [this] { server_.drain(Milliseconds{0}); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

std::size_t Worker::app_connections() const { return server_.counters().connections_open; }
std::uint64_t Worker::refused_connections() const { return server_.counters().connections_refused; }
std::size_t Worker::upstream_connections() const { return pool_.open(); }
std::size_t Worker::upstream_idle() const { return pool_.idle(); }

}  // namespace fairlead::daemon
