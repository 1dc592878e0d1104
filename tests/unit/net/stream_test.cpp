#include "net/stream.h"

#include "unit/net/certificates.h"
#include "unit/net/records.h"
#include "unit/net/script.h"

#include <sys/socket.h>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace fairlead::net::test {
namespace {

using Read = std::pair<error_code, std::size_t>;

/// All that is ready now has had its turn after it, as sockets are looked at between two posts.
Task<void> turn() {
  for (int i = 0; i < 3; ++i) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable_t<Executor>());
}

/// The same tests over TCP and over TLS.
class StreamTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto [near_socket, far_socket] = connected_pair(loop);
    near = std::make_unique<Stream>(std::move(near_socket));
    far = std::make_unique<Stream>(std::move(far_socket));
    if (GetParam()) shake_hands();
  }

  void shake_hands() {
    static const Pki pki;
    client = std::move(*TlsClient::make(pki.ca_pem));
    server = std::move(*TlsServer::make(pki.certificate_file, pki.key_file));
    loop.start(serve_handshake());
    const error_code ec = loop.finish(near->handshake_client(*client, "localhost", 443, why));
    ASSERT_FALSE(ec) << why;
    ASSERT_TRUE(loop.run_until([this] { return served; }));
  }

  Task<void> serve_handshake() {
    const error_code ec = co_await far->handshake_server(*server, why);
    served = !ec;
  }

  Task<void> read_into(Stream& stream, std::size_t size, std::optional<Read>& outcome) {
    std::string buffer(size, '\0');
    outcome = co_await read_some(stream, asio::buffer(buffer));
  }

  Task<std::string> read_exactly(Stream& stream, std::size_t size) {
    std::string heard(size, '\0');
    for (std::size_t at = 0; at < size;) {
      const auto [ec, bytes] = co_await read_some(stream, asio::buffer(heard.data() + at, size - at));
      if (ec) co_return heard.substr(0, at) + " (" + ec.message() + ")";
      at += bytes;
    }
    co_return heard;
  }

  void run_for(std::chrono::milliseconds time) {
    bool over = false;
    Timer timer(loop.executor(), time);
    timer.async_wait([&](error_code) { over = true; });
    ASSERT_TRUE(loop.run_until([&] { return over; }));
  }

  Loop loop;
  std::unique_ptr<TlsClient> client;
  std::unique_ptr<TlsServer> server;
  std::unique_ptr<Stream> near, far;
  std::string why;
  bool served = false;
};

INSTANTIATE_TEST_SUITE_P(Over, StreamTest, ::testing::Values(false, true),
                         [](const auto& over) { return over.param ? std::string("Tls") : std::string("Tcp"); });

TEST_P(StreamTest, WritesPiecesOfAllSizesInOrder) {
  std::vector<std::string> texts;
  for (const std::size_t size : {0, 1, 0, 2, 16'383, 16'384, 1, 16'385, 3'000'000, 0, 7, 0})
    texts.emplace_back(size, static_cast<char>('a' + texts.size()));
  for (int i = 0; i < 200; ++i) texts.push_back(std::to_string(i));
  std::string all;
  for (const std::string& text : texts) all += text;
  const std::vector<std::string_view> pieces(texts.begin(), texts.end());

  std::optional<Read> written;
  const auto write = [&]() -> Task<void> { written = co_await near->write(pieces); };
  loop.start(write());
  EXPECT_TRUE(loop.finish(read_exactly(*far, all.size())) == all);
  ASSERT_TRUE(loop.run_until([&] { return written.has_value(); }));
  EXPECT_EQ(*written, Read(error_code(), all.size()));
}

TEST_P(StreamTest, ReadEndsAtTheDeadlineAndTheStreamLivesOn) {
  std::optional<Read> outcome;
  near->set_deadline(in(5ms));
  loop.finish(read_into(*near, 10, outcome));
  EXPECT_EQ(outcome->first, asio::error::timed_out);
  EXPECT_TRUE(near->is_open());
  near->set_deadline(in(hang));
  loop.start(say(*far, "later"));
  EXPECT_EQ(loop.finish(read_exactly(*near, 5)), "later");
}

// So often that the loop lets what comes gather.
TEST_P(StreamTest, BurstsOfSmallChunksArriveWhole) {
  std::string all;
  for (int i = 0; i < 20'000; ++i) all += std::to_string(i);
  const auto say_bit_by_bit = [&]() -> Task<void> {
    for (std::size_t at = 0; at < all.size(); at += 7) {
      co_await say(*far, all.substr(at, 7));
      co_await asio::post(loop.executor(), asio::use_awaitable_t<Executor>());
    }
  };
  near->set_deadline(in(hang));
  loop.start(say_bit_by_bit());
  EXPECT_TRUE(loop.finish(read_exactly(*near, all.size())) == all);
}

TEST_P(StreamTest, WhoAlwaysHasSomethingToReadHoldsUpNobody) {
  constexpr std::size_t all = 256 << 10;
  loop.finish(say(*far, std::string(all, 'a')));
  std::size_t heard = 0, heard_before_others = all;
  const auto read = [&]() -> Task<void> {
    asio::post(loop.executor(), [&] { heard_before_others = heard; });
    std::string buffer(4096, '\0');
    while (heard < all) {
      const auto [ec, bytes] = co_await read_some(*near, asio::buffer(buffer));
      if (ec) co_return;
      heard += bytes;
    }
  };
  loop.finish(read());
  EXPECT_EQ(heard, all);
  EXPECT_LE(heard_before_others, all / 8);
}

TEST_P(StreamTest, NorDoesItOutliveTheDeadline) {
  loop.finish(say(*far, std::string(256 << 10, 'a')));
  near->set_deadline(in(-1ms));
  error_code ended;
  std::size_t heard = 0;
  const auto read = [&]() -> Task<void> {
    std::string buffer(4096, '\0');
    while (!ended) {
      const auto [ec, bytes] = co_await read_some(*near, asio::buffer(buffer));
      ended = ec;
      heard += bytes;
    }
  };
  loop.finish(read());
  EXPECT_EQ(ended, asio::error::timed_out);
  EXPECT_LE(heard, 32U << 10);
  EXPECT_TRUE(near->is_open());
}

TEST_P(StreamTest, ADeadlineMovedForwardEndsNothingBeforeIt) {
  std::optional<Read> outcome;
  const SteadyTime started = steady_clock::now();
  near->set_deadline(in(5ms));
  loop.start(read_into(*near, 10, outcome));
  Timer tick(loop.executor(), in(1ms));
  tick.async_wait([&](error_code) { near->set_deadline(started + 60ms); });
  ASSERT_TRUE(loop.run_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(outcome->first, asio::error::timed_out);
  EXPECT_GE(steady_clock::now(), started + 60ms);
}

TEST_P(StreamTest, ADeadlineMovedBackEndsTheWaitUnderWay) {
  std::optional<Read> outcome;
  near->set_deadline(in(hang));
  loop.start(read_into(*near, 10, outcome));
  Timer tick(loop.executor(), in(1ms));
  tick.async_wait([&](error_code) { near->set_deadline(in(1ms)); });
  ASSERT_TRUE(loop.run_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(outcome->first, asio::error::timed_out);
}

TEST_P(StreamTest, WriteEndsAtTheDeadlineIfThePeerTakesNothing) {
  const std::string much(32 << 20, 'x');
  const std::array<std::string_view, 1> pieces{much};
  near->set_deadline(in(20ms));
  const auto [ec, written] = loop.finish(near->write(pieces));
  EXPECT_EQ(ec, asio::error::timed_out);
  EXPECT_GT(written, 0U);
  EXPECT_LT(written, much.size());
}

TEST_P(StreamTest, TheEndOfAReadsTimeIsNotThatOfTheWriteThatFollows) {
  const std::string much(32 << 20, 'x');
  const auto read_then_write = [](Stream& stream, std::string_view bytes) -> Task<std::chrono::milliseconds> {
    std::array<char, 10> buffer;
    stream.set_deadline(in(5ms));
    const auto [read, none] = co_await read_some(stream, asio::buffer(buffer));
    const auto began = std::chrono::steady_clock::now();
    const std::array<std::string_view, 1> pieces{bytes};
    const auto [written, some] = co_await stream.write(pieces, 50ms);
    EXPECT_EQ(read, asio::error::timed_out);
    EXPECT_EQ(written, asio::error::timed_out);
    co_return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  };
  EXPECT_GE(loop.finish(read_then_write(*near, much)), 50ms);
}

TEST_P(StreamTest, EndOfThePeerIsEof) {
  std::optional<Read> outcome;
  far->close();
  loop.finish(read_into(*near, 10, outcome));
  EXPECT_EQ(outcome->first, asio::error::eof);
}

// Both come before the reader has its turn, so that one edge tells of both.
TEST_P(StreamTest, AnEndThatComesWithTheLastBytesIsSeen) {
  for (const bool waits : {true, false}) {
    SetUp();
    near->set_deadline(in(hang));
    std::string heard;
    const auto read = [&]() -> Task<void> {
      std::string buffer(100, '\0');
      for (;;) {
        const auto [ec, bytes] = co_await read_some(*near, asio::buffer(buffer));
        heard += ec ? "(" + ec.message() + ")" : buffer.substr(0, bytes);
        if (ec) co_return;
      }
    };
    if (waits) {
      loop.start(read());
      loop.finish(turn());
    }
    loop.finish(say(*far, "last"));
    far->close();
    if (!waits) loop.start(read());
    ASSERT_TRUE(loop.run_until([&] { return heard.ends_with(')'); }));
    EXPECT_EQ(heard, "last(End of file)");
  }
}

TEST_P(StreamTest, AResetAfterTheLastBytesIsSeen) {
  near->set_deadline(in(hang));
  std::optional<Read> outcome;
  loop.finish(say(*far, "last"));
  far->reset();
  std::size_t heard = 0;
  do {
    outcome.reset();
    loop.finish(read_into(*near, 100, outcome));
    heard += outcome->second;
  } while (!outcome->first);
  EXPECT_EQ(outcome->first, asio::error::connection_reset);
  EXPECT_LE(heard, 4U);
}

TEST_P(StreamTest, EndWithoutGoodbyeIsEofToo) {
  std::optional<Read> outcome;
  far->shutdown_write();
  loop.finish(read_into(*near, 10, outcome));
  EXPECT_EQ(outcome->first, asio::error::eof);
}

TEST_P(StreamTest, ResetOfThePeerIsAnError) {
  std::optional<Read> outcome;
  far->reset();
  loop.finish(read_into(*near, 10, outcome));
  EXPECT_EQ(outcome->first, asio::error::connection_reset);
}

TEST_P(StreamTest, WritingToAClosedPeerIsAnErrorAndNoSignal) {
  far->reset();
  const std::string much(1 << 20, 'x');
  const std::array<std::string_view, 2> pieces{"x", much};
  EXPECT_TRUE(loop.finish(near->write(pieces)).first);
  EXPECT_TRUE(loop.finish(near->write(pieces)).first);
}

TEST_P(StreamTest, ShutdownOfOurSideLetsTheOtherFinish) {
  near->shutdown_write();
  EXPECT_EQ(loop.finish(hear_all(*far)), "");
  loop.start(say(*far, "after your end"));
  EXPECT_EQ(loop.finish(read_exactly(*near, 14)), "after your end");
}

TEST_P(StreamTest, CloseEndsWhatWaits) {
  std::optional<Read> outcome;
  near->set_deadline(in(hang));
  loop.start(read_into(*near, 10, outcome));
  Timer tick(loop.executor(), in(1ms));
  tick.async_wait([&](error_code) { near->close(); });
  ASSERT_TRUE(loop.run_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(outcome->first, asio::error::operation_aborted);
  loop.finish(read_into(*near, 10, outcome));
  EXPECT_EQ(outcome->first, asio::error::operation_aborted);
}

TEST_P(StreamTest, MayBeDestroyedWhileItWaits) {
  std::optional<Read> outcome;
  near->set_deadline(in(hang));
  loop.start(read_into(*near, 10, outcome));
  Timer tick(loop.executor(), in(1ms));
  tick.async_wait([&](error_code) { near.reset(); });
  ASSERT_TRUE(loop.run_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(outcome->first, asio::error::operation_aborted);
}

// Their sockets are ready at the same time, so that the events of both are taken together.
TEST_P(StreamTest, MayBeDestroyedByAnotherThatIsReadyToo) {
  for (const bool other_waits : {false, true}) {
    SetUp();
    std::optional<Read> outcome, other_outcome;
    const auto read = [&]() -> Task<void> {
      co_await read_into(*near, 10, outcome);
      far.reset();
    };
    near->set_deadline(in(hang));
    far->set_deadline(in(hang));
    loop.start(read());
    if (other_waits) loop.start(read_into(*far, 10, other_outcome));
    loop.finish(turn());
    const std::array<std::string_view, 1> pieces{"x"};
    EXPECT_TRUE(far->write_now(pieces) && near->write_now(pieces));
    ASSERT_TRUE(loop.run_until([&] { return outcome && (other_outcome || !other_waits); }));
    EXPECT_EQ(*outcome, Read(error_code(), 1U));
    loop.finish(turn());
    if (other_waits) {
      EXPECT_EQ(*other_outcome, Read(asio::error::operation_aborted, 0U));
    }
  }
}

TEST_P(StreamTest, ReadsAndWritesWaitAtTheSameTime) {
  const std::string much(8 << 20, 'x');
  const std::array<std::string_view, 1> pieces{much};
  std::optional<Read> written;
  const auto write = [&]() -> Task<void> { written = co_await near->write(pieces); };
  loop.start(write());
  std::optional<std::string> answer;
  const auto read = [&]() -> Task<void> { answer = co_await read_exactly(*near, 5); };
  loop.start(read());
  loop.finish(turn());
  EXPECT_FALSE(written || answer);
  loop.start(say(*far, "heard"));
  ASSERT_TRUE(loop.run_until([&] { return answer.has_value(); }));
  EXPECT_EQ(*answer, "heard");
  EXPECT_TRUE(loop.finish(read_exactly(*far, much.size())) == much);
  ASSERT_TRUE(loop.run_until([&] { return written.has_value(); }));
  EXPECT_EQ(*written, Read(error_code(), much.size()));
}

// Nothing is left of what waits (the address sanitizer would tell), though each coroutine owns the stream for which it waits.
TEST(StreamOfALoopTest, GoesWithIt) {
  auto loop = std::make_unique<Loop>();
  auto [near_socket, far_socket] = connected_pair(*loop);
  bool went_on = false;
  const auto own = [&went_on](std::unique_ptr<Stream> stream) -> Task<void> {
    std::array<char, 10> buffer{};
    co_await read_some(*stream, asio::buffer(buffer));
    went_on = true;
  };
  loop->start(own(std::make_unique<Stream>(std::move(near_socket))));
  loop->start(own(std::make_unique<Stream>(std::move(far_socket))));
  loop->finish(turn());
  loop.reset();
  EXPECT_FALSE(went_on);
}

TEST_P(StreamTest, IsQuietUntilThePeerSpeaksOrEnds) {
  EXPECT_TRUE(near->is_quiet());
  loop.finish(say(*far, "x"));
  EXPECT_FALSE(near->is_quiet());
  EXPECT_EQ(loop.finish(read_exactly(*near, 1)), "x");
  EXPECT_TRUE(near->is_quiet());
  far->close();
  EXPECT_FALSE(near->is_quiet());
  near->close();
  EXPECT_FALSE(near->is_quiet());
}

TEST_P(StreamTest, WhatALookHasSeenIsReadWithoutAnother) {
  near->set_deadline(in(hang));
  for (const char* text : {"one", "two"}) {
    loop.finish(say(*far, text));
    EXPECT_FALSE(near->is_quiet());
    EXPECT_EQ(loop.finish(read_exactly(*near, 3)), text);
    EXPECT_TRUE(near->is_quiet());
  }
}

/// A stream whose peer sends what the test makes of TLS, and nothing else.
class RecordsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const Pki pki;
    client = std::move(*TlsClient::make(pki.ca_pem));
    server = std::move(*TlsServer::make(pki.certificate_file, pki.key_file));
    auto [near_socket, far_socket] = connected_pair(loop);
    near = std::make_unique<Stream>(std::move(near_socket));
    far = std::make_unique<RecordPeer>(std::move(far_socket), server->accept());
    std::string why;
    loop.start(serve_handshake());
    ASSERT_FALSE(loop.finish(near->handshake_client(*client, "localhost", 443, why))) << why;
    ASSERT_TRUE(loop.run_until([this] { return served; }));
    ASSERT_TRUE(near->is_quiet());
  }

  Task<void> serve_handshake() {
    co_await far->shake_hands();
    served = true;
  }

  Read read() {
    const auto read_one = [this]() -> Task<Read> { co_return co_await read_some(*near, asio::buffer(buffer)); };
    return loop.finish(read_one());
  }

  Loop loop;
  std::unique_ptr<TlsClient> client;
  std::unique_ptr<TlsServer> server;
  std::unique_ptr<Stream> near;
  std::unique_ptr<RecordPeer> far;
  std::array<char, 4096> buffer;
  bool served = false;
};

// Its rest may come behind the next request, and would be taken for the answer to that.
TEST_F(RecordsTest, IsNotQuietWithAnyPartOfARecord) {
  const std::string record = far->record("HTTP/1.1 200 OK\r\n\r\n");
  for (std::size_t at = 0; at < record.size(); ++at) {
    loop.finish(far->send(record.substr(at, 1)));
    EXPECT_FALSE(near->is_quiet()) << at;
  }
}

TEST_F(RecordsTest, IsQuietBehindRecordsThatSayNothing) {
  for (const int count : {1, 2, 100}) {
    loop.finish(far->send(far->tickets(count)));
    EXPECT_TRUE(near->is_quiet()) << count;
  }
}

TEST_F(RecordsTest, RecordsThatSayNothingHoldUpNeitherOthersNorTheDeadline) {
  const std::string tickets = far->tickets(1'000);
  loop.finish(far->send(tickets + far->record("x")));
  near->set_deadline(in(-1ms));
  EXPECT_EQ(read().first, asio::error::timed_out);
  near->set_deadline(in(hang));
  int turns_of_others = 0;
  bool heard = false;
  const std::function<void()> take_turns = [&] {
    ++turns_of_others;
    if (!heard) asio::post(loop.executor(), take_turns);
  };
  take_turns();
  const Read read_all = read();
  heard = true;
  EXPECT_EQ(read_all.second, 1U);
  EXPECT_GT(turns_of_others, 5);
}

TEST_F(RecordsTest, WhatIsBehindRecordsThatSayNothingIsSeenByAWatch) {
  bool gone = false;
  near->watch([&] { gone = true; });
  const std::string tickets = far->tickets(1'000);
  loop.finish(far->send(tickets + far->record("x")));
  far->close();
  EXPECT_TRUE(loop.run_until([&] { return gone; }));
  near->set_deadline(in(hang));
  EXPECT_EQ(read().second, 1U);
  EXPECT_EQ(read().first, asio::error::eof);
}

TEST_P(StreamTest, IsNotQuietAfterAReset) {
  far->reset();
  EXPECT_FALSE(near->is_quiet());
}

TEST_P(StreamTest, WatchTellsOnceOfTheEnd) {
  for (const bool by_reset : {false, true}) {
    SetUp();
    int told = 0;
    near->watch([&] { ++told; });
    Timer tick(loop.executor(), in(1ms));
    tick.async_wait([&](error_code) { by_reset ? far->reset() : far->close(); });
    EXPECT_TRUE(loop.run_until([&] { return told > 0; }));
    std::optional<Read> outcome;
    loop.finish(read_into(*near, 10, outcome));
    EXPECT_EQ(outcome->first, by_reset ? asio::error::connection_reset : error_code(asio::error::eof));
    EXPECT_EQ(told, 1);
  }
}

TEST_P(StreamTest, WatchKeepsWhatCameForTheNextRead) {
  int told = 0;
  near->watch([&] { ++told; });
  const std::string early(10'000, 'e');
  loop.finish(say(*far, early));
  Timer tick(loop.executor(), in(5ms));
  tick.async_wait([&](error_code) { far->close(); });
  ASSERT_TRUE(loop.run_until([&] { return told > 0; }));
  near->stop_watch();
  EXPECT_TRUE(loop.finish(read_exactly(*near, early.size() + 1)) == early + " (End of file)");
}

TEST_P(StreamTest, WatchSeesAResetBehindMoreThanItKeeps) {
  bool told = false;
  near->watch([&] { told = true; });
  const std::string early(200'000, 'e');
  loop.finish(say(*far, early));
  run_for(5ms);
  EXPECT_FALSE(told);
  far->reset();
  EXPECT_TRUE(loop.run_until([&] { return told; }));
}

TEST_P(StreamTest, WatchAfterWatchWithReadsBetweenLosesNothing) {
  for (int round = 0; round < 20; ++round) {
    int told = 0;
    near->watch([&] { ++told; });
    const std::string text = "round " + std::to_string(round);
    if (round % 2 == 0) loop.finish(say(*far, text));
    near->stop_watch();
    if (round % 2 == 1) loop.start(say(*far, text));
    ASSERT_EQ(loop.finish(read_exactly(*near, text.size())), text);
    ASSERT_EQ(told, 0);
  }
  bool told = false;
  near->watch([&] { told = true; });
  far->close();
  EXPECT_TRUE(loop.run_until([&] { return told; }));
}

// It was to begin with what has come already.
TEST_P(StreamTest, AWatchThatIsStoppedAtOnceLeavesThatForTheNextRead) {
  std::optional<Read> never;
  loop.start(read_into(*far, 1, never));  // so that the loop looks for what comes
  near->set_deadline(in(hang));
  for (int round = 0; round < 3; ++round) {
    loop.finish(say(*far, "one"));
    ASSERT_TRUE(loop.run_until([this] { return near->has_unread(); }));
    run_for(1ms);
    near->watch([] {});
    near->stop_watch();
    std::optional<Read> outcome;
    loop.finish(read_into(*near, 10, outcome));  // there is more room than bytes
    EXPECT_EQ(*outcome, Read(error_code(), 3));
  }
}

TEST_P(StreamTest, StoppedWatchTellsNothing) {
  bool told = false;
  near->watch([&] { told = true; });
  near->stop_watch();
  far->close();
  std::optional<Read> outcome;
  loop.finish(read_into(*near, 10, outcome));
  EXPECT_EQ(outcome->first, asio::error::eof);
  EXPECT_FALSE(told);
}

TEST_P(StreamTest, WatcherMayDestroyTheStream) {
  bool told = false;
  near->watch([&] {
    near.reset();
    told = true;
  });
  far->close();
  EXPECT_TRUE(loop.run_until([&] { return told; }));
}

TEST_P(StreamTest, WatchGoesOnAfterTheDeadlineOfAWrite) {
  bool told = false;
  near->watch([&] { told = true; });
  const std::string much(32 << 20, 'x');
  const std::array<std::string_view, 1> pieces{much};
  near->set_deadline(in(5ms));
  EXPECT_EQ(loop.finish(near->write(pieces)).first, asio::error::timed_out);
  EXPECT_FALSE(told);
  far->reset();
  EXPECT_TRUE(loop.run_until([&] { return told; }));
}

}  // namespace
}  // namespace fairlead::net::test
