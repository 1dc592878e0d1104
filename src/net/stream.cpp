#include "net/stream.h"

#include "net/remainder.h"
#include "net/tls_wire.h"

#include <sys/socket.h>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace fairlead::net {

namespace {

using boost::system::error_code;

constexpr std::size_t kept_bytes_max = 64 << 10;
constexpr int reads_at_once_max = 4;            // without a wait between them
constexpr std::size_t record_bytes = 16 << 10;  // what TLS puts into one record

int take_over(TcpSocket& socket) {
  error_code failed;
  socket.set_option(asio::ip::tcp::no_delay(true), failed);
  socket.native_non_blocking(true, failed);
  return socket.release(failed);
}

error_code os_error(int number) { return {number, asio::error::get_system_category()}; }

}  // namespace

struct Stream::Impl {
  explicit Impl(TcpSocket connected)
      : socket(Poller::of(connected.get_executor()), take_over(connected)), timer(connected.get_executor()) {}

  static void arm(const std::shared_ptr<Impl>& self);
  static void look_on(const std::shared_ptr<Impl>& self, WaitFor what = WaitFor::read);
  static Task<error_code> shake_hands(std::shared_ptr<Impl> self, SslPtr ssl, std::string& why);
  static Task<Outcome> write_rest(std::shared_ptr<Impl> self, std::span<const std::string_view> pieces);
  std::optional<error_code> send_now(std::span<const std::string_view> pieces);
  WireStep try_write(const Remainder& rest);

  /// The peer has taken something of a write.
  void note_progress() {
    if (stall_ms_max > std::chrono::milliseconds{0}) deadline = std::chrono::steady_clock::now() + stall_ms_max;
  }

  error_code end_wait(error_code ec) const { return socket.is_open() ? ec : asio::error::operation_aborted; }
  bool is_waiting() const { return socket.is_waiting(PolledSocket::Who::reader) || socket.is_waiting(PolledSocket::Who::writer); }

  std::optional<Outcome> read_now(Room& room);
  std::optional<Outcome> read_woken(Room& room, error_code ec);
  WireStep take_what_came(asio::mutable_buffer buffer);
  WireStep try_read(void* bytes, std::size_t size);
  WaitFor keep_what_came();
  void close(bool with_reset);

  // What each read and write touches lies together: a stream among thousands finds none of it in the caches.
  PolledSocket socket;
  std::unique_ptr<TlsWire> tls;
  SteadyTime deadline = SteadyTime::max();
  std::chrono::milliseconds stall_ms_max{0};  ///< of the write under way; 0: its deadline is fixed
  std::optional<SteadyTime> armed_for;
  std::size_t written = 0;                 ///< of the write under way
  WaitFor write_waits = WaitFor::nothing;  ///< for what the write under way waits
  WaitFor read_waits = WaitFor::nothing;   ///< for what the read under way waits
  bool emptied = false;                    ///< the last read took all that the socket held
  int reads_at_once = 0;                   ///< since the last wait

  /// What only the streams of apps have that wait for long.
  struct Watch {
    std::function<void()> gone;  ///< set while watched
    std::string kept;            ///< read by the watch; empty once all of it is used
    std::size_t kept_used = 0;
    error_code kept_end;  ///< how the peer's bytes ended, if the watch saw that
  };
  std::unique_ptr<Watch> watch;  ///< null: there was none yet
  Timer timer;
};

void Stream::Impl::arm(const std::shared_ptr<Impl>& self) {
  if (self->deadline == SteadyTime::max()) return;
  if (self->armed_for && *self->armed_for <= self->deadline) return;
  self->armed_for = self->deadline;
  self->timer.expires_at(self->deadline);
  self->timer.async_wait([self](error_code ec) {
    if (ec == asio::error::operation_aborted) return;
    self->armed_for.reset();
    if (!self->socket.is_open() || !self->is_waiting()) return;
    if (std::chrono::steady_clock::now() < self->deadline) return arm(self);
    self->socket.interrupt(PolledSocket::Who::reader, asio::error::timed_out);
    if (std::chrono::steady_clock::now() < self->deadline) return;  // that reader writes by now
    self->socket.interrupt(PolledSocket::Who::writer, asio::error::timed_out);
  });
}

void Stream::Waiting::begin(std::unique_ptr<Waiter> waiter) const {
  impl->socket.wait(who, who == PolledSocket::Who::reader ? impl->read_waits : impl->write_waits, std::move(waiter));
  Impl::arm(impl);
}

Task<error_code> Stream::Impl::shake_hands(std::shared_ptr<Impl> self, SslPtr ssl, std::string& why) {
  if (!self->socket.is_open()) co_return asio::error::operation_aborted;
  if (!ssl) {
    why = "TLS cannot be set up for this host";
    co_return asio::error::invalid_argument;
  }
  self->tls = std::make_unique<TlsWire>(std::move(ssl), self->socket.descriptor());
  for (;;) {
    const WireStep step = self->tls->handshake(why);
    self->read_waits = step.wait;
    if (step.wait == WaitFor::nothing) co_return step.ec;
    const auto [woken] = co_await wait(self, PolledSocket::Who::reader);
    const error_code ec = self->end_wait(woken);
    if (!ec) continue;
    why = ec == asio::error::timed_out ? "the TLS handshake took too long" : "the TLS handshake was given up";
    co_return ec;
  }
}

Stream::Stream(TcpSocket socket) : impl_(std::make_shared<Impl>(std::move(socket))) {}

Stream::~Stream() { close(); }

Task<error_code> Stream::handshake_client(TlsClient& tls, const std::string& host, std::uint16_t port, std::string& why) {
  return Impl::shake_hands(impl_, tls.connect(host, port), why);
}

Task<error_code> Stream::handshake_server(const TlsServer& tls, std::string& why) {
  return Impl::shake_hands(impl_, tls.accept(), why);
}

/// What the watch has kept, or what is there.
WireStep Stream::Impl::take_what_came(asio::mutable_buffer buffer) {
  if (watch && !watch->kept.empty()) {
    const std::size_t bytes = watch->kept.copy(static_cast<char*>(buffer.data()), buffer.size(), watch->kept_used);
    watch->kept_used += bytes;
    if (watch->kept_used == watch->kept.size()) {
      std::string().swap(watch->kept);
      watch->kept_used = 0;
    }
    return {WaitFor::nothing, {}, bytes};
  }
  if (watch && watch->kept_end) return {WaitFor::nothing, watch->kept_end, 0};
  if (!socket.is_open()) return {WaitFor::nothing, asio::error::operation_aborted, 0};
  const WireStep step = try_read(buffer.data(), buffer.size());
  emptied = step.wait == WaitFor::nothing && !step.ec && step.bytes < buffer.size();
  return step;
}

WireStep Stream::Impl::try_read(void* bytes, std::size_t size) {
  if (tls) return tls->read(bytes, size);
  socket.forget_edge(WaitFor::read);
  ssize_t received = 0;
  do received = ::recv(socket.descriptor(), bytes, size, 0);
  while (received < 0 && errno == EINTR);
  if (received > 0) return {WaitFor::nothing, {}, static_cast<std::size_t>(received)};
  if (received == 0) return {WaitFor::nothing, asio::error::eof, 0};
  if (errno == EAGAIN) return {WaitFor::read, {}, 0};
  return {WaitFor::nothing, os_error(errno), 0};
}

Task<Stream::Outcome> Stream::read_some(Room& room) {
  const std::shared_ptr<Impl> self = impl_;
  auto got = self->read_now(room);
  while (!got) {
    if (self->read_waits != WaitFor::nothing) {
      const auto [ec] = co_await wait(self, PolledSocket::Who::reader);
      got = self->read_woken(room, ec);
      continue;
    }
    room.release();
    co_await asio::post(self->socket.executor(), asio::deferred);
    self->reads_at_once = 0;
    if (!self->socket.is_open()) co_return Outcome(asio::error::operation_aborted, 0);
    if (std::chrono::steady_clock::now() >= self->deadline) co_return Outcome(asio::error::timed_out, 0);
    got = self->read_now(room);
  }
  co_return *got;
}

std::optional<Stream::Outcome> Stream::read_now(Room& room) { return impl_->read_now(room); }
bool Stream::must_wait() const { return impl_->read_waits != WaitFor::nothing; }
std::optional<Stream::Outcome> Stream::read_woken(Room& room, error_code ec) { return impl_->read_woken(room, ec); }

/// Empty, and nothing to wait for: a peer that always has something to say shall hold up neither the others nor the deadlines.
std::optional<Stream::Outcome> Stream::Impl::read_now(Room& room) {
  read_waits = WaitFor::nothing;
  if (reads_at_once == reads_at_once_max) return std::nullopt;
  // A read that brought less than there was room for has emptied the socket: then the wait comes first, and spares a call in vain.
  WireStep step{WaitFor::read, {}, 0};
  if (!emptied || tls) {
    step = take_what_came(room.room());
    if (step.others_first) return std::nullopt;
    if (step.wait == WaitFor::nothing) {
      ++reads_at_once;
      return Outcome(step.ec, step.bytes);
    }
  }
  room.release();
  reads_at_once = 0;
  if (!socket.is_open()) return Outcome(asio::error::operation_aborted, 0);
  read_waits = step.wait;
  return std::nullopt;
}

std::optional<Stream::Outcome> Stream::Impl::read_woken(Room& room, error_code ec) {
  if (const error_code ended = end_wait(ec); ended) return Outcome(ended, 0);
  emptied = false;
  return read_now(room);
}

Task<Stream::Outcome> Stream::write(std::span<const std::string_view> pieces, std::chrono::milliseconds stall_ms_max) {
  impl_->stall_ms_max = stall_ms_max;
  impl_->written = 0;
  return write_on(pieces);
}

std::optional<Stream::Outcome> Stream::write_now(std::span<const std::string_view> pieces, std::chrono::milliseconds stall_ms_max) {
  impl_->stall_ms_max = stall_ms_max;
  impl_->written = 0;
  const std::optional<error_code> ended = impl_->send_now(pieces);
  if (!ended) return std::nullopt;
  return std::pair(*ended, impl_->written);
}

Task<Stream::Outcome> Stream::write_on(std::span<const std::string_view> pieces) {
  impl_->note_progress();
  return Impl::write_rest(impl_, pieces);
}

/// What is left of the pieces, until it is written or fails. Empty: the socket takes no more for now.
std::optional<error_code> Stream::Impl::send_now(std::span<const std::string_view> pieces) {
  Remainder rest(pieces);
  rest.advance(written);
  while (!rest.empty()) {
    if (!socket.is_open()) return asio::error::operation_aborted;
    const WireStep step = try_write(rest);
    if (step.ec) return step.ec;
    write_waits = step.wait;
    if (step.wait != WaitFor::nothing) return std::nullopt;
    written += step.bytes;
    rest.advance(step.bytes);
  }
  return error_code();
}

/// Once: what is there, or a record of it.
WireStep Stream::Impl::try_write(const Remainder& rest) {
  if (tls) {
    const std::string_view bytes = rest.front();
    if (bytes.size() >= record_bytes || rest.is_last()) return tls->write(bytes.data(), bytes.size());
    thread_local std::string record;
    rest.gather(record_bytes, record);
    return tls->write(record.data(), record.size());
  }
  std::array<iovec, Remainder::pieces_at_once> vectors;
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = rest.fill(vectors);
  socket.forget_edge(WaitFor::write);
  ssize_t sent = 0;
  do sent = ::sendmsg(socket.descriptor(), &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {WaitFor::nothing, {}, static_cast<std::size_t>(sent)};
  if (errno == EAGAIN) return {WaitFor::write, {}, 0};
  return {WaitFor::nothing, os_error(errno), 0};
}

Task<Stream::Outcome> Stream::Impl::write_rest(std::shared_ptr<Impl> self, std::span<const std::string_view> pieces) {
  for (;;) {
    const std::size_t before = self->written;
    const std::optional<error_code> ended = self->send_now(pieces);
    if (ended) co_return Outcome(*ended, self->written);
    if (self->written > before) self->note_progress();
    const auto [woken] = co_await wait(self, PolledSocket::Who::writer);
    if (const error_code ec = self->end_wait(woken); ec) co_return Outcome(ec, self->written);
  }
}

void Stream::set_deadline(SteadyTime deadline) {
  impl_->deadline = deadline;
  if (impl_->is_waiting()) Impl::arm(impl_);
}

void Stream::clear_deadline() { impl_->deadline = SteadyTime::max(); }

void Stream::Impl::close(bool with_reset) {
  if (watch) watch->gone = nullptr;
  if (!socket.is_open()) return;
  const linger drop_all{1, 0};
  if (with_reset)
    ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_LINGER, &drop_all, sizeof drop_all);
  else if (tls)
    tls->say_goodbye();
  socket.close();
  timer.cancel();
}

void Stream::close() { impl_->close(false); }
void Stream::reset() { impl_->close(true); }

void Stream::shutdown_write() {
  if (!is_open()) return;
  if (impl_->tls) impl_->tls->say_goodbye();
  ::shutdown(impl_->socket.descriptor(), SHUT_WR);
}

bool Stream::is_open() const { return impl_->socket.is_open(); }

bool Stream::is_quiet() {
  if (!is_open() || (impl_->watch && (!impl_->watch->kept.empty() || impl_->watch->kept_end))) return false;
  if (impl_->tls) return impl_->tls->is_quiet();
  char byte = 0;
  return ::recv(impl_->socket.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void Stream::watch(std::function<void()> gone) {
  if (!impl_->watch) impl_->watch = std::make_unique<Impl::Watch>();
  impl_->watch->gone = std::move(gone);
  if (impl_->tls || !impl_->emptied) impl_->socket.assume_edge();  // of what came already, none will come any more
  Impl::look_on(impl_);
}

void Stream::stop_watch() {
  if (!impl_->watch || !impl_->watch->gone) return;
  impl_->watch->gone = nullptr;
  impl_->socket.leave(PolledSocket::Who::watcher);
}

void Stream::Impl::look_on(const std::shared_ptr<Impl>& self, WaitFor what) {
  if (!self->socket.is_open() || self->socket.is_waiting(PolledSocket::Who::watcher)) return;
  auto look = [self](error_code ec) {
    Watch& watch = *self->watch;
    if (ec || !watch.gone || !self->socket.is_open()) return;
    self->emptied = false;
    if (self->tls) self->tls->expect_more();
    if (const WaitFor next = self->keep_what_came(); next != WaitFor::nothing) return look_on(self, next);
    const std::function<void()> tell = std::exchange(watch.gone, nullptr);
    tell();
  };
  self->socket.wait(PolledSocket::Who::watcher, what, std::make_unique<WaiterOf<decltype(look)>>(std::move(look)));
}

/// For what to look on: nothing, if the peer's bytes have ended.
WaitFor Stream::Impl::keep_what_came() {
  std::array<char, 4096> bytes;
  while (watch->kept.size() < kept_bytes_max) {
    const WireStep step = try_read(bytes.data(), bytes.size());
    if (step.wait != WaitFor::nothing) return step.wait;
    if (step.others_first) {
      socket.assume_edge();
      return WaitFor::read;
    }
    watch->kept_end = step.ec;
    if (step.ec) return WaitFor::nothing;
    watch->kept.append(bytes.data(), step.bytes);
  }
  if (!socket.is_broken()) return WaitFor::reset;
  watch->kept_end = asio::error::connection_reset;
  return WaitFor::nothing;
}

bool Stream::has_unread() {
  if (!is_open()) return false;
  if (impl_->watch && !impl_->watch->kept.empty()) return true;
  if (impl_->tls && impl_->tls->has_unread()) return true;
  char byte = 0;
  return ::recv(impl_->socket.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

const Executor& Stream::executor() const { return impl_->socket.executor(); }

}  // namespace fairlead::net
