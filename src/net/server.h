#pragma once
// The apps' side of one worker: its acceptors and its connections. Made by daemon/worker. One worker's thread, but for the
// counters.
#include <fairlead/result.h>

#include "net/app.h"
#include "net/connection.h"
#include "net/endpoint.h"
#include "net/http_date.h"
#include "net/lookout.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/tls.h"

#include <list>
#include <memory>

namespace fairlead::net {

/// Nobody listens there, this program included; SO_REUSEPORT would let several share it and split the requests. Port 0 is free.
/// Errors: io, with the address and the reason.
Result<void> require_free(Executor executor, const Endpoint& endpoint);

/// It must go before its io_context goes, and not before stopped() ended, unless the io_context will run no more.
class Server {
 public:
  static constexpr std::size_t no_cap = ~std::size_t{0};

  /// `connections_cap`: no more at a time, whatever the handler's limits say.
  Server(Executor executor, AppHandler& handler, BodyMemory& memory, std::size_t connections_cap = no_cap);

  /// Listens and accepts from now on; port 0 takes any. Every worker listens on the same endpoint (SO_REUSEPORT): hand the endpoint
  /// that comes back to the others. `tls` may be null. Errors: io, with the address and the reason.
  Result<Endpoint> listen(const Endpoint& endpoint, std::shared_ptr<const TlsServer> tls = nullptr);
  /// For connections accepted from now on. False if nothing listens there.
  bool set_tls(const Endpoint& endpoint, std::shared_ptr<const TlsServer> tls);

  /// Stops accepting; idle connections are closed, the others after their answer, and
  /// ended after `limit`, with an honest error where the app still takes it. Called again, it changes the limit.
  void drain(Milliseconds limit);
  /// Ends when the last connection is closed, after drain(). One waiter at a time.
  Task<void> stopped();

  const ServerCounters& counters() const { return counters_; }

 private:
  struct Listening {
    TcpAcceptor acceptor;
    Endpoint endpoint;
    std::shared_ptr<const TlsServer> tls;
  };
  Task<void> accept_on(Listening& listening);
  /// Throws std::bad_alloc: then the connection is closed.
  void serve(TcpSocket socket, const Listening& listening);
  void note_end();

  Executor executor_;
  const std::size_t connections_cap_;
  AppHandler& handler_;
  BodyMemory& memory_;
  HttpDate date_;
  Lookout lookout_;
  ServerCounters counters_;
  std::list<Listening> listening_;
  std::list<Connection> connections_;
  int accepting_ = 0;
  bool draining_ = false;
  Timer drain_limit_;
  Timer ended_;  ///< never expires: cancelled when something ended
};

}  // namespace fairlead::net
