#pragma once
// A peer on the loopback that follows a script, on the same io_context as what is tested; and a limit on how long a test may hang.
#include "net/stream.h"
#include "net/tls.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::net::test {

using namespace std::chrono_literals;
using boost::system::error_code;
using std::chrono::steady_clock;

/// Only a hung test takes that long.
inline constexpr std::chrono::seconds hang{20};

inline SteadyTime in(std::chrono::milliseconds time) { return steady_clock::now() + time; }

class Loop {
 public:
  Executor executor() { return io_.get_executor(); }

  void start(Task<void> task) {
    asio::co_spawn(io_, std::move(task), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  /// Runs until the task ends; what else was started is left where it stands.
  template <class T>
  T finish(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& failure, T value) {
      if (failure) std::rethrow_exception(failure);
      result.emplace(std::move(value));
      io_.stop();
    });
    run();
    if (!result) throw std::runtime_error("the test hangs");
    return std::move(*result);
  }

  void finish(Task<void> task) { finish(and_then_true(std::move(task))); }

  /// Until `condition`; false if it does not come about.
  bool run_until(const std::function<bool()>& condition) {
    io_.restart();
    const SteadyTime limit = steady_clock::now() + hang;
    while (!condition() && steady_clock::now() < limit) io_.run_one_for(hang);
    return condition();
  }

 private:
  static Task<bool> and_then_true(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }

  void run() {
    io_.restart();
    io_.run_for(hang);
  }

  asio::io_context io_{1};
};

/// The two ends of one connection.
inline std::pair<TcpSocket, TcpSocket> connected_pair(Loop& loop) {
  TcpAcceptor acceptor(loop.executor(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  TcpSocket near(loop.executor());
  near.connect(acceptor.local_endpoint());
  TcpSocket far = acceptor.accept();
  return {std::move(near), std::move(far)};
}

inline Task<void> say(Stream& stream, std::string bytes) {
  const std::array<std::string_view, 1> pieces{bytes};
  co_await stream.write(pieces);
}

/// Room of the test's own.
class GivenRoom final : public Room {
 public:
  explicit GivenRoom(asio::mutable_buffer buffer) : buffer_(buffer) {}
  asio::mutable_buffer room() override { return buffer_; }
  void release() override {}

 private:
  asio::mutable_buffer buffer_;
};

inline Task<Stream::Outcome> read_some(Stream& stream, asio::mutable_buffer buffer) {
  GivenRoom room(buffer);
  co_return co_await stream.read_some(room);
}

/// A request with its body by Content-Length; what came, if the peer closes before.
inline Task<std::string> hear_request(Stream& stream) {
  std::string heard;
  for (;;) {
    const std::size_t head_end = heard.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const std::size_t field = heard.find("Content-Length: ");
      const std::size_t body = field < head_end ? std::stoul(heard.substr(field + 16)) : 0;
      if (heard.size() >= head_end + 4 + body) co_return heard;
    }
    std::array<char, 4096> buffer;
    const auto [ec, bytes] = co_await read_some(stream, asio::buffer(buffer));
    if (ec) co_return heard;
    heard.append(buffer.data(), bytes);
  }
}

/// Reads until the peer ends.
inline Task<std::string> hear_all(Stream& stream) {
  std::string heard;
  for (;;) {
    std::array<char, 4096> buffer;
    const auto [ec, bytes] = co_await read_some(stream, asio::buffer(buffer));
    if (ec) co_return heard;
    heard.append(buffer.data(), bytes);
  }
}

/// What a server does with one connection; the connection is closed when it ends.
using Script = std::function<Task<void>(Stream&)>;

/// Serves one script per connection, in order, and nothing after the last.
class ScriptedServer {
 public:
  ScriptedServer(Loop& loop, std::vector<Script> scripts, const TlsServer* tls = nullptr)
      : acceptor_(loop.executor(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        scripts_(std::move(scripts)),
        tls_(tls) {
    port_ = acceptor_.local_endpoint().port();
    loop.start(serve_all());
  }

  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }
  int closed() const { return closed_; }  ///< scripts that ended
  void stop_listening() { acceptor_.close(); }

 private:
  Task<void> serve_all() {
    for (const Script& script : scripts_) {
      error_code ec;
      TcpSocket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable_t<Executor>(), ec));
      if (ec) co_return;
      ++accepted_;
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket), script), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
      });
    }
  }

  Task<void> serve(TcpSocket socket, Script script) {
    Stream stream(std::move(socket));
    std::string why;
    error_code ec;
    if (tls_ != nullptr) ec = co_await stream.handshake_server(*tls_, why);
    if (!ec) co_await script(stream);
    ++closed_;
  }

  TcpAcceptor acceptor_;
  std::vector<Script> scripts_;
  const TlsServer* tls_;
  std::uint16_t port_ = 0;
  int accepted_ = 0, closed_ = 0;
};

}  // namespace fairlead::net::test
