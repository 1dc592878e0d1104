#include "net/response.h"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::net {
namespace {

/// How reading some bytes came out.
struct Outcome {
  std::optional<ErrorKind> error;
  bool whole = false;
  int status = 0;
  std::string body;
  bool keeps_alive = false, surplus = false;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << (o.error ? to_string(*o.error) : "ok") << " whole=" << o.whole << " status=" << o.status << " body='" << o.body
             << "' keeps_alive=" << o.keeps_alive << " surplus=" << o.surplus;
}

/// Feeds the parts one by one as a socket would, until the answer is whole or wrong; then the FIN. `waits`: as one that has nothing
/// more at first.
Outcome read(const std::vector<std::string_view>& parts, bool fin, bool waits = false) {
  Response response;
  Outcome outcome;
  for (std::string_view part : parts) {
    while (!part.empty() && !outcome.error && !response.is_whole()) {
      for (int i = 0; waits && i < 2; ++i) response.release();
      const auto room = response.room();
      const std::size_t bytes = std::min(part.size(), room.size());
      part.copy(static_cast<char*>(room.data()), bytes);
      part.remove_prefix(bytes);
      const Result<void> taken = response.take(bytes);
      if (!taken) outcome.error = taken.error().kind;
      outcome.body += response.body();
    }
  }
  if (fin && !outcome.error && !response.is_whole()) {
    const Result<void> ended = response.end();
    if (!ended) outcome.error = ended.error().kind;
  }
  outcome.whole = response.is_whole();
  outcome.status = response.has_head() ? response.status() : 0;
  outcome.keeps_alive = response.keeps_alive();
  outcome.surplus = response.has_surplus();
  return outcome;
}

struct Case {
  std::string name, wire;
  bool fin;
  Outcome expected;
};

const std::optional<ErrorKind> fine;
constexpr ErrorKind protocol = ErrorKind::upstream_protocol;
constexpr ErrorKind closed = ErrorKind::upstream_closed;

const std::vector<Case> cases = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, {fine, true, 200, "hello", true}},
    {"length zero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, {fine, true, 200, "", true}},
    {"no reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", false, {fine, true, 200, "hi", true}},
    {"length, cut", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true, {closed, false, 200, "hell"}},
    {"says close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", false, {fine, true, 200, "hi"}},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, {fine, true, 200, "hi"}},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
     false,
     {fine, true, 200, "hello!", true}},
    {"chunked, with trailers",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
     false,
     {fine, true, 200, "0123456789", true}},
    {"chunked, cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", true, {closed, false, 200, "hel"}},
    {"chunked, cut before the last chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
     true,
     {closed, false, 200, "hello"}},
    {"chunked, cut in the last chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
     true,
     {closed, false, 200, "hi"}},
    {"until the end", "HTTP/1.1 200 OK\r\n\r\nhello", true, {fine, true, 200, "hello"}},
    {"until the end, empty", "HTTP/1.1 200 OK\r\n\r\n", true, {fine, true, 200, ""}},
    {"until the end, not there yet", "HTTP/1.1 200 OK\r\n\r\nhello", false, {fine, false, 200, "hello"}},
    {"no body by status", "HTTP/1.1 204 No Content\r\n\r\n", false, {fine, true, 204, "", true}},
    {"interim answers",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
     false,
     {fine, true, 200, "hi", true}},
    {"interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n", true, {closed, false, 0, ""}},
    {"switching protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false, {protocol, true, 101, "", true}},
    {"nothing", "", true, {closed, false, 0, ""}},
    {"head cut", "HTTP/1.1 200 OK\r\nContent-Le", true, {closed, false, 0, ""}},
    {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", false, {protocol, false, 0, ""}},
    {"HTTP/2 preface", "HTTP/2.0 200 OK\r\n\r\n", false, {protocol, false, 0, ""}},
    {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", false, {protocol, false, 0, ""}},
    {"both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", false, {protocol, false, 0, ""}},
    {"both lengths, turned",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
     false,
     {protocol, false, 0, ""}},
    {"length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", false, {protocol, false, 0, ""}},
    {"length list", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi", false, {protocol, false, 0, ""}},
    {"length negative", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi", false, {protocol, false, 0, ""}},
    {"length overflowing", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nhi", false, {protocol, false, 0, ""}},
    {"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", false, {protocol, false, 0, ""}},
    {"coding twice",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     false,
     {protocol, false, 0, ""}},
    {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, {protocol, false, 0, ""}},
    {"chunk size not hexadecimal",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
     false,
     {protocol, false, 200, ""}},
    {"chunk size overflowing",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
     false,
     {protocol, false, 200, ""}},
    {"chunk without its end",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhixx0\r\n\r\n",
     false,
     {protocol, false, 200, "hi"}},
    {"field with a control byte",
     "HTTP/1.1 200 OK\r\nX: a\x01"
     "b\r\n\r\n",
     false,
     {protocol, false, 0, ""}},
    {"field name with a space", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", false, {protocol, false, 0, ""}},
};

TEST(Response, IsReadTheSameWhereverTheBytesAreCut) {
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const std::string_view wire = test.wire;
    EXPECT_EQ(read({wire}, test.fin), test.expected);
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < wire.size(); ++at) {
      bytes.push_back(wire.substr(at, 1));
      for (const bool waits : {false, true})
        EXPECT_EQ(read({wire.substr(0, at), wire.substr(at)}, test.fin, waits), test.expected) << "cut at " << at;
    }
    for (const bool waits : {false, true}) EXPECT_EQ(read(bytes, test.fin, waits), test.expected) << "byte by byte";
  }
}

TEST(Response, HoldsNoRoomWhileAChunkIsWaitedFor) {
  Response response;
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& part : {head, std::string("5\r\nhello\r\n"), std::string("1\r\n!\r\n")}) {
    const auto room = response.room();
    part.copy(static_cast<char*>(room.data()), room.size());
    ASSERT_TRUE(response.take(part.size()));
    EXPECT_TRUE(response.holds_room());
    response.release();
    EXPECT_FALSE(response.holds_room()) << part;
  }
}

TEST(Response, SaysWhenSomethingCameBehindIt) {
  const Outcome expected{fine, true, 200, "hi", true, true};
  EXPECT_EQ(read({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200"}, false), expected);
}

TEST(Response, OfATunnelHasNoBodyWhateverItSays) {
  const std::string_view wire = "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n";
  Response response(Response::Kind::tunnel);
  const auto room = response.room();
  wire.copy(static_cast<char*>(room.data()), wire.size());
  ASSERT_TRUE(response.take(wire.size()));
  EXPECT_TRUE(response.is_whole());
  EXPECT_FALSE(response.has_surplus());
}

TEST(Response, FindsFieldsInAnyCaseAndTheFirstOfSeveral) {
  const std::string_view wire =
      "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nX-Two: a\r\nx-two: b\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n";
  Response response;
  const auto room = response.room();
  wire.copy(static_cast<char*>(room.data()), wire.size());
  ASSERT_TRUE(response.take(wire.size()));
  EXPECT_EQ(response.field("retry-after"), "7");
  EXPECT_EQ(response.field("X-TWO"), "a");
  EXPECT_EQ(response.field("x-empty"), "");
  EXPECT_EQ(response.field("absent"), "");
}

TEST(Response, BoundsItsHeads) {
  const std::string line = "X-Long: " + std::string(1'000, 'x') + "\r\n";
  const auto head_of = [&line](int lines) {
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    for (int i = 0; i < lines; ++i) head += line;
    return head + "\r\n";
  };
  const std::string fits = head_of(60), too_long = head_of(70);
  EXPECT_EQ(read({fits}, false), (Outcome{fine, true, 200, "", true}));
  EXPECT_EQ(read({too_long}, false).error, protocol);

  const std::string endless_line = "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x');
  EXPECT_EQ(read({endless_line}, false).error, protocol);

  std::string endless_interim;
  for (int i = 0; i < 4'000; ++i) endless_interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(read({endless_interim}, false).error, protocol);

  const std::string endless_extension = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(200'000, 'x');
  EXPECT_EQ(read({endless_extension}, false).error, protocol);

  std::string endless_trailers = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  for (int i = 0; i < 200; ++i) endless_trailers += line;
  EXPECT_EQ(read({endless_trailers}, false).error, protocol);
}

TEST(Response, CarriesABodyMuchLargerThanItsBuffer) {
  const std::string body(1'000'000, 'b');
  const std::string wire = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body;
  EXPECT_EQ(read({wire}, false), (Outcome{fine, true, 200, body, true}));
}

std::string with_fields(const std::string& fields) { return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 2\r\n\r\nhi"; }

TEST(Response, RefusesAHeadThatIsNotPlain) {
  const std::vector<std::pair<const char*, std::string>> heads = {
      {"folded line", with_fields("X: a\r\n b\r\n")},
      {"bare CR in a value", with_fields("X: a\rb\r\n")},
      {"bare LF in a value", with_fields("X: a\nb\r\n")},
      {"NUL in a value", with_fields(std::string("X: \0\r\n", 6))},
      {"no name", with_fields(": a\r\n")},
      {"no colon", with_fields("X\r\n")},
      {"a field's line cut by the end", "HTTP/1.1 200 OK\r\nX\r\n\r\n"},
      {"Connection is no list", with_fields("Connection: a b\r\n")},
      {"empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"},
      {"length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi"},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
      {"no space after the status", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi"},
      {"no status", "HTTP/1.1 \r\n\r\n"},
      {"status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nhi"},
      {"status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nhi"},
      {"control byte in the reason", "HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nhi"},
  };
  for (const auto& [what, wire] : heads) EXPECT_EQ(read({wire}, false), (Outcome{protocol, false, 0, ""})) << what;
}

TEST(Response, MayBeEndless) {
  std::string wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body;
  for (int i = 0; i < 5'000; ++i) {
    wire += "1;name=a-value-of-twenty\r\nx\r\n";
    body += "x";
  }
  EXPECT_EQ(read({wire + "0\r\n\r\n"}, false), (Outcome{fine, true, 200, body, true}));
}

}  // namespace
}  // namespace fairlead::net
