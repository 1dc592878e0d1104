#include "net/framing.h"

#include "net/body.h"
#include "net/chunks.h"
#include "unit/net/second_opinion.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::net {
namespace {

using namespace std::string_literals;

enum class Verdict { pass, refuse, too_large };

struct HeadCase {
  const char* what;
  std::string bytes;
  Verdict verdict;
};

/// A request with these fields besides Host.
std::string post(const std::string& fields) { return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }
std::string get_bytes(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; }
std::string with_host(const std::string& host) { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"; }

std::string many_fields(std::size_t count) {
  std::string fields;
  for (std::size_t i = 0; i < count; ++i) fields += "X: y\r\n";
  return fields;
}

// The written table: what the apps' side takes and what it refuses with 400 (too_large: 431) and a close. M52, M58.
const std::vector<HeadCase>& table() {
  static const std::vector<HeadCase> cases{
      // The request line.
      {"plain", get_bytes("/"), Verdict::pass},
      {"any method token goes to the handler", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::pass},
      {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", Verdict::pass},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\n", Verdict::refuse},
      {"HTTP/0.9", "GET /\r\n\r\n", Verdict::refuse},
      {"HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"http/1.1 in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Verdict::refuse},
      {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"two spaces after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"tab for space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"empty line before the request line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"method with a colon", "GET: / HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"a response", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"NUL in the request line", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, Verdict::refuse},
      // The target: origin-form only, and never decoded.
      {"query", get_bytes("/v1/models?limit=2&after=a%20b/?"), Verdict::pass},
      {"question mark without a query", get_bytes("/?"), Verdict::pass},
      {"escaped slash stays escaped", get_bytes("/v1/models/deepseek%2Fdeepseek-chat"), Verdict::pass},
      {"parameter after a semicolon", get_bytes("/v1/models;x=1"), Verdict::pass},
      {"two slashes inside", get_bytes("/v1//models"), Verdict::pass},
      {"three dots are a name", get_bytes("/..."), Verdict::pass},
      {"dots inside a segment", get_bytes("/v1/models/a..b"), Verdict::pass},
      {"dots in the query", get_bytes("/?../"), Verdict::pass},
      {"two slashes at the beginning", get_bytes("//evil/v1/models"), Verdict::refuse},
      {"dot segment", get_bytes("/v1/./models"), Verdict::refuse},
      {"dot dot segment", get_bytes("/v1/../admin"), Verdict::refuse},
      {"dot dot at the end", get_bytes("/v1/.."), Verdict::refuse},
      {"escaped dot dot", get_bytes("/v1/%2e%2E/admin"), Verdict::refuse},
      {"half escaped dot dot", get_bytes("/v1/.%2e/admin"), Verdict::refuse},
      {"absolute-form", get_bytes("http://a/v1/models"), Verdict::refuse},
      {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"authority-form", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Verdict::refuse},
      {"CONNECT with a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", Verdict::refuse},
      {"no slash", get_bytes("v1/models"), Verdict::refuse},
      {"fragment", get_bytes("/v1/models#@evil"), Verdict::refuse},
      {"backslash", get_bytes("/v1\\models"), Verdict::refuse},
      {"UTF-8", get_bytes("/v1/mod\xc3\xa9les"), Verdict::refuse},
      {"control byte", get_bytes("/v1/\x01"), Verdict::refuse},
      {"tab in the target", get_bytes("/v1/\tmodels"), Verdict::refuse},
      {"DEL", get_bytes("/v1/\x7f"), Verdict::refuse},
      {"incomplete escape", get_bytes("/v1/%2"), Verdict::refuse},
      {"escape of no digits", get_bytes("/v1/%zz"), Verdict::refuse},
      {"quote in the query", get_bytes("/?a=\"b\""), Verdict::refuse},
      // Lines.
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", Verdict::refuse},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", Verdict::refuse},
      {"bare LF as the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", Verdict::refuse},
      {"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n", Verdict::refuse},
      {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", Verdict::refuse},
      {"folded value", post("X: y\r\n z\r\n"), Verdict::refuse},
      {"folded Transfer-Encoding", post("Transfer-Encoding:\r\n chunked\r\n"), Verdict::refuse},
      {"first field folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Verdict::refuse},
      // Fields.
      {"value with obs-text", post("User-Agent: caf\xc3\xa9\r\n"), Verdict::pass},
      {"empty value", post("X:\r\n"), Verdict::pass},
      {"no space and much space around a value", post("X:y\r\nZ: \t z \t\r\n"), Verdict::pass},
      {"tab inside a value", post("X: y\tz\r\n"), Verdict::pass},
      {"underscore is another name", post("Transfer_Encoding: chunked\r\nContent_Length: 5\r\n"), Verdict::pass},
      {"100 fields", post(many_fields(fields_max - 1)), Verdict::pass},
      {"101 fields", post(many_fields(fields_max)), Verdict::too_large},
      {"space before the colon", post("Content-Length : 5\r\n"), Verdict::refuse},
      {"tab before the colon", post("Transfer-Encoding\t: chunked\r\n"), Verdict::refuse},
      {"no colon", post("Content-Length 5\r\n"), Verdict::refuse},
      {"no name", post(": x\r\n"), Verdict::refuse},
      {"name with a control byte", post("X\x0b: x\r\n"), Verdict::refuse},
      {"name in UTF-8", post("\xc3\x89: x\r\n"), Verdict::refuse},
      {"NUL in a value", post("X: a\0b\r\n"s), Verdict::refuse},
      {"DEL in a value", post("X: a\x7f\r\n"), Verdict::refuse},
      {"vertical tab in a value",
       post("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       Verdict::refuse},
      // Host.
      {"host with a port", with_host("fairlead.example:8080"), Verdict::pass},
      {"IPv6 host", with_host("[::1]:8080"), Verdict::pass},
      {"IPv6 host without a port", with_host("[::1]"), Verdict::pass},
      {"underscore in the host", with_host("fair_lead"), Verdict::pass},
      {"no host", "GET / HTTP/1.1\r\n\r\n", Verdict::refuse},
      {"no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", Verdict::refuse},
      {"empty host", with_host(""), Verdict::refuse},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Verdict::refuse},
      {"two equal hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", Verdict::refuse},
      {"two hosts in one", with_host("a, b"), Verdict::refuse},
      {"host with a path", with_host("a/admin"), Verdict::refuse},
      {"host with a user", with_host("a@b"), Verdict::refuse},
      {"host with an escape", with_host("a%2eb"), Verdict::refuse},
      {"host with a fragment", with_host("a#b"), Verdict::refuse},
      {"port of letters", with_host("a:http"), Verdict::refuse},
      {"port of six digits", with_host("a:808080"), Verdict::refuse},
      {"empty port", with_host("a:"), Verdict::refuse},
      {"IPv6 without brackets", with_host("::1"), Verdict::refuse},
      {"brackets around nothing", with_host("[]"), Verdict::refuse},
      {"space in the host", with_host("a b"), Verdict::refuse},
      // Content-Length.
      {"length", post("Content-Length: 5\r\n"), Verdict::pass},
      {"length of zero", post("Content-Length: 0\r\n"), Verdict::pass},
      {"leading zeros are decimal", post("Content-Length: 0010\r\n"), Verdict::pass},
      {"body with GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", Verdict::pass},
      {"19 digits", post("Content-Length: 9999999999999999999\r\n"), Verdict::pass},
      {"20 digits", post("Content-Length: 10000000000000000000\r\n"), Verdict::refuse},
      {"64 bits and more", post("Content-Length: 18446744073709551621\r\n"), Verdict::refuse},
      {"two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n"), Verdict::refuse},
      {"two equal lengths", post("Content-Length: 5\r\nContent-Length: 5\r\n"), Verdict::refuse},
      {"two lengths in one", post("Content-Length: 5, 5\r\n"), Verdict::refuse},
      {"plus", post("Content-Length: +5\r\n"), Verdict::refuse},
      {"minus", post("Content-Length: -5\r\n"), Verdict::refuse},
      {"hexadecimal", post("Content-Length: 0x5\r\n"), Verdict::refuse},
      {"decimal point", post("Content-Length: 5.0\r\n"), Verdict::refuse},
      {"underscore", post("Content-Length: 1_0\r\n"), Verdict::refuse},
      {"space inside", post("Content-Length: 1 0\r\n"), Verdict::refuse},
      {"empty length", post("Content-Length:\r\n"), Verdict::refuse},
      {"quoted length", post("Content-Length: \"5\"\r\n"), Verdict::refuse},
      // Transfer-Encoding.
      {"chunked", post("Transfer-Encoding: chunked\r\n"), Verdict::pass},
      {"chunked in any case", post("transfer-encoding: Chunked\r\n"), Verdict::pass},
      {"chunked with spaces around", post("Transfer-Encoding: \t chunked \r\n"), Verdict::pass},
      {"length, then chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Verdict::refuse},
      {"chunked, then length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Verdict::refuse},
      {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Verdict::refuse},
      {"chunked twice in one", post("Transfer-Encoding: chunked, chunked\r\n"), Verdict::refuse},
      {"identity", post("Transfer-Encoding: identity\r\n"), Verdict::refuse},
      {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), Verdict::refuse},
      {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n"), Verdict::refuse},
      {"identity and chunked apart", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), Verdict::refuse},
      {"xchunked", post("Transfer-Encoding: xchunked\r\n"), Verdict::refuse},
      {"chunked with a parameter", post("Transfer-Encoding: chunked;q=1\r\n"), Verdict::refuse},
      {"quoted chunked", post("Transfer-Encoding: \"chunked\"\r\n"), Verdict::refuse},
      {"comma before chunked", post("Transfer-Encoding: ,chunked\r\n"), Verdict::refuse},
      {"empty coding", post("Transfer-Encoding:\r\n"), Verdict::refuse},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", Verdict::refuse},
      // Others of which there is one.
      {"Expect", post("Expect: 100-Continue\r\nContent-Length: 5\r\n"), Verdict::pass},
      {"another expectation", post("Expect: 200-ok\r\n"), Verdict::refuse},
      {"two expectations", post("Expect: 100-continue\r\nExpect: 100-continue\r\n"), Verdict::refuse},
      {"two Authorizations", post("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), Verdict::refuse},
      {"two Content-Types", post("Content-Type: a/b\r\nContent-Type: a/b\r\n"), Verdict::refuse},
      {"two Content-Encodings", post("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"), Verdict::refuse},
      {"two Accepts are a list", post("Accept: a/b\r\nAccept: c/d\r\n"), Verdict::pass},
      // An upgrade is never answered with 101, so what follows is HTTP/1.1 to everybody. Java's client asks for h2c by default.
      {"h2c upgrade is ignored", post("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
       Verdict::pass},
      {"WebSocket upgrade is ignored", post("Connection: upgrade\r\nUpgrade: websocket\r\n"), Verdict::pass},
      {"Connection of empty elements", post("Connection: , close,,\r\nProxy-Connection: keep-alive\r\n"), Verdict::pass},
      {"Connection that is no list", post("Connection: close keep-alive\r\n"), Verdict::refuse},
      {"Connection naming other fields", post("Connection: close, Host, Content-Length\r\nContent-Length: 5\r\n"), Verdict::pass},
  };
  return cases;
}

Verdict verdict_of(const Result<Head>& head) {
  if (head) return Verdict::pass;
  return head.error().kind == ErrorKind::head_too_large ? Verdict::too_large : Verdict::refuse;
}

TEST(Framing, TheTable) {
  for (const HeadCase& c : table()) {
    EXPECT_EQ(verdict_of(parse_head(c.bytes)), c.verdict) << c.what;
  }
}

TEST(Framing, BeastAgreesWithEverythingThatTheGrammarPasses) {
  for (const HeadCase& c : table()) {
    const Result<Head> head = parse_head(c.bytes);
    EXPECT_TRUE(!head || beast_agrees(*head, c.bytes)) << c.what;
  }
}

TEST(Framing, ACutHeadIsNeverAHead) {
  const std::string whole = post("Content-Length: 5\r\nX: y\r\n");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_FALSE(parse_head(whole.substr(0, cut))) << cut;
    const auto end = find_head_end(std::string_view(whole).substr(0, cut), cut == 0 ? 0 : cut - 1);
    ASSERT_TRUE(end) << cut;
    EXPECT_EQ(*end, 0u) << cut;
  }
}

TEST(Framing, TheEndOfTheHeadIsFoundWhereverTheBytesAreCut) {
  const std::string head = post("X: y\r\n");
  const std::string bytes = head + "body\r\n\r\n";
  for (std::size_t looked_at = 0; looked_at < head.size(); ++looked_at) {
    const auto end = find_head_end(bytes, looked_at);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, head.size()) << looked_at;
  }
}

TEST(Framing, WhatCannotBecomeAHeadIsKnownAtOnce) {
  EXPECT_FALSE(find_head_end("GET / HTTP/1.1\n", 0));
  EXPECT_FALSE(find_head_end("\x16\x03\x01", 0)) << "a TLS ClientHello on a plain port";
  EXPECT_FALSE(find_head_end("\r\n", 0));
  EXPECT_FALSE(find_head_end("\n", 0));
}

TEST(Framing, TheHeadIsReadAsItIs) {
  const std::string bytes =
      "POST /v1/chat%2Fx?a=b?c HTTP/1.1\r\nHost: a\r\nContent-Length:  12 \r\nExpect: 100-continue\r\nX-Two:  a b\t\r\nConnection: "
      "close\r\n\r\n";
  const Result<Head> head = parse_head(bytes);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->path, "/v1/chat%2Fx");
  EXPECT_EQ(head->query, "a=b?c");
  EXPECT_EQ(value_of(head->fields, "x-two"), "a b");
  EXPECT_EQ(value_of(head->fields, "absent"), "");
  EXPECT_EQ(head->content_length, 12u);
  EXPECT_TRUE(head->expect_continue);
  EXPECT_FALSE(head->keep_alive);
  EXPECT_FALSE(head->chunked);
}

TEST(Framing, KeepAliveFollowsVersionAndConnection) {
  const struct {
    const char* version;
    const char* fields;
    bool keep_alive;
  } cases[] = {
      {"1.1", "", true},
      {"1.1", "Connection: keep-alive\r\n", true},
      {"1.1", "Connection: x, CLOSE\r\n", false},
      {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const auto& c : cases) {
    const std::string bytes = "GET / HTTP/"s + c.version + "\r\nHost: a\r\n" + c.fields + "\r\n";
    const Result<Head> head = parse_head(bytes);
    ASSERT_TRUE(head) << bytes;
    EXPECT_EQ(head->keep_alive, c.keep_alive) << bytes;
  }
}

// Chunks.

/// What a ChunkReader makes of these bytes, fed in two parts. Empty `content` and false for a refusal.
struct Unchunked {
  bool accepted = true;
  bool finished = false;
  std::string content;
  std::size_t taken = 0;
};

Unchunked unchunk(std::string_view bytes, std::size_t cut) {
  ChunkReader reader;
  Unchunked result;
  for (std::string_view part : {bytes.substr(0, cut), bytes.substr(cut)}) {
    while (!part.empty() && !reader.finished()) {
      const auto step = reader.next(part);
      if (!step) return {false, false, "", 0};
      result.content += step->content;
      result.taken += step->taken;
      part.remove_prefix(step->taken);
    }
  }
  result.finished = reader.finished();
  return result;
}

TEST(Chunks, CutAtEveryByteTheContentIsTheSame) {
  const std::string bytes = "5;a=\"b c\"\r\nhello\r\n0A;x\r\n, chunked \r\n001\r\n!\r\n000;y\r\nX-Trailer: z\r\nY:\r\n\r\n";
  const std::string next = "GET / HTTP/1.1\r\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Unchunked result = unchunk(bytes + next, cut);
    EXPECT_TRUE(result.accepted && result.finished) << cut;
    EXPECT_EQ(result.content, "hello, chunked !") << cut;
    EXPECT_EQ(result.taken, bytes.size()) << "the next request stays, cut " << cut;
    EXPECT_FALSE(unchunk(bytes.substr(0, cut), cut / 2).finished && cut < bytes.size()) << cut;
  }
}

TEST(Chunks, WhatIsNotExactIsRefused) {
  const std::string much(chunk_extras_bytes_max + 1, 'x');
  std::string sips;  // many small extensions count together
  for (int i = 0; i < 3000; ++i) sips += "1;abc\r\nx\r\n";
  const std::pair<const char*, std::string> cases[] = {
      {"no size", "\r\nhello\r\n0\r\n\r\n"},
      {"only an extension", ";x\r\nhello\r\n"},
      {"plus", "+5\r\nhello\r\n"},
      {"minus", "-5\r\nhello\r\n"},
      {"0x", "0x5\r\nhello\r\n"},
      {"not hexadecimal", "5g\r\nhello\r\n"},
      {"space before the size", " 5\r\nhello\r\n"},
      {"space after the size", "5 \r\nhello\r\n"},
      {"nine digits", "000000005\r\nhello\r\n"},
      {"more than 64 bits", "10000000000000005\r\nhello\r\n"},
      {"bare LF after the size", "5\nhello\r\n"},
      {"bare CR after the size", "5\rhello\r\n"},
      {"bare LF in an extension", "5;x\nhello\r\n"},
      {"NUL in an extension", "5;\0\r\nhello\r\n"s},
      {"content longer than its size", "4\r\nhello\r\n"},
      {"no CRLF after the content", "5\r\nhello0\r\n\r\n"},
      {"bare LF after the content", "5\r\nhello\n0\r\n\r\n"},
      {"bare LF at the end", "0\r\n\n"},
      {"trailer folded", "0\r\nX: y\r\n z\r\n\r\n"},
      {"trailer without a colon", "0\r\nGET / HTTP/1.1\r\n\r\n"},
      {"trailer with a space before the colon", "0\r\nX : y\r\n\r\n"},
      {"trailer with a bare CR", "0\r\nX: y\rz\r\n\r\n"},
      {"large extension", "5;" + much + "\r\nhello\r\n"},
      {"large trailer", "0\r\nX: " + much + "\r\n\r\n"},
      {"many extensions", sips},
  };
  for (const auto& [what, bytes] : cases) {
    for (std::size_t cut : {std::size_t{0}, std::size_t{1}, bytes.size() / 2, bytes.size() - 1}) {
      EXPECT_FALSE(unchunk(bytes, cut).accepted) << what << ", cut " << cut;
    }
  }
}

// Bodies.

Head head_of(const std::string& bytes) {
  const Result<Head> head = parse_head(bytes);
  EXPECT_TRUE(head) << bytes;
  return *head;
}

TEST(Body, IsLimitedHoweverItIsFramed) {  // M63
  const std::string by_length = post("Content-Length: 11\r\n");
  const Error too_long = BodyReader::make(head_of(by_length), 10).error();
  EXPECT_EQ(too_long.kind, ErrorKind::body_too_large);
  EXPECT_EQ(too_long.message(), "The request's body is too large: limits.body_bytes_max is 10 bytes.");
  EXPECT_TRUE(BodyReader::make(head_of(by_length), 11));

  const std::string by_chunks = post("Transfer-Encoding: chunked\r\n");
  auto chunked = BodyReader::make(head_of(by_chunks), 10);
  ASSERT_TRUE(chunked);
  ASSERT_TRUE(chunked->feed("5\r\nhello\r\n5\r\nworld\r\n"));
  const auto over = chunked->feed("1\r\n!");
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().kind, ErrorKind::body_too_large);
  EXPECT_EQ(over.error().message(), too_long.message());
}

TEST(Body, ContentCodings) {  // M36
  const std::pair<const char*, bool> cases[] = {
      {"gzip", true}, {"x-gzip", true}, {"Deflate", true},     {"identity", true},
      {"br", false},  {"zstd", false},  {"gzip, gzip", false}, {"aws-chunked", false},
  };
  for (const auto& [coding, taken] : cases) {
    const std::string bytes = post("Content-Encoding: "s + coding + "\r\nContent-Length: 5\r\n");
    const auto body = BodyReader::make(head_of(bytes), 100);
    EXPECT_EQ(body.has_value(), taken) << coding;
    EXPECT_TRUE(body || body.error().kind == ErrorKind::unsupported_media) << coding;
  }
}

TEST(Body, WithoutAnnouncementIsNone) {
  const std::string bytes = post("");
  const auto body = BodyReader::make(head_of(bytes), 100);
  ASSERT_TRUE(body);
  EXPECT_TRUE(body->finished());
}

}  // namespace
}  // namespace fairlead::net
