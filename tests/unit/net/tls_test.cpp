#include "net/tls.h"

#include "unit/net/asking.h"
#include "unit/net/certificates.h"

#include <openssl/err.h>

#include <fstream>

namespace fairlead::net::test {
namespace {

/// Shakes hands in memory. True: both sides are content, and the client has read what the server said after it.
bool shake_hands(SSL* client, SSL* server) {
  BIO *one = nullptr, *other = nullptr;
  BIO_new_bio_pair(&one, 0, &other, 0);
  SSL_set_bio(client, one, one);
  SSL_set_bio(server, other, other);
  int client_done = 0, server_done = 0;
  for (int round = 0; round < 20 && (client_done != 1 || server_done != 1); ++round) {
    client_done = SSL_do_handshake(client);
    server_done = SSL_do_handshake(server);
  }
  ERR_clear_error();
  char byte = 0;
  return client_done == 1 && server_done == 1 && SSL_write(server, "x", 1) == 1 && SSL_read(client, &byte, 1) == 1;
}

struct HandshakeCase {
  std::string name, host;
  Wanted certificate;
  enum Issuer { our_ca, other_ca, itself, unknown_intermediate } issuer;
  std::string why;  ///< a part of the reason; empty: it must succeed
};

class TlsMatrix : public ::testing::Test {
 protected:
  /// The client's reason, or empty; `heard` gets what the server heard after the handshake.
  std::string try_handshake(const HandshakeCase& test) {
    const Identity other_ca = make_identity({"other CA", "", -1, 30, true});
    const Identity intermediate = make_identity({"intermediate", "", -1, 30, true}, &pki.ca);
    const std::array<const Identity*, 4> issuers = {&pki.ca, &other_ca, nullptr, &intermediate};
    const Identity leaf = make_identity(test.certificate, issuers.at(test.issuer));
    write_certificate(pki.certificate_file, leaf);
    write_key(pki.key_file, leaf);
    const auto server_tls = std::move(*TlsServer::make(pki.certificate_file, pki.key_file));
    const auto client_tls = std::move(*TlsClient::make(pki.ca_pem));

    heard.clear();
    ScriptedServer server(loop, {[this](Stream& stream) -> Task<void> { heard = co_await hear_all(stream); }}, server_tls.get());
    TcpSocket socket(loop.executor());
    socket.connect({asio::ip::address_v4::loopback(), server.port()});
    Stream stream(std::move(socket));
    stream.set_deadline(in(hang));
    std::string why;
    const error_code ec = loop.finish(stream.handshake_client(*client_tls, test.host, 443, why));
    if (!ec) loop.finish(say(stream, "request"));
    stream.close();
    loop.run_until([&] { return server.closed() == 1; });
    return ec ? why + " (failed)" : "";
  }

  Loop loop;
  Pki pki;
  std::string heard;
};

// M42
TEST_F(TlsMatrix, OnlyAValidCertificateForTheHostIsTrusted) {
  using C = HandshakeCase;
  const std::vector<HandshakeCase> cases = {
      {"the right name", "api.test", {"x", "DNS:api.test"}, C::our_ca, ""},
      {"one of several names", "api.test", {"x", "DNS:a.test,DNS:api.test"}, C::our_ca, ""},
      {"name in capitals", "API.test", {"x", "DNS:api.test"}, C::our_ca, ""},
      {"wildcard of one level", "api.test.example", {"x", "DNS:*.test.example"}, C::our_ca, ""},
      {"the right address", "127.0.0.1", {"x", "IP:127.0.0.1"}, C::our_ca, ""},
      {"the right IPv6 address", "::1", {"x", "IP:::1"}, C::our_ca, ""},
      {"expired", "api.test", {"x", "DNS:api.test", -9, -2}, C::our_ca, "expired"},
      {"not yet valid", "api.test", {"x", "DNS:api.test", 2, 9}, C::our_ca, "not valid yet"},
      {"wrong host", "api.test", {"x", "DNS:other.test"}, C::our_ca, "another host name"},
      {"self-signed", "api.test", {"x", "DNS:api.test"}, C::itself, "self-signed"},
      {"unknown authority", "api.test", {"x", "DNS:api.test"}, C::other_ca, "unknown authority"},
      {"chain without its middle", "api.test", {"x", "DNS:api.test"}, C::unknown_intermediate, "chain is incomplete"},
      {"name in the subject alone", "api.test", {"api.test", ""}, C::our_ca, "another host name"},
      {"name in the subject, another in the SAN", "api.test", {"api.test", "DNS:other.test"}, C::our_ca, "another host name"},
      {"wildcard two levels up", "a.b.test", {"x", "DNS:*.test"}, C::our_ca, "another host name"},
      {"wildcard for the bare name", "test.example", {"x", "DNS:*.test.example"}, C::our_ca, "another host name"},
      {"partial wildcard", "api1.test.example", {"x", "DNS:api*.test.example"}, C::our_ca, "another host name"},
      {"wrong address", "127.0.0.1", {"x", "IP:127.0.0.2"}, C::our_ca, "another address"},
      {"address as a name", "127.0.0.1", {"x", "DNS:127.0.0.1"}, C::our_ca, "another address"},
      {"address in the subject", "127.0.0.1", {"127.0.0.1", ""}, C::our_ca, "another address"},
      {"name for an address", "127.0.0.1", {"x", "DNS:localhost"}, C::our_ca, "another address"},
      {"no host at all", "", {"x", "DNS:api.test"}, C::our_ca, "cannot be set up"},
  };
  for (const HandshakeCase& test : cases) {
    SCOPED_TRACE(test.name);
    const std::string why = try_handshake(test);
    if (test.why.empty()) {
      EXPECT_EQ(why, "");
      EXPECT_EQ(heard, "request");
    } else {
      EXPECT_NE(why.find(test.why), std::string::npos) << why;
      EXPECT_EQ(heard, "");
      EXPECT_TRUE(test.host.empty() || why.find(test.host) == std::string::npos) << why;
    }
  }
}

class TlsTest : public Asking {
 protected:
  void SetUp() override {
    server_tls = std::move(*TlsServer::make(pki.certificate_file, pki.key_file));
    provider.base_url.tls = true;
    provider.ca_file = pki.ca_file;
    provider.ca_pem = pki.ca_pem;
  }

  Pki pki;
  std::unique_ptr<TlsServer> server_tls;
};

TEST_F(TlsTest, AsksOverTlsAndUsesTheConnectionAgain) {
  ScriptedServer server(loop, {answering({whole("a"), whole("b")})}, server_tls.get());
  connect_to(server);
  EXPECT_EQ(ask().body, "a");
  const Got again = ask();
  EXPECT_EQ(again.body, "b");
  EXPECT_TRUE(again.report.connection_reused);
}

TEST_F(TlsTest, AHandshakeThatFailsIsUpstreamTlsAndSendsNothing) {
  provider.ca_file.clear();
  provider.ca_pem.clear();  // the system's store does not know our CA
  std::string heard;
  ScriptedServer server(loop, {answering({whole("never")}, &heard)}, server_tls.get());
  connect_to(server);
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_tls");
  EXPECT_EQ(got.error->retry, Retry::before_commit);
  EXPECT_NE(got.error->detail().find("unknown authority"), std::string::npos) << got.error->detail();
  EXPECT_EQ(got.error->message().find("127.0.0.1"), std::string::npos);
  EXPECT_FALSE(got.report.bytes_sent);
  EXPECT_EQ(heard, "");
}

TEST_F(TlsTest, APeerWithoutTlsIsUpstreamTls) {
  ScriptedServer server(loop, {answering_then_closing("HTTP/1.1 400 Bad\r\n\r\n"), [](Stream&) -> Task<void> { co_return; }});
  connect_to(server);
  const auto speak_first = [](Stream& stream) -> Task<void> {
    co_await say(stream, "SSH-2.0-x\r\n");
    co_await hear_all(stream);
  };
  ScriptedServer speaking(loop, {speak_first});
  provider.base_url.port = speaking.port();
  EXPECT_EQ(ask().kind(), "upstream_tls");
  ScriptedServer closing(loop, {[](Stream&) -> Task<void> { co_return; }});
  connect_to(closing);
  EXPECT_EQ(ask().kind(), "upstream_tls");
}

TEST_F(TlsTest, CasThatCannotBeReadAreUpstreamTls) {
  ScriptedServer server(loop, {silent()}, server_tls.get());
  connect_to(server);
  for (const std::string& pem : {std::string(), std::string("no certificate"), pki.ca_pem + "-----BEGIN CERTIFICATE-----\nAA\n"}) {
    provider.ca_pem = pem;
    EXPECT_EQ(ask().kind(), "upstream_tls") << pem;
  }
  EXPECT_EQ(server.accepted(), 0);
}

TEST_F(TlsTest, ACaFileCountsAsTheConfigurationHasReadIt) {
  ScriptedServer server(loop, {answering({whole("a"), whole("b")}), answering({whole("c")}), silent()}, server_tls.get());
  connect_to(server);
  EXPECT_EQ(ask().body, "a");
  write_certificate(pki.ca_file, make_identity({"other CA", "", -1, 30, true}));
  std::filesystem::last_write_time(pki.ca_file, std::filesystem::file_time_type::clock::now() + 1h);
  EXPECT_EQ(ask().body, "b") << "on the same connection";
  pool->close_idle();
  EXPECT_EQ(ask().body, "c") << "nobody has looked the new one through";
  provider.ca_pem = text_of_file(pki.ca_file);
  EXPECT_EQ(ask().kind(), "upstream_tls") << "not on a connection that was kept";
}

TEST_F(TlsTest, AllCasOfATextAreTrusted) {
  ScriptedServer server(loop, {answering({whole("a")})}, server_tls.get());
  connect_to(server);
  write_certificate(pki.ca_file, make_identity({"other CA", "", -1, 30, true}));
  provider.ca_pem = "# two of them\n" + text_of_file(pki.ca_file) + pki.ca_pem;
  EXPECT_EQ(ask().body, "a");
}

TEST_F(TlsTest, ASessionIsResumedAtItsOwnAddressOnly) {
  const auto client_tls = std::move(*TlsClient::make(pki.ca_pem));
  const auto resumed = [&](const std::string& host, std::uint16_t port) {
    const SslPtr client = client_tls->connect(host, port), server = server_tls->accept();
    EXPECT_TRUE(shake_hands(client.get(), server.get()));
    const bool reused = SSL_session_reused(client.get()) == 1;
    SSL_shutdown(client.get());
    return reused;
  };
  EXPECT_FALSE(resumed("localhost", 443));
  EXPECT_TRUE(resumed("localhost", 443));
  EXPECT_TRUE(resumed("localhost", 443));
  EXPECT_FALSE(resumed("127.0.0.1", 443));
  EXPECT_FALSE(resumed("localhost", 444));
}

TEST_F(TlsTest, SaysTheNameButNoAddressAndAgreesOnHttp11) {
  const auto client_tls = std::move(*TlsClient::make(pki.ca_pem));
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    const SslPtr client = client_tls->connect(host, 443), server = server_tls->accept();
    ASSERT_TRUE(shake_hands(client.get(), server.get()));
    const char* name = SSL_get_servername(server.get(), TLSEXT_NAMETYPE_host_name);
    EXPECT_EQ(name == nullptr ? "" : std::string(name), host == "localhost" ? host : "");
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.get(), &protocol, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), size), "http/1.1");
  }
}

TEST_F(TlsTest, SpeaksTls12AndNothingOlder) {
  const auto client_tls = std::move(*TlsClient::make(pki.ca_pem));
  for (const auto& [version, works] : {std::pair(TLS1_3_VERSION, true), {TLS1_2_VERSION, true}, {TLS1_1_VERSION, false}}) {
    const SslPtr client = client_tls->connect("localhost", 443), server = server_tls->accept();
    SSL_set_security_level(server.get(), 0);
    SSL_set_min_proto_version(server.get(), TLS1_VERSION);
    SSL_set_max_proto_version(server.get(), version);
    EXPECT_EQ(shake_hands(client.get(), server.get()), works) << version;
  }
}

TEST_F(TlsTest, AServerNeedsACertificateAndItsOwnKey) {
  EXPECT_FALSE(TlsServer::make(pki.folder.file("absent"), pki.key_file));
  EXPECT_FALSE(TlsServer::make(pki.certificate_file, pki.folder.file("absent")));
  const std::string other_key = pki.folder.file("other.key");
  write_key(other_key, pki.ca);
  EXPECT_FALSE(TlsServer::make(pki.certificate_file, other_key));
  const std::string locked_key = pki.folder.file("locked.key");
  std::FILE* file = std::fopen(locked_key.c_str(), "w");
  const std::string phrase = "x";
  PEM_write_PrivateKey(file, pki.leaf.key.get(), EVP_aes_128_cbc(), reinterpret_cast<const unsigned char*>(phrase.data()), 1,
                       nullptr, nullptr);
  std::fclose(file);
  const auto locked = TlsServer::make(pki.certificate_file, locked_key);
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().kind, ErrorKind::config);
}

TEST_F(TlsTest, AClientNeedsACertificateWhereItIsGivenAText) {
  EXPECT_TRUE(TlsClient::make(""));
  const auto made = TlsClient::make("\n");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::config);
}

}  // namespace
}  // namespace fairlead::net::test
