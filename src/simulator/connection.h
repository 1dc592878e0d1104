#pragma once
// One client's connection: reads requests, writes raw bytes, waits while it watches for the client to leave. One thread; each wait
// ends when the socket does, and the Simulator closes sockets whose `patience` is over.
#include <cstdint>
#include <string>
#include <string_view>

#include "simulator/async.h"
#include "simulator/http.h"

namespace fairlead::simulator {

class Connection {
 public:
  explicit Connection(Socket socket);

  /// Reads the next request. `false`: the client is gone, or what it sends is not a request (then 400 was written).
  Task<bool> read(Request& request);

  /// Writes all of it. `false`: the client is gone.
  Task<bool> send(std::string_view bytes);

  /// Waits. `false`: the client left meanwhile, or the simulator stops.
  Task<bool> pause(std::chrono::milliseconds time);

  /// Has the client closed its side? Asks the kernel, does not wait.
  bool client_left();

  void close();  ///< FIN
  void reset();  ///< RST
  /// Ends every wait; the connection's coroutine then ends by itself.
  void stop();

  std::chrono::steady_clock::time_point patience_until() const { return patience_until_; }

 private:
  Task<bool> read_more(std::size_t bytes);
  Task<bool> read_body(Request& request);
  Task<bool> read_chunked(Request& request);
  Task<bool> refuse(int status);
  void refresh_patience();

  Socket socket_;
  Timer timer_;
  std::string inbound_;  ///< received, not yet taken
  std::chrono::steady_clock::time_point patience_until_;
};

/// Writes one answer's head and body in its framing, with the odd habits that a script wants. Bytes are held back until flush().
class AnswerWriter {
 public:
  enum class Framing : std::uint8_t { chunked, length };
  struct Habit {
    bool split = false, gzip = false;
  };
  AnswerWriter(Connection& connection, Framing framing, Habit habit) : connection_(connection), framing_(framing), habit_(habit) {}

  void head(int status, Fields fields, std::size_t body_bytes);
  void body(std::string_view bytes);
  void end();
  std::size_t held() const { return held_.size(); }

  /// Sends what is held back. `false`: the client is gone.
  Task<bool> flush();

 private:
  void frame(std::string_view bytes);

  Connection& connection_;
  Framing framing_;
  Habit habit_;
  Gzip gzip_;
  std::string held_;
};

}  // namespace fairlead::simulator
