#pragma once
// OpenSSL straight on a non-blocking socket: each call does what it can and says what to wait for. Used by Stream alone.
#include "net/poller.h"
#include "net/tls.h"

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>

namespace fairlead::net {

struct WireStep {
  WaitFor wait = WaitFor::nothing;
  boost::system::error_code ec;
  std::size_t bytes = 0;
  bool others_first = false;  ///< nothing came of it, but more may be there: the same call is made again once others had their turn
};

class TlsWire {
 public:
  /// `ssl` has its role; `socket` is not owned.
  TlsWire(SslPtr ssl, int socket);
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;

  WireStep handshake(std::string& why);
  WireStep read(void* bytes, std::size_t size);
  /// Bytes have come out of the socket that no read has taken.
  bool has_unread() const { return SSL_has_pending(ssl_.get()) != 0; }
  /// Something may have come since the last read.
  void expect_more() { emptied_ = false; }
  /// One record at most. After `wait` the same bytes must come again.
  WireStep write(const void* bytes, std::size_t size);
  /// A close_notify, if the connection is in a state to say it.
  void say_goodbye();
  /// Nothing to be read, nor a part of anything, and not ended. Takes in what the protocol itself sent (session tickets).
  bool is_quiet();

 private:
  static int send_bytes(BIO* bio, const char* bytes, int size);
  static int receive_bytes(BIO* bio, char* bytes, int size);
  static long control(BIO* bio, int command, long number, void* pointer);
  static BIO_METHOD* method();
  WireStep outcome(int result);
  bool is_between_records() const;
  void give_room_back();

  SslPtr ssl_;
  int socket_;
  int os_error_ = 0;        ///< of the last receive or send
  bool emptied_ = false;    ///< the last receive took all that there was, so that the next would be in vain: it waits first
  bool asked_ = false;      ///< by is_quiet(), which must know of what came since
  int receives_left_ = -1;  ///< of the call under way; less than 0: as many as it likes
  bool held_back_ = false;  ///< it wanted more of them
  bool ended_ = false;      ///< the peer's FIN was read
  bool broken_ = false;     ///< after a fatal error nothing more may be said
  bool ready_ = false;      ///< the handshake is done
};

}  // namespace fairlead::net
