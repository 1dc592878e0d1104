#include "net/server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <iterator>
#include <string>
#include <utility>

namespace fairlead::net {
namespace {

using boost::system::error_code;

constexpr asio::use_awaitable_t<Executor> awaiting{};
constexpr std::chrono::milliseconds accept_backoff_ms{100};
constexpr int unsent_bytes_max = 128 << 10;
constexpr Milliseconds last_words_ms_max{2'000};  // for exchanges that a drain ended to settle and say so

Error listen_error(const Endpoint& endpoint, const error_code& error) {
  const std::string where = endpoint.address().to_string() + " port " + std::to_string(endpoint.port());
  return {ErrorKind::io, ErrorOrigin::fairlead, "cannot listen on " + where + ": " + error.message()};
}

/// Several may listen there. What is accepted takes little more than is on its way: an app that reads slowly is then seen to take
/// something (the kernel tells of room only when a third of its buffer is free, which grows to megabytes), and holds no more
/// memory.
void set_options(TcpAcceptor& acceptor, error_code& error) {
  const int on = 1;
  if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      ::setsockopt(acceptor.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof unsent_bytes_max) != 0)
    error.assign(errno, boost::system::system_category());
}

}  // namespace

Result<void> require_free(Executor executor, const Endpoint& endpoint) {
  TcpAcceptor probe(executor);
  error_code error;
  probe.open(endpoint.protocol(), error);
  if (!error) probe.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) probe.set_option(asio::ip::v6_only(true), error);
  if (!error) probe.bind(endpoint, error);
  if (!error) probe.listen(1, error);
  if (error) return listen_error(endpoint, error);
  return {};
}

Server::Server(Executor executor, AppHandler& handler, BodyMemory& memory, std::size_t connections_cap)
    : executor_(executor),
      connections_cap_(connections_cap),
      handler_(handler),
      memory_(memory),
      lookout_(executor),
      drain_limit_(executor),
      ended_(executor) {
  Poller::of(executor);  // fails now if it does, not with the first connection
}

Result<Endpoint> Server::listen(const Endpoint& endpoint, std::shared_ptr<const TlsServer> tls) {
  TcpAcceptor acceptor(executor_);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) set_options(acceptor, error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(endpoint, error);
  const Endpoint bound = acceptor.local_endpoint();
  Listening& listening = listening_.emplace_back(Listening{std::move(acceptor), bound, std::move(tls)});
  ++accepting_;
  asio::co_spawn(executor_, accept_on(listening), [this](std::exception_ptr) {
    --accepting_;
    note_end();
  });
  return bound;
}

bool Server::set_tls(const Endpoint& endpoint, std::shared_ptr<const TlsServer> tls) {
  for (Listening& listening : listening_) {
    if (listening.endpoint != endpoint) continue;
    listening.tls = std::move(tls);
    return true;
  }
  return false;
}

Task<void> Server::accept_on(Listening& listening) {
  Timer backoff(executor_);
  bool rest = false;
  while (!draining_) {
    error_code error;
    try {
      if (std::exchange(rest, false)) {
        backoff.expires_after(accept_backoff_ms);
        co_await backoff.async_wait(asio::redirect_error(awaiting, error));
        continue;
      }
      TcpSocket socket(executor_);
      co_await listening.acceptor.async_accept(socket, asio::redirect_error(awaiting, error));
      if (draining_) co_return;
      if (!error) serve(std::move(socket), listening);
      // No descriptors or no memory: the connection stays in the backlog, and accepting again at once would only spin.
      rest = error && error != asio::error::connection_aborted;
    } catch (const std::exception&) {  // no memory: what was accepted is closed
      ++counters_.failures;
      rest = true;
    }
  }
}

void Server::serve(TcpSocket socket, const Listening& listening) {
  if (connections_.size() >= connections_cap_ || std::cmp_greater_equal(connections_.size(), handler_.limits().connections_max)) {
    ++counters_.connections_refused;
    return;  // closes it
  }
  connections_.emplace_front(std::move(socket), listening.tls, handler_, date_, lookout_, memory_, counters_);
  const auto connection = connections_.begin();
  ++counters_.connections_open;
  const auto end = [this, connection] {
    connections_.erase(connection);
    --counters_.connections_open;
    note_end();
  };
  try {
    asio::co_spawn(executor_, connection->run(), [end](std::exception_ptr) { end(); });
  } catch (...) {  // it never began
    end();
    throw;
  }
}

void Server::drain(Milliseconds limit) {
  if (!std::exchange(draining_, true)) {
    error_code ignored;
    for (Listening& listening : listening_) listening.acceptor.close(ignored);
    for (Connection& connection : connections_) connection.drain();
  }
  drain_limit_.expires_after(limit);
  drain_limit_.async_wait([this](error_code error) {
    if (error || connections_.empty()) return;
    for (Connection& connection : connections_) connection.hurry();
    drain_limit_.expires_after(last_words_ms_max);
    drain_limit_.async_wait([this](error_code late) {
      if (late) return;
      for (Connection& connection : connections_) connection.cancel();
    });
  });
}

void Server::note_end() { ended_.cancel(); }

Task<void> Server::stopped() {
  while (accepting_ > 0 || !connections_.empty()) {
    error_code ignored;
    ended_.expires_at(SteadyTime::max());
    co_await ended_.async_wait(asio::redirect_error(awaiting, ignored));
  }
  drain_limit_.cancel();
}

}  // namespace fairlead::net
