#pragma once
// A connected byte stream, plain or TLS, with one deadline. The only place where the two differ. One worker's thread.
#include <fairlead/result.h>

#include "net/poller.h"
#include "net/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::net {

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

/// A TLS configuration of one side; made by net/tls, shared by its connections, which it must outlive.
class TlsClient;
class TlsServer;

/// Where bytes are read to. It is asked for room when there are some, so that who only waits holds none.
class Room {
 public:
  virtual ~Room() = default;
  virtual asio::mutable_buffer room() = 0;  ///< not empty
  virtual void release() = 0;               ///< a wait begins: room that holds nothing is not needed until it ends
};

/// Every wait ends at the deadline at the latest, with asio::error::timed_out; until it is set there is none. A stream that timed
/// out is still open. One read and one write at a time. It may be destroyed while they wait: they end with operation_aborted.
class Stream {
  struct Impl;
  /// Begins to wait for what the last try of that side could not do without.
  struct Waiting {
    const std::shared_ptr<Impl>& impl;
    PolledSocket::Who who;
    void begin(std::unique_ptr<Waiter> waiter) const;
    template <class Handler>
    void operator()(Handler&& handler) const {
      begin(std::make_unique<WaiterOf<std::decay_t<Handler>>>(std::forward<Handler>(handler)));
    }
  };
  /// Awaited without a frame of its own.
  static auto wait(const std::shared_ptr<Impl>& impl, PolledSocket::Who who) {
    auto token = asio::as_tuple(asio::deferred);
    return asio::async_initiate<decltype(token), void(boost::system::error_code)>(Waiting{impl, who}, token);
  }

 public:
  using Outcome = std::pair<boost::system::error_code, std::size_t>;

  explicit Stream(TcpSocket socket);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Handshakes. On an error the stream is of no more use; `why` gets a reason in words of our own, without names.
  Task<boost::system::error_code> handshake_client(TlsClient& tls, const std::string& host, std::uint16_t port, std::string& why);
  Task<boost::system::error_code> handshake_server(const TlsServer& tls, std::string& why);

  /// At least one byte, or an error (asio::error::eof at the end; a TLS end without close_notify too is eof).
  Task<Outcome> read_some(Room& room);

  /// The same for who waits in a frame of its own. Empty: nothing can be read now. If it then must_wait(), it awaits readable(),
  /// and read_woken() tells more; else, or where that is empty too, read_some() does.
  std::optional<Outcome> read_now(Room& room);
  bool must_wait() const;
  auto readable() { return wait(impl_, PolledSocket::Who::reader); }
  std::optional<Outcome> read_woken(Room& room, boost::system::error_code ec);

  /// All of the pieces, gathered. The count is what went out, also on an error (of TLS: what was made into records).
  /// With `stall_ms_max`, the deadline is so long from now, and anew from whenever the peer has taken something.
  Task<Outcome> write(std::span<const std::string_view> pieces,
                      std::chrono::milliseconds stall_ms_max = std::chrono::milliseconds{0});

  /// The same as far as the socket takes it at once. Empty: it does not take all; then write_on(), with the same pieces, has the
  /// rest.
  std::optional<Outcome> write_now(std::span<const std::string_view> pieces,
                                   std::chrono::milliseconds stall_ms_max = std::chrono::milliseconds{0});
  Task<Outcome> write_on(std::span<const std::string_view> pieces);

  /// Cheap to move forward: the timer is armed only for a wait, and again only where it must be.
  void set_deadline(SteadyTime deadline);
  void clear_deadline();

  /// Ends whatever waits, with operation_aborted, and closes the socket. TLS says its close_notify if there is room for it.
  void close();
  /// As close(), with a RST.
  void reset();
  /// Sends the end of our side (close_notify, FIN); reading goes on. For a close that must not destroy what was just written.
  void shutdown_write();
  bool is_open() const;
  /// False if the peer has closed or sent something unasked for. A look without waiting, for connections kept idle.
  bool is_quiet();
  /// Bytes have come that no read has taken yet (of TLS: of any kind). May be asked while a read waits.
  bool has_unread();

  /// Calls `gone` once when the peer sends FIN or RST, while nothing else reads. Bytes that come meanwhile are kept for the
  /// next read; after 64 KiB of them it sees a RST alone. stop_watch() before anything else reads.
  void watch(std::function<void()> gone);
  void stop_watch();

  const Executor& executor() const;

 private:
  std::shared_ptr<Impl> impl_;  ///< shared with the handlers of what still waits
};

}  // namespace fairlead::net
