#include "net/tls.h"

#include "wire/pem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace fairlead::net {

namespace {

using Session = std::pair<const std::string, SslSessionPtr>;

constexpr unsigned char alpn_http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int session_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

SslContextPtr make_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_read_ahead(context.get(), 1);  // a record's header and the rest of it by one call
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

Error config_error(std::string message) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  if (reason != nullptr) message.append(": ").append(reason);
  ERR_clear_error();
  return Error(ErrorKind::config, ErrorOrigin::fairlead, std::move(message));
}

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, alpn_http11, sizeof alpn_http11, in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::string_view verify_failure(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "its certificate is not valid yet";
    case X509_V_ERR_HOSTNAME_MISMATCH: return "its certificate is for another host name";
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "its certificate is for another address";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "its certificate is self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate is from an unknown authority, or its chain is incomplete";
    case X509_V_ERR_INVALID_PURPOSE: return "its certificate is not for servers";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return "its certificate is too weak";
    default: return X509_verify_cert_error_string(result);
  }
}

/// Takes all certificates of the text for CAs. False: there is none, or one is broken.
bool trust(SSL_CTX* context, std::string_view pem) {
  const auto certificates = wire::read_certificates(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  return !certificates.empty() && std::all_of(certificates.begin(), certificates.end(), [&](const wire::Certificate& certificate) {
    return X509_STORE_add_cert(store, certificate.get()) == 1;
  });
}

}  // namespace

TlsClient::TlsClient(SslContextPtr context) : context_(std::move(context)) {}

Result<std::unique_ptr<TlsClient>> TlsClient::make(std::string_view ca_pem) {
  ERR_clear_error();
  SslContextPtr context = make_context(TLS_client_method());
  if (!context) return config_error("TLS cannot be set up");
  const bool trusts = ca_pem.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1 : trust(context.get(), ca_pem);
  if (!trusts) return config_error("the CAs cannot be read");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_set_alpn_protos(context.get(), alpn_http11, sizeof alpn_http11) != 0) return config_error("TLS cannot be set up");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), &TlsClient::remember);
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(context)));
}

int TlsClient::remember(SSL* ssl, SSL_SESSION* session) {
  auto* place = static_cast<Session*>(SSL_get_ex_data(ssl, session_index()));
  if (place == nullptr) return 0;
  place->second.reset(session);
  return 1;
}

SslPtr TlsClient::connect(const std::string& host, std::uint16_t port) {
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return ssl;
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
  // A check that cannot be set up must not become no check.
  if (!is_address &&
      (host.empty() || SSL_set1_host(ssl.get(), host.c_str()) != 1 || SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1))
    return nullptr;
  Session& session = *sessions_.try_emplace(host + ":" + std::to_string(port)).first;
  SSL_set_ex_data(ssl.get(), session_index(), &session);
  if (session.second && SSL_SESSION_is_resumable(session.second.get()) == 1) SSL_set_session(ssl.get(), session.second.get());
  SSL_set_connect_state(ssl.get());
  ERR_clear_error();
  return ssl;
}

TlsServer::TlsServer(SslContextPtr context) : context_(std::move(context)) {}

Result<std::unique_ptr<TlsServer>> TlsServer::make(const std::string& certificate, const std::string& private_key) {
  ERR_clear_error();
  SslContextPtr context = make_context(TLS_server_method());
  if (!context) return config_error("TLS cannot be set up");
  SSL_CTX_set_default_passwd_cb(context.get(), wire::no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1)
    return config_error("the certificate cannot be read");
  if (SSL_CTX_use_PrivateKey_file(context.get(), private_key.c_str(), SSL_FILETYPE_PEM) != 1)
    return config_error("the private key cannot be read, or is not the certificate's");
  SSL_CTX_set_alpn_select_cb(context.get(), select_http11, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets do it, without memory here
  return std::unique_ptr<TlsServer>(new TlsServer(std::move(context)));
}

SslPtr TlsServer::accept() const {
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

std::string handshake_failure(const SSL* ssl) {
  const long verified = SSL_get_verify_result(ssl);
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string why = "the TLS handshake failed";
  if (verified != X509_V_OK)
    why.append(": ").append(verify_failure(verified));
  else if (reason != nullptr)
    why.append(": ").append(reason);
  ERR_clear_error();
  return why;
}

}  // namespace fairlead::net
