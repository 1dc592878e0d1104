#pragma once
// TLS configurations: of the providers' side (always verified, there is no off switch) and of a listener. A TlsClient belongs to
// one worker's thread; a TlsServer may be shared.
#include <fairlead/result.h>

#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::net {

struct SslFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, SslFree>;
using SslPtr = std::unique_ptr<SSL, SslFree>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, SslFree>;

/// Verifies the chain against the CAs that it was given, and the host by the certificate's SAN alone. Remembers one session per
/// address.
class TlsClient {
 public:
  /// `ca_pem`: certificates; empty: the system's store. Errors: config (unreadable, or no certificate in it).
  static Result<std::unique_ptr<TlsClient>> make(std::string_view ca_pem);

  /// A connection's TLS, ready to shake hands: SNI and SAN check for a name, the IP's SAN for an address. Null: out of memory.
  SslPtr connect(const std::string& host, std::uint16_t port);

 private:
  explicit TlsClient(SslContextPtr context);
  static int remember(SSL* ssl, SSL_SESSION* session);

  SslContextPtr context_;
  std::map<std::string, SslSessionPtr> sessions_;  ///< by "host:port"
};

/// A listener's certificate. Immutable; made anew by each reload.
class TlsServer {
 public:
  /// PEM files: the chain from the leaf on, and its key. Errors: config (unreadable, or they do not belong together).
  static Result<std::unique_ptr<TlsServer>> make(const std::string& certificate, const std::string& private_key);

  SslPtr accept() const;

 private:
  explicit TlsServer(SslContextPtr context);
  SslContextPtr context_;
};

/// Why a handshake failed, in words that name no host and no file. Takes the thread's OpenSSL error queue.
std::string handshake_failure(const SSL* ssl);

}  // namespace fairlead::net
