#include "net/tls_wire.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>

namespace fairlead::net {

namespace {

using boost::system::error_code;

// A BIO of our own, since OpenSSL's socket BIO writes without MSG_NOSIGNAL.
constexpr int bio_type = BIO_TYPE_SOURCE_SINK | 0x7f;

// OpenSSL reads on until a record is somebody's: a peer whose records say nothing (session tickets, HelloRequests), as fast as they
// are read, would never let it return. One receive fills its buffer, which is room for a whole record.
constexpr int receives_of_a_read = 1;
constexpr int receives_of_a_look = 4;

/// What earlier calls left. To clear the queue touches all of its places, 600 instructions, so it is looked at first.
void clear_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

int size_of(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

}  // namespace

int TlsWire::send_bytes(BIO* bio, const char* bytes, int size) {
  auto& wire = *static_cast<TlsWire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t sent = 0;
  do sent = ::send(wire.socket_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return static_cast<int>(sent);
  if (errno == EAGAIN)
    BIO_set_retry_write(bio);
  else
    wire.os_error_ = errno;
  return -1;
}

int TlsWire::receive_bytes(BIO* bio, char* bytes, int size) {
  auto& wire = *static_cast<TlsWire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (std::exchange(wire.emptied_, false) && !wire.asked_) return BIO_set_retry_read(bio), -1;
  if (wire.receives_left_ == 0) {
    wire.held_back_ = true;
    return BIO_set_retry_read(bio), -1;
  }
  if (wire.receives_left_ > 0) --wire.receives_left_;
  ssize_t received = 0;
  do received = ::recv(wire.socket_, bytes, static_cast<std::size_t>(size), 0);
  while (received < 0 && errno == EINTR);
  if (received > 0) {
    wire.emptied_ = received < size;
    return static_cast<int>(received);
  }
  if (received == 0)
    wire.ended_ = true;
  else if (errno == EAGAIN)
    BIO_set_retry_read(bio);
  else
    wire.os_error_ = errno;
  return received == 0 ? 0 : -1;
}

long TlsWire::control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<TlsWire*>(BIO_get_data(bio))->ended_ ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* TlsWire::method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* fresh = BIO_meth_new(bio_type, "fairlead socket");
    BIO_meth_set_write(fresh, send_bytes);
    BIO_meth_set_read(fresh, receive_bytes);
    BIO_meth_set_ctrl(fresh, control);
    return fresh;
  }();
  return made;
}

TlsWire::TlsWire(SslPtr ssl, int socket) : ssl_(std::move(ssl)), socket_(socket) {
  BIO* bio = BIO_new(method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

WireStep TlsWire::outcome(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {WaitFor::read, {}, 0};
    case SSL_ERROR_WANT_WRITE: return {WaitFor::write, {}, 0};
    case SSL_ERROR_ZERO_RETURN: return {WaitFor::nothing, boost::asio::error::eof, 0};
    default: break;
  }
  broken_ = true;
  if (os_error_ != 0) return {WaitFor::nothing, error_code(os_error_, boost::asio::error::get_system_category()), 0};
  if (ended_) return {WaitFor::nothing, boost::asio::error::eof, 0};
  return {WaitFor::nothing, boost::system::errc::make_error_code(boost::system::errc::protocol_error), 0};
}

WireStep TlsWire::handshake(std::string& why) {
  clear_errors();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    ready_ = true;
    return {};
  }
  const WireStep step = outcome(result);
  if (step.ec)
    why = os_error_ != 0 || ended_ ? "the connection was closed during the TLS handshake" : handshake_failure(ssl_.get());
  return step;
}

/// Of a header that came in part, SSL_has_pending() tells.
bool TlsWire::is_between_records() const { return std::string_view(SSL_rstate_string(ssl_.get())) == "RH"; }

/// A session ticket makes OpenSSL take room for a record to write, which it would give back with the next write alone. Not within a
/// record that has begun: versions before 3.0.14 free what they still use then (CVE-2024-4741).
void TlsWire::give_room_back() {
  if (is_between_records()) SSL_free_buffers(ssl_.get());
}

WireStep TlsWire::read(void* bytes, std::size_t size) {
  if (emptied_ && SSL_has_pending(ssl_.get()) == 0) {  // OpenSSL would take room for a record to find that out
    emptied_ = false;
    give_room_back();
    return {WaitFor::read, {}, 0};
  }
  clear_errors();
  receives_left_ = receives_of_a_read;
  held_back_ = false;
  const int result = SSL_read(ssl_.get(), bytes, size_of(size));
  receives_left_ = -1;
  if (result > 0) return {WaitFor::nothing, {}, static_cast<std::size_t>(result)};
  WireStep step = outcome(result);
  if (step.wait != WaitFor::read) return step;
  give_room_back();
  if (held_back_) step = {WaitFor::nothing, {}, 0, true};
  return step;
}

WireStep TlsWire::write(const void* bytes, std::size_t size) {
  clear_errors();
  const int result = SSL_write(ssl_.get(), bytes, size_of(size));
  if (result > 0) return {WaitFor::nothing, {}, static_cast<std::size_t>(result)};
  return outcome(result);
}

void TlsWire::say_goodbye() {
  if (!ready_ || broken_) return;
  clear_errors();
  SSL_shutdown(ssl_.get());
  broken_ = true;
  clear_errors();
}

bool TlsWire::is_quiet() {
  char byte = 0;
  clear_errors();
  asked_ = true;
  receives_left_ = receives_of_a_look;
  held_back_ = false;
  const int result = SSL_peek(ssl_.get(), &byte, 1);
  receives_left_ = -1;
  asked_ = false;
  if (result > 0 || outcome(result).wait != WaitFor::read || held_back_) return false;
  return is_between_records() && !has_unread();  // what has begun may be whole before the next answer comes, and be taken for it
}

}  // namespace fairlead::net
