#pragma once
// One connection of an app: its requests one after the other, each proved, read whole, handed on and answered. Owned by net/server.
// One worker's thread.
#include "net/answer.h"
#include "net/app.h"
#include "net/framing.h"
#include "net/http_date.h"
#include "net/stream.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::net {

/// Written by one worker, read by anyone.
struct ServerCounters {
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> connections_refused{0};  ///< over connections_max
  std::atomic<std::uint64_t> failures{0};             ///< exceptions caught at the top of a connection or a request
};

class Connection {
 public:
  /// What is referred to must outlive it. `tls` may be null.
  Connection(TcpSocket socket, std::shared_ptr<const TlsServer> tls, AppHandler& handler, HttpDate& date, Lookout& lookout,
             BodyMemory& memory, ServerCounters& counters);

  /// Serves until the connection is closed. Throws nothing of the app's making.
  Task<void> run();
  /// Closes it now if it is idle, else after the answer under way.
  void drain();
  /// Ends the work under way, and leaves it time for an honest end; what has no request yet is closed.
  void hurry();
  /// Ends the work under way as if the app had hung up, and closes.
  void cancel();

 private:
  Task<bool> shake_hands();
  Task<bool> await_request();
  Task<bool> serve_request();
  Task<void> say_error(SocketAnswer& answer, Error error);
  std::optional<Result<bool>> take_request(AppRequest& request, AnswerForm& form);
  Task<Result<bool>> read_request(AppRequest& request, AnswerForm& form);
  std::optional<Result<void>> take_head(std::size_t& looked_at, const Limits& limits, Head& head, AppRequest& request);
  std::optional<Result<bool>> take_body(const Head& head, AppRequest& request, const Limits& limits);
  Task<Result<bool>> read_body(const Head& head, AppRequest& request, const Limits& limits);
  Task<Result<void>> await_memory(BodyMemory::Share& share, std::size_t bytes, const Limits& limits);
  Task<Result<void>> say_continue(const Limits& limits);
  Task<Result<void>> read_more(std::size_t bytes_max);
  Task<void> refuse(const Error& error, Milliseconds write_ms_max);
  Task<void> linger();

  std::string peer_;
  Stream stream_;
  std::shared_ptr<const TlsServer> tls_;
  AppHandler& handler_;
  HttpDate& date_;
  Lookout& lookout_;
  BodyMemory& memory_;
  ServerCounters& counters_;
  std::string buffer_;                ///< read, and not yet part of a request
  std::unique_ptr<Head> unfinished_;  ///< of the request whose body is to be read
  SteadyTime arrived_at_;
  bool idle_ = false;
  bool draining_ = false;
  SocketAnswer* answer_ = nullptr;  ///< the one under way
};

}  // namespace fairlead::net
