#include "net/proxy.h"

#include "unit/net/asking.h"
#include "unit/net/certificates.h"

namespace fairlead::net::test {
namespace {

class ProxyTest : public Asking {
 protected:
  /// The provider is nowhere: all must go through the proxy.
  void proxy_to(const ScriptedServer& proxy) {
    provider.base_url.host = "localhost";
    provider.base_url.port = 1;
    provider.proxy = Url{false, "127.0.0.1", proxy.port(), ""};
  }
};

const std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";

/// A proxy, and the provider behind it.
Script tunnelling(std::string* heard, std::string answer, const TlsServer* tls = nullptr) {
  return [heard, answer, tls](Stream& stream) -> Task<void> {
    *heard += co_await hear_request(stream);
    co_await say(stream, established);
    std::string why;
    if (tls != nullptr) co_await stream.handshake_server(*tls, why);
    *heard += co_await hear_request(stream);
    co_await say(stream, answer);
    co_await hear_all(stream);
  };
}

TEST_F(ProxyTest, TunnelsToAPlainProvider) {
  std::string heard;
  ScriptedServer proxy(loop, {tunnelling(&heard, whole("a"))});
  proxy_to(proxy);
  provider.proxy_authorization = "user:pa:ss";
  const Got got = ask();
  EXPECT_EQ(got.kind() + got.body, "oka");
  EXPECT_EQ(heard.substr(0, heard.find("POST ")),
            "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\nProxy-Authorization: Basic dXNlcjpwYTpzcw==\r\n\r\n");
  const std::string request = heard.substr(heard.find("POST "));
  EXPECT_EQ(request.find("Proxy-Authorization"), std::string::npos);
  EXPECT_NE(request.find("Authorization: Bearer secret"), std::string::npos);
}

TEST_F(ProxyTest, TunnelsTlsToTheProviderWhoseNameIsChecked) {
  const Pki pki;
  const auto tls = std::move(*TlsServer::make(pki.certificate_file, pki.key_file));
  std::string heard;
  ScriptedServer proxy(loop, {tunnelling(&heard, whole("a"), tls.get()), tunnelling(&heard, whole("never"), tls.get())});
  proxy_to(proxy);
  provider.base_url.tls = true;
  provider.ca_file = pki.ca_file;
  provider.ca_pem = pki.ca_pem;
  EXPECT_EQ(ask().body, "a");
  EXPECT_EQ(heard.find("CONNECT localhost:1 "), 0U);

  heard.clear();
  provider.base_url.host = "elsewhere.test";
  EXPECT_EQ(ask().kind(), "upstream_tls");
  EXPECT_EQ(heard.find("POST"), std::string::npos);
}

TEST_F(ProxyTest, NothingButAClean200IsATunnel) {
  const std::vector<std::string> answers = {
      "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 502 Bad Gateway\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n",
      "HTTP/1.1 200 Conn",
      "",
      "gibberish\r\n\r\n",
      established + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
  };
  for (const std::string& answer : answers) {
    ScriptedServer proxy(loop, {answering_then_closing(answer)});
    proxy_to(proxy);
    provider.proxy_authorization = "user:canary";
    const Got got = ask();
    EXPECT_EQ(got.kind(), "upstream_connect") << answer;
    EXPECT_EQ(got.error->retry, Retry::before_commit) << answer;
    EXPECT_FALSE(got.report.bytes_sent) << answer;
    EXPECT_EQ((got.error->message() + got.error->detail()).find("canary"), std::string::npos);
  }
}

TEST_F(ProxyTest, ASilentProxyEndsAtTheConnectDeadline) {
  ScriptedServer proxy(loop, {silent()});
  proxy_to(proxy);
  provider.timeouts.connect = 5ms;
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_timeout");
  EXPECT_FALSE(got.report.bytes_sent);
}

TEST_F(ProxyTest, CancelEndsTheWaitForTheTunnel) {
  ScriptedServer proxy(loop, {silent()});
  proxy_to(proxy);
  Timer tick(loop.executor(), in(5ms));
  tick.async_wait([&](error_code) { cancel.request(); });
  EXPECT_EQ(ask().kind(), "app_gone");
  EXPECT_TRUE(loop.run_until([&] { return proxy.closed() == 1; }));
}

TEST_F(ProxyTest, TlsToTheProxyItselfIsRefused) {
  ScriptedServer proxy(loop, {silent()});
  proxy_to(proxy);
  provider.proxy->tls = true;
  EXPECT_EQ(ask().kind(), "upstream_connect");
  EXPECT_EQ(proxy.accepted(), 0);
}

TEST_F(ProxyTest, TunnelsAreKeptApartByProxyAndCredentials) {
  std::string heard;
  ScriptedServer proxy(loop, {tunnelling(&heard, whole("a")), tunnelling(&heard, whole("b"))});
  proxy_to(proxy);
  provider.proxy_authorization = "one:1";
  EXPECT_EQ(ask().body, "a");
  provider.proxy_authorization = "two:2";
  EXPECT_EQ(ask().body, "b");
}

TEST(AuthorityOf, PutsIpv6IntoBrackets) {
  EXPECT_EQ(authority_of({true, "::1", 443, ""}), "[::1]:443");
  EXPECT_EQ(authority_of({true, "api.test", 443, ""}), "api.test:443");
}

}  // namespace
}  // namespace fairlead::net::test
