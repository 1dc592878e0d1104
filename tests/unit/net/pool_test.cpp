#include "net/pool.h"

#include "unit/net/asking.h"
#include "unit/net/no_sockets.h"

#include <zlib.h>
#include <boost/asio/post.hpp>

namespace fairlead::net::test {
namespace {

class PoolTest : public Asking {};

TEST_F(PoolTest, SendsAHeadOfItsOwnMakingAndTheBodyAsItIs) {
  std::string heard;
  ScriptedServer server(loop, {answering({whole("{}"), whole("{}")}, &heard)});
  connect_to(server);
  const Got got = ask();
  EXPECT_EQ(got.kind(), "ok");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "{}");
  EXPECT_EQ(heard, "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                       "\r\nContent-Length: 13\r\nAccept-Encoding: identity\r\nUser-Agent: fairlead/" FAIRLEAD_VERSION
                       "\r\nAccept: application/json\r\nContent-Type: application/json\r\nAuthorization: Bearer secret\r\n\r\n"
                       "{\"model\":\"m\"}");
  EXPECT_FALSE(got.report.connection_reused);
  EXPECT_TRUE(got.report.bytes_sent && got.report.sent_whole && got.report.answer_began);
  EXPECT_TRUE(got.report.connect_us.has_value());

  heard.clear();
  UpstreamRequest streamed = request();
  streamed.stream = true;
  loop.finish(ask(streamed));
  EXPECT_NE(heard.find("\r\nAccept: text/event-stream\r\n"), std::string::npos);
}

TEST_F(PoolTest, RefusesToSendAHeadThatWouldBeTwo) {
  ScriptedServer server(loop, {answering({whole("{}")})});
  connect_to(server);
  const std::vector<std::pair<std::string, std::string>> bad_fields = {{"X", "a\r\nY: b"}, {"X\r\n", "a"}, {"", "a"}, {"X y", "a"}};
  for (const auto& field : bad_fields) {
    encoded.fields = {field};
    EXPECT_EQ(ask().kind(), "internal");
  }
  encoded.fields.clear();
  for (const char* path : {"/a b", "/a\r\nX: y", "/\x01"}) {
    encoded.path = path;
    EXPECT_EQ(ask().kind(), "internal");
  }
  EXPECT_EQ(server.accepted(), 0);
}

TEST_F(PoolTest, UsesAConnectionAgainAfterACleanAnswer) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  ScriptedServer server(loop, {answering({whole("a"), chunked, "HTTP/1.1 429 Slow\r\nContent-Length: 1\r\n\r\nx", whole("d")})});
  connect_to(server);
  std::string bodies;
  for (int i = 0; i < 4; ++i) {
    const Got got = ask();
    EXPECT_EQ(got.kind(), "ok");
    EXPECT_EQ(got.report.connection_reused, i > 0);
    EXPECT_EQ(got.report.connect_us.has_value(), i == 0);
    EXPECT_EQ(pool->idle(), 1U);
    bodies += got.body;
  }
  EXPECT_EQ(bodies, "ahixd");
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_EQ(pool->open(), 1U);
  pool->close_idle();
  EXPECT_EQ(pool->open(), 0U);
  EXPECT_EQ(pool->idle(), 0U);
}

TEST_F(PoolTest, IdleConnectionsGiveWayWhereDescriptorsAreLacking) {
  ScriptedServer server(loop, {answering({whole("a")}), answering({whole("b")}), answering({whole("c")})});
  connect_to(server);
  EXPECT_EQ(ask().body, "a");
  provider.name = "another";
  EXPECT_EQ(ask().body, "b");
  EXPECT_EQ(pool->idle(), 2U);
  const NoSockets none([&] { return pool->idle() > 0; });
  provider.name = "a third";
  EXPECT_EQ(ask().body, "c");
}

TEST_F(PoolTest, DoesNotUseAConnectionAgainThatIsNotClean) {
  const std::vector<std::string> answers = {
      whole("a", "Connection: close\r\n"), whole("a") + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nspliced",
      "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\na"};
  for (const std::string& answer : answers) {
    ScriptedServer server(loop, {answering({answer}), answering({whole("mine")})});
    connect_to(server);
    EXPECT_EQ(ask().kind(), "ok");
    const Got second = ask();
    EXPECT_EQ(second.body, "mine") << answer;
    EXPECT_FALSE(second.report.connection_reused) << answer;
    pool->close_idle();
    ASSERT_TRUE(loop.run_until([&] { return server.closed() == 2; }));
  }
}

// Some servers send one all the same: were the connection kept, it would be the next answer.
TEST_F(PoolTest, DoesNotUseAConnectionAgainWhereABodyIsAnnouncedThatCannotBe) {
  for (const char* framing : {"Content-Length: 40\r\n", "Transfer-Encoding: chunked\r\n"}) {
    for (const char* status : {"204 No Content", "304 Not Modified"}) {
      ScriptedServer server(loop, {answering({std::string("HTTP/1.1 ") + status + "\r\n" + framing + "\r\n", whole("spliced")}),
                                   answering({whole("mine")})});
      connect_to(server);
      EXPECT_EQ(ask().kind(), "ok");
      EXPECT_EQ(ask().body, "mine") << status << ", " << framing;
      pool->close_idle();
      ASSERT_TRUE(loop.run_until([&] { return server.closed() == 2; }));
    }
  }
  ScriptedServer server(loop, {answering({"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", whole("mine")})});
  connect_to(server);
  EXPECT_EQ(ask().kind(), "ok");
  EXPECT_EQ(ask().body, "mine");
}

TEST_F(PoolTest, AnAnswerGivenUpHalfwayClosesItsConnection) {
  ScriptedServer server(loop, {answering({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"})});
  connect_to(server);
  const UpstreamRequest what = request();
  SendReport report;
  const auto begin = [&]() -> Task<bool> {
    const auto answer = co_await pool->send(what, report, cancel);
    co_return answer.has_value() && pool->open() == 1;
  };
  EXPECT_TRUE(loop.finish(begin()));
  EXPECT_EQ(pool->open(), 0U);
  EXPECT_TRUE(loop.run_until([&] { return server.closed() == 1; }));
}

TEST_F(PoolTest, AnAnswerMayOutliveThePool) {
  ScriptedServer server(loop, {answering({whole("body")})});
  connect_to(server);
  const UpstreamRequest what = request();
  SendReport report;
  const auto outlive = [&]() -> Task<std::string> {
    const auto answer = co_await pool->send(what, report, cancel);
    pool.reset();
    Heard heard;
    const auto read = co_await (*answer)->read(heard);
    co_return read ? heard.body : "cut";
  };
  EXPECT_EQ(loop.finish(outlive()), "body");
}

TEST_F(PoolTest, ASinkThatWantsNoMoreEndsTheReading) {
  for (const bool later : {false, true}) {
    ScriptedServer server(loop, {answering({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"})});
    connect_to(server);
    const UpstreamRequest what = request();
    SendReport report;
    const auto read_some = [&]() -> Task<bool> {
      const auto answer = co_await pool->send(what, report, cancel);
      Heard heard([] {}, 1);
      heard.tells_later = later;
      const auto read = co_await (*answer)->read(heard);
      co_return read.has_value();
    };
    EXPECT_TRUE(loop.finish(read_some()));
    EXPECT_EQ(pool->open(), 0U) << "it is of no use to anybody";
    EXPECT_TRUE(loop.run_until([&] { return server.closed() == 1; }));
  }
}

TEST_F(PoolTest, KeepsIdleConnectionsNoLongerThanItMay) {
  provider.idle_connection_ms_max = 3ms;
  ScriptedServer server(loop, {answering({whole("a"), whole("never")}), answering({whole("b")})});
  connect_to(server);
  EXPECT_EQ(ask().body, "a");
  EXPECT_TRUE(loop.run_until([&] { return server.closed() == 1; }));
  EXPECT_EQ(pool->idle(), 0U);
  EXPECT_EQ(pool->open(), 0U);
  EXPECT_EQ(ask().body, "b");
}

TEST_F(PoolTest, WhoMayWaitForLongKeepsNoOthersWaiting) {
  provider.idle_connection_ms_max = 1h;
  ScriptedServer server(loop, {answering({whole("a")}), answering({whole("b"), whole("never")})});
  connect_to(server);
  EXPECT_EQ(ask().body, "a");
  provider.name = "other";
  provider.idle_connection_ms_max = 3ms;
  EXPECT_EQ(ask().body, "b");
  EXPECT_TRUE(loop.run_until([&] { return pool->open() == 1U; }));
  EXPECT_EQ(pool->idle(), 1U);
}

TEST_F(PoolTest, KeepsNoMoreIdleConnectionsThanItMay) {
  provider.idle_connections_max = 2;
  ScriptedServer server(loop, {answering({whole("a")}), answering({whole("b")}), answering({whole("c")})});
  connect_to(server);
  int done = 0;
  const auto ask_and_count = [&]() -> Task<void> {
    UpstreamRequest what = request();
    what.fresh_connection = true;
    const Got got = co_await ask(what);
    done += got.kind() == "ok" ? 1 : 0;
  };
  for (int i = 0; i < 3; ++i) loop.start(ask_and_count());
  ASSERT_TRUE(loop.run_until([&] { return done == 3; }));
  EXPECT_EQ(pool->idle(), 2U);
  EXPECT_EQ(pool->open(), 2U);
}

TEST_F(PoolTest, ProvidersDoNotShareConnections) {
  ScriptedServer server(loop, {answering({whole("a")}), answering({whole("b")})});
  connect_to(server);
  EXPECT_EQ(ask().body, "a");
  provider.name = "other";
  EXPECT_EQ(ask().body, "b");
}

// M39: the three faces of a connection that the server closed while it was idle.
TEST_F(PoolTest, NoRequestFailsBecauseAnIdleConnectionWasClosed) {
  const auto closing = [](bool with_reset) -> Script {
    return [with_reset](Stream& stream) -> Task<void> {
      co_await hear_request(stream);
      co_await say(stream, whole("a"));
      if (with_reset) stream.reset();
    };
  };
  const auto racing = [](bool with_reset) -> Script {
    return [with_reset](Stream& stream) -> Task<void> {
      co_await hear_request(stream);
      co_await say(stream, whole("a"));
      co_await hear_request(stream);
      if (with_reset) stream.reset();
    };
  };
  std::vector<Script> scripts;
  for (int i = 0; i < 50; ++i) {
    for (const bool with_reset : {false, true}) {
      scripts.push_back(closing(with_reset));
      scripts.push_back(racing(with_reset));
    }
  }
  ScriptedServer server(loop, scripts);
  connect_to(server);
  for (int i = 0; i < 200; ++i) {
    const Got got = ask_as_the_exchange_does();
    ASSERT_EQ(got.kind(), "ok") << i << ' ' << got.error->detail();
    ASSERT_EQ(got.body, "a");
  }
  EXPECT_EQ(server.accepted(), 200);
}

TEST_F(PoolTest, AReusedConnectionThatClosesUnansweredMayBeTriedAgain) {
  ScriptedServer server(loop, {[](Stream& stream) -> Task<void> {
                          co_await hear_request(stream);
                          co_await say(stream, whole("a"));
                          co_await hear_request(stream);
                        }});
  connect_to(server);
  EXPECT_EQ(ask().kind(), "ok");
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_closed");
  EXPECT_EQ(got.error->retry, Retry::reused_connection_only);
  EXPECT_TRUE(got.report.connection_reused);
  EXPECT_FALSE(got.report.answer_began);
}

// What works on a request for that long before it closes may bill it.
TEST_F(PoolTest, AReusedConnectionThatClosesLateIsUnconfirmed) {
  ScriptedServer server(loop, {[](Stream& stream) -> Task<void> {
                          co_await hear_request(stream);
                          co_await say(stream, whole("a"));
                          co_await hear_request(stream);
                          Timer late(stream.executor(), in(500ms));
                          error_code ec;
                          co_await late.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>(), ec));
                        }});
  connect_to(server);
  EXPECT_EQ(ask().kind(), "ok");
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_closed");
  EXPECT_EQ(got.error->retry, Retry::before_commit);
  EXPECT_TRUE(got.report.connection_reused && got.report.sent_whole);
}

TEST_F(PoolTest, AReusedConnectionThatClosesInItsAnswerIsAnError) {
  ScriptedServer server(loop, {[](Stream& stream) -> Task<void> {
                          co_await hear_request(stream);
                          co_await say(stream, whole("a"));
                          co_await hear_request(stream);
                          co_await say(stream, "H");
                        }});
  connect_to(server);
  EXPECT_EQ(ask().kind(), "ok");
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_closed");
  EXPECT_EQ(got.error->retry, Retry::before_commit);
  EXPECT_TRUE(got.report.answer_began);
}

TEST_F(PoolTest, AFreshConnectionThatClosesUnansweredIsUnconfirmed) {
  ScriptedServer server(loop, {answering_then_closing("")});
  connect_to(server);
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_closed");
  EXPECT_EQ(got.error->retry, Retry::before_commit);
  EXPECT_TRUE(got.report.sent_whole);
  EXPECT_FALSE(got.report.answer_began);
}

TEST_F(PoolTest, RefusedConnectionSendsNothing) {
  ScriptedServer server(loop, {});
  connect_to(server);
  server.stop_listening();
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_connect");
  EXPECT_EQ(got.error->retry, Retry::before_commit);
  EXPECT_FALSE(got.report.bytes_sent);
  EXPECT_EQ(got.error->message().find("127.0.0.1"), std::string::npos);
}

TEST_F(PoolTest, TriesAllAddressesOfAName) {
  ScriptedServer server(loop, {answering({whole("a")})});  // on 127.0.0.1 alone; the name may mean ::1 too
  connect_to(server);
  provider.base_url.host = "localhost";
  EXPECT_EQ(ask().body, "a");
}

struct Answered {
  std::string answer;
  std::string kind;
};

TEST_F(PoolTest, RefusesWhatIsNotAWholeProperAnswer) {
  const std::vector<Answered> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "upstream_closed"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "upstream_closed"},
      {"HTTP/1.1 200 OK\r\nContent-Le", "upstream_closed"},
      {"HTTP/1.1 100 Continue\r\n\r\n", "upstream_closed"},
      {"nonsense\r\n\r\n", "upstream_protocol"},
      {"HTTP/1.1 200 OK\nContent-Length: 1\n\nx", "upstream_protocol"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "upstream_protocol"},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "upstream_protocol"},
      {"HTTP/1.1 700 What\r\nContent-Length: 0\r\n\r\n", "upstream_protocol"},
      {whole("x", "Content-Encoding: br\r\n"), "upstream_protocol"},
      {"HTTP/1.1 401 No\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", "ok"},
      {whole("not gzip at all", "Content-Encoding: gzip\r\n"), "upstream_protocol"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "ok"},
      {"HTTP/1.1 100 Continue\r\n\r\n" + whole("a"), "ok"},
      {"HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx", "ok"},
  };
  for (const Answered& test : cases) {
    ScriptedServer server(loop, {answering_then_closing(test.answer)});
    connect_to(server);
    const Got got = ask();
    EXPECT_EQ(got.kind(), test.kind) << test.answer;
    EXPECT_TRUE(!got.error || got.error->retry == Retry::before_commit) << test.answer;
    pool->close_idle();
  }
}

// M43: what it means is the dialect's to say.
TEST_F(PoolTest, FollowsNoRedirect) {
  for (const char* status : {"301", "302", "303", "307", "308"}) {
    ScriptedServer elsewhere(loop, {silent()});
    const std::string place = "127.0.0.1:" + std::to_string(elsewhere.port());
    ScriptedServer server(loop, {answering({std::string("HTTP/1.1 ") + status + " Moved\r\nLocation: http://" + place +
                                            "/\r\nContent-Length: 0\r\n\r\n"})});
    connect_to(server);
    const Got got = ask();
    EXPECT_EQ(got.kind(), "ok");
    EXPECT_EQ(std::to_string(got.status), status);
    EXPECT_EQ(elsewhere.accepted(), 0);
  }
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Says the bytes one by one, each in a segment of its own.
Script dribbling(std::string answer) {
  return [answer](Stream& stream) -> Task<void> {
    co_await hear_request(stream);
    for (const char c : answer) co_await say(stream, std::string(1, c));
    co_await hear_all(stream);
  };
}

// M35, M26
TEST_F(PoolTest, DecodesContentCodings) {
  const std::string text = "data: {\"text\":\"\xE4\xBD\xA0\xE5\xA5\xBD\"}\n\n";
  const std::string coded = gzipped(text);
  ScriptedServer server(loop, {answering({whole(coded, "Content-Encoding: gzip\r\n"), whole(text, "Content-Encoding: identity\r\n"),
                                          whole("", "Content-Encoding: gzip\r\n")})});
  connect_to(server);
  EXPECT_EQ(ask().body, text);
  EXPECT_EQ(ask().body, text);
  const Got empty = ask();
  EXPECT_EQ(empty.kind() + empty.body, "ok");
  pool->close_idle();

  ScriptedServer slow(loop, {dribbling(whole(coded, "Content-Encoding: gzip\r\n"))});
  connect_to(slow);
  EXPECT_EQ(ask().body, text);

  for (std::size_t cut = 1; cut < coded.size(); ++cut) {
    ScriptedServer server_that_cuts(loop, {answering({whole(coded.substr(0, cut), "Content-Encoding: gzip\r\n")})});
    connect_to(server_that_cuts);
    EXPECT_EQ(ask().kind(), "upstream_closed") << cut;
    pool->close_idle();
  }
}

// M27
TEST_F(PoolTest, ReadsAnAnswerThatComesByteByByte) {
  ScriptedServer server(loop,
                        {dribbling("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n1\r\ng\r\n0\r\n\r\n")});
  connect_to(server);
  EXPECT_EQ(ask().body, "abcdefg");
}

TEST_F(PoolTest, AnEarlyAnswerCountsThoughTheBodyWasNotTaken) {
  const std::string much(16 << 20, 'x');
  encoded.body = {much};
  ScriptedServer server(loop, {[](Stream& stream) -> Task<void> {
                          std::array<char, 1000> some;
                          co_await read_some(stream, asio::buffer(some));
                          co_await say(stream, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
                        }});
  connect_to(server);
  const Got got = ask();
  EXPECT_EQ(got.kind(), "ok");
  EXPECT_EQ(got.status, 413);
  EXPECT_EQ(got.body, "big");
  EXPECT_TRUE(got.report.bytes_sent);
  EXPECT_FALSE(got.report.sent_whole);
  EXPECT_EQ(pool->open(), 0U);
}

TEST_F(PoolTest, AnEarlyAnswerIsHeardThoughTheConnectionStaysOpen) {
  const std::string much(16 << 20, 'x');
  encoded.body = {much};
  bool over = false;
  ScriptedServer server(loop, {[&over](Stream& stream) -> Task<void> {
                          std::array<char, 1000> some;
                          co_await read_some(stream, asio::buffer(some));
                          co_await say(stream, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
                          while (!over) co_await asio::post(stream.executor(), asio::use_awaitable_t<Executor>());
                        }});
  connect_to(server);
  const Got got = ask();
  over = true;
  EXPECT_EQ(got.kind(), "ok");
  EXPECT_EQ(got.status, 413);
  EXPECT_EQ(got.body, "big");
  EXPECT_FALSE(got.report.sent_whole);
  EXPECT_EQ(pool->open(), 0U);
}

TEST_F(PoolTest, AnEarlyEndWithoutAnAnswerIsNoAnswer) {
  const std::string much(16 << 20, 'x');
  encoded.body = {much};
  ScriptedServer server(loop, {[](Stream& stream) -> Task<void> {
                          std::array<char, 1000> some;
                          co_await read_some(stream, asio::buffer(some));
                        }});
  connect_to(server);
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_closed");
  EXPECT_EQ(got.error->retry, Retry::before_commit);
  EXPECT_FALSE(got.report.sent_whole);
}

const std::string stream_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(PoolTest, FirstByteDeadlineHoldsForTheHead) {
  provider.timeouts.first_byte = 5ms;
  ScriptedServer server(loop, {silent()});
  connect_to(server);
  UpstreamRequest streamed = request();
  streamed.stream = true;
  const Got got = loop.finish(ask(streamed));
  EXPECT_EQ(got.kind(), "upstream_timeout");
  EXPECT_EQ(got.error->retry, Retry::before_commit);
  EXPECT_TRUE(got.report.sent_whole);
}

TEST_F(PoolTest, AnAnswerInOnePieceHasADeadlineOfItsOwn) {
  provider.timeouts.first_byte = 1ms;
  provider.timeouts.buffered = 50ms;
  ScriptedServer server(loop, {silent()});
  connect_to(server);
  const SteadyTime started = steady_clock::now();
  EXPECT_EQ(ask().kind(), "upstream_timeout");
  EXPECT_GE(steady_clock::now() - started, 50ms);
}

// M30: comments keep no wait alive that is for content; nor does the idle deadline count before it.
TEST_F(PoolTest, FirstByteDeadlineHoldsUntilTheContentBegins) {
  provider.timeouts.first_byte = 30ms;
  provider.timeouts.idle = 1ms;
  ScriptedServer server(loop, {answering({stream_head + "4\r\n: x\n\r\n"})});
  connect_to(server);
  UpstreamRequest what = request();
  what.stream = true;
  SendReport report;
  const SteadyTime started = steady_clock::now();
  const auto read_comments = [&]() -> Task<ErrorKind> {
    const auto answer = co_await pool->send(what, report, cancel);
    Heard comments;
    const auto read = co_await (*answer)->read(comments);
    co_return read ? ErrorKind::internal : read.error().kind;
  };
  EXPECT_EQ(loop.finish(read_comments()), ErrorKind::upstream_timeout);
  EXPECT_GE(steady_clock::now() - started, 30ms);
}

TEST_F(PoolTest, IdleDeadlineHoldsAfterTheContentBegan) {
  provider.timeouts.idle = 5ms;
  ScriptedServer server(loop, {answering({stream_head + "2\r\nhi\r\n"})});
  connect_to(server);
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_timeout");
  EXPECT_EQ(got.body, "hi");
  EXPECT_EQ(pool->open(), 0U);
}

TEST_F(PoolTest, AfterTheLastContentTheEndIsWaitedForBriefly) {
  ScriptedServer server(loop, {answering({stream_head + "2\r\nhi\r\n"})});
  connect_to(server);
  const UpstreamRequest what = request();
  SendReport report;
  const auto read_on = [&]() -> Task<ErrorKind> {
    const auto answer = co_await pool->send(what, report, cancel);
    Heard heard([&answer] {
      (*answer)->first_content();
      (*answer)->end_within(1s);
    });
    const auto read = co_await (*answer)->read(heard);
    EXPECT_EQ(heard.body, "hi");
    co_return read ? ErrorKind::internal : read.error().kind;
  };
  EXPECT_EQ(loop.finish(read_on()), ErrorKind::upstream_timeout) << "or it hangs";
  EXPECT_EQ(pool->open(), 0U);
}

TEST_F(PoolTest, TotalDeadlineHoldsAlways) {
  provider.timeouts.total = 10ms;
  ScriptedServer server(loop, {answering({stream_head + "2\r\nhi\r\n"}), silent()});
  connect_to(server);
  EXPECT_EQ(ask().kind(), "upstream_timeout");
  EXPECT_EQ(ask().kind(), "upstream_timeout");
}

TEST_F(PoolTest, TotalDeadlineHoldsForWhoTakesTheAnswerSlowly) {
  class Slow final : public BodySink {
   public:
    Slow(Loop& loop, SteadyTime until) : timer_(loop.executor(), until) {}
    std::optional<bool> take(std::string_view) override { return std::nullopt; }
    Task<bool> rest() override {
      error_code ignored;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>(), ignored));
      co_return true;
    }

   private:
    Timer timer_;
  };
  ScriptedServer server(loop, {answering({whole("all of it")})});
  connect_to(server);
  UpstreamRequest what = request();
  what.deadline = in(20ms);
  const auto read_slowly = [&]() -> Task<ErrorKind> {
    SendReport report;
    auto answer = co_await pool->send(what, report, cancel);
    if (!answer) co_return answer.error().kind;
    Slow slow(loop, what.deadline);
    const auto read = co_await (*answer)->read(slow);
    co_return read ? ErrorKind::internal : read.error().kind;
  };
  EXPECT_EQ(loop.finish(read_slowly()), ErrorKind::upstream_timeout);
}

TEST_F(PoolTest, CancelledBeforeItSendsNothing) {
  ScriptedServer server(loop, {silent()});
  connect_to(server);
  cancel.request();
  const Got got = ask();
  EXPECT_EQ(got.kind(), "app_gone");
  EXPECT_EQ(got.error->origin, ErrorOrigin::app);
  EXPECT_EQ(server.accepted(), 0);
}

struct Cancelled {
  std::string phase;
  Script script;
};

// M44: whatever it waits for, it ends at once, and the provider sees the connection closed.
TEST_F(PoolTest, CancelEndsEveryWait) {
  const std::string much(32 << 20, 'x');
  Timer until_cancelled(loop.executor(), in(hang));
  const Script not_reading = [&until_cancelled](Stream& stream) -> Task<void> {
    error_code ec;
    co_await until_cancelled.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>(), ec));
    co_await hear_all(stream);
  };
  const std::vector<Cancelled> cases = {
      {"sending", not_reading}, {"waiting", silent()}, {"reading", answering({stream_head + "2\r\nhi\r\n"})}};
  for (const Cancelled& test : cases) {
    ScriptedServer server(loop, {test.script});
    connect_to(server);
    if (test.phase == "sending") encoded.body = {much};
    Timer tick(loop.executor(), in(5ms));
    tick.async_wait([&](error_code) {
      cancel.request();
      until_cancelled.cancel();
    });
    EXPECT_EQ(ask().kind(), "app_gone") << test.phase;
    EXPECT_EQ(pool->open(), 0U);
    EXPECT_TRUE(loop.run_until([&] { return server.closed() == 1; })) << test.phase;
    cancel = Cancel();
    encoded.body = {"{}"};
  }
}

TEST_F(PoolTest, CancelEndsTheHandshake) {
  ScriptedServer server(loop, {silent()});
  connect_to(server);
  provider.base_url.tls = true;
  Timer tick(loop.executor(), in(5ms));
  tick.async_wait([&](error_code) { cancel.request(); });
  const Got got = ask();
  EXPECT_EQ(got.kind(), "app_gone");
  EXPECT_FALSE(got.report.bytes_sent);
}

TEST_F(PoolTest, ConnectDeadlineHoldsForTheHandshake) {
  ScriptedServer server(loop, {silent()});
  connect_to(server);
  provider.base_url.tls = true;
  provider.timeouts.connect = 10ms;
  const Got got = ask();
  EXPECT_EQ(got.kind(), "upstream_timeout");
  EXPECT_FALSE(got.report.bytes_sent);
  EXPECT_EQ(got.error->retry, Retry::before_commit);
}

}  // namespace
}  // namespace fairlead::net::test
