#pragma once
// The far side of a TLS connection, byte by byte: records are made, and go out when and in the parts that the test says.
#include "net/tls.h"

#include "unit/net/script.h"

#include <openssl/bio.h>
#include <boost/asio/write.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::net::test {

class RecordPeer {
 public:
  RecordPeer(TcpSocket socket, SslPtr ssl)
      : socket_(std::move(socket)), ssl_(std::move(ssl)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_.get(), in_, out_);
    socket_.set_option(asio::ip::tcp::no_delay(true));
  }

  Task<void> shake_hands() {
    for (;;) {
      const int done = SSL_do_handshake(ssl_.get());
      co_await send(made());
      if (done == 1) co_return;
      std::array<char, 4096> bytes;
      error_code ec;
      const std::size_t count =
          co_await socket_.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable_t<Executor>(), ec));
      if (ec) throw std::runtime_error("the handshake failed: " + ec.message());
      BIO_write(in_, bytes.data(), static_cast<int>(count));
    }
  }

  /// The bytes of a record that holds this.
  std::string record(std::string_view text) {
    if (SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) <= 0) throw std::runtime_error("SSL_write");
    return made();
  }
  /// Records that say nothing to whoever reads.
  std::string tickets(int count) {
    for (int i = 0; i < count; ++i)
      if (SSL_new_session_ticket(ssl_.get()) != 1 || SSL_do_handshake(ssl_.get()) != 1)
        throw std::runtime_error("SSL_new_session_ticket");
    return made();
  }
  Task<void> send(std::string bytes) {
    error_code ec;
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable_t<Executor>(), ec));
  }
  void close() { socket_.close(); }

 private:
  std::string made() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

  TcpSocket socket_;
  SslPtr ssl_;
  BIO *in_, *out_;  ///< owned by `ssl_`
};

}  // namespace fairlead::net::test
