#include "net/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <zlib.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "unit/net/certificates.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <map>
#include <new>
#include <string>
#include <thread>

namespace {

thread_local int allocations_left = -1;  ///< until one fails; below 0: none does

}  // namespace

void* operator new(std::size_t bytes) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace fairlead::net {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;
using boost::system::error_code;

constexpr asio::use_awaitable_t<Executor> awaiting{};
constexpr auto patience = 20s;  // for what must happen; nothing waits this long when the tests pass

/// Answers by the path. One worker's thread, but for the promises.
class ScriptedHandler final : public AppHandler {
 public:
  explicit ScriptedHandler(Executor executor) : gate(executor) { gate.expires_at(SteadyTime::max()); }

  bool wants_body(const AppRequest& head) const override { return head.field("x-stranger").empty(); }
  Task<void> handle(std::unique_ptr<AppRequest> given, AppAnswer& answer) override {
    const AppRequest& request = *given;
    ++requests;
    const Fields fields{{"Content-Type", "text/plain"}, {"x-split", "a\r\nX-Evil: 1"}};
    if (request.path == "/echo") {
      const std::string text =
          std::string(request.method) + " " + std::string(request.query) + " [" + std::string(request.body.view()) + "]";
      const std::array<std::string_view, 1> pieces{text};
      co_await answer.send(200, fields, pieces);
    } else if (request.path == "/count") {
      const std::string text = std::to_string(request.body.size());
      const std::array<std::string_view, 1> pieces{text};
      co_await answer.send(200, fields, pieces);
    } else if (request.path == "/stream") {
      co_await stream(answer, fields, true);
    } else if (request.path == "/half") {
      co_await stream(answer, fields, false);
    } else if (request.path == "/abort") {
      co_await stream(answer, fields, false);
      answer.abort();
    } else if (request.path == "/gate") {
      co_await wait_at_gate(answer, fields);
    } else if (request.path == "/flood") {
      co_await flood(answer, fields);
    } else if (request.path == "/throw") {
      throw std::runtime_error("scripted");
    }
  }

  WholeAnswer error_answer(const Error& error) override {
    static const std::map<ErrorKind, int> statuses{
        {ErrorKind::bad_request, 400},       {ErrorKind::request_timeout, 408}, {ErrorKind::body_too_large, 413},
        {ErrorKind::unsupported_media, 415}, {ErrorKind::head_too_large, 431},  {ErrorKind::overloaded, 503},
        {ErrorKind::internal, 500},
    };
    return {statuses.at(error.kind),
            {{"Content-Type", "application/json"}},
            "{\"error\":\"" + std::string(to_string(error.kind)) + "\"}"};
  }
  /// What is asked for first of a connection that was accepted.
  Limits limits() const override {
    if (const int left = fail_allocation.exchange(-1); left >= 0) allocations_left = left;
    return limits_;
  }

  Limits limits_;
  mutable std::atomic<int> fail_allocation = -1;  ///< so many after that, once
  Timer gate;                                     ///< cancelled to open it
  std::promise<void> at_gate;
  std::promise<bool> left_gate;  ///< was the app gone?
  std::promise<ErrorKind> flood_ended;
  int blocks_flooded = 0;  ///< each of 1 MiB, taken by the socket
  int requests = 0;

 private:
  Task<void> stream(AppAnswer& answer, const Fields& fields, bool whole) {
    const std::array<std::string_view, 3> first{"ab", "", "c"};
    const std::array<std::string_view, 2> empty{"", ""};
    const std::array<std::string_view, 1> last{"0123456789abcdef!"};
    EXPECT_TRUE(answer.start(200, fields));
    EXPECT_FALSE(answer.committed());
    EXPECT_TRUE(answer.write_now(first));
    EXPECT_TRUE(answer.committed());
    EXPECT_TRUE(answer.write_now(empty));
    if (whole) co_await answer.finish(last);
  }

  Task<void> wait_at_gate(AppAnswer& answer, const Fields& fields) {
    Cancel cancel;
    cancel.set_hook([this] { gate.cancel(); });
    answer.watch(cancel);
    at_gate.set_value();
    error_code ignored;
    if (!cancel.requested()) co_await gate.async_wait(asio::redirect_error(awaiting, ignored));
    const std::array<std::string_view, 1> pieces{"through"};
    const auto sent = co_await answer.send(200, fields, pieces);
    EXPECT_EQ(sent.has_value(), !cancel.requested() || cancel.reason() == Cancel::Reason::draining);
    left_gate.set_value(cancel.requested());
  }

  Task<void> flood(AppAnswer& answer, const Fields& fields) {
    const std::string block(1 << 20, 'x');
    const std::array<std::string_view, 1> pieces{block};
    EXPECT_TRUE(answer.start(200, fields));
    for (;;) {
      auto written = answer.write_now(pieces);
      if (!written) written = co_await answer.write_on();
      if (*written) {
        ++blocks_flooded;
        continue;
      }
      flood_ended.set_value(written->error().kind);
      co_return;
    }
  }
};

/// An app: blocking, with patience.
class App {
 public:
  explicit App(
      const Endpoint& endpoint, const std::function<void()>& before_connecting = [] {})
      : socket_(context_, endpoint.protocol()) {
    before_connecting();
    socket_.connect(endpoint);
    socket_.set_option(asio::ip::tcp::no_delay(true));
    set_patience(patience);
  }
  void set_patience(std::chrono::seconds seconds) {
    const timeval wait{seconds.count(), 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  }
  /// False if the connection is gone.
  bool say(std::string_view bytes) {
    error_code error;
    asio::write(socket_, asio::buffer(bytes), error);
    return !error;
  }
  /// Up to and with `mark`.
  std::string hear_until(std::string_view mark) {
    while (heard_.find(mark) == heard_.npos && hear_more()) {
    }
    const std::size_t end =
        std::min(heard_.size(), heard_.find(mark) == heard_.npos ? heard_.size() : heard_.find(mark) + mark.size());
    std::string text = heard_.substr(0, end);
    heard_.erase(0, end);
    return text;
  }
  std::string hear_all() {
    while (hear_more()) {
    }
    return std::exchange(heard_, {});
  }
  /// After hear_all(): how it ended.
  error_code end() const { return end_; }
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }
  int descriptor() { return socket_.native_handle(); }
  void half_close() { socket_.shutdown(asio::socket_base::shutdown_send); }

 private:
  bool hear_more() {
    std::array<char, 65536> block;
    const ssize_t bytes = ::recv(socket_.native_handle(), block.data(), block.size(), 0);
    if (bytes <= 0) {
      end_ = bytes == 0 ? error_code(asio::error::eof) : error_code(errno, boost::system::system_category());
      return false;
    }
    heard_.append(block.data(), static_cast<std::size_t>(bytes));
    return true;
  }

  asio::io_context context_;
  asio::ip::tcp::socket socket_;
  std::string heard_;
  error_code end_;
};

class ServerTest : public testing::Test {
 protected:
  ServerTest() : handler(context.get_executor()), server(std::make_unique<Server>(context.get_executor(), handler, memory)) {}
  ~ServerTest() override {
    if (!thread.joinable()) return;
    drain(0ms);
    EXPECT_EQ(stopped.wait_for(patience), std::future_status::ready) << "something was left running";
    context.stop();
    thread.join();
    EXPECT_EQ(server->counters().connections_open, 0u);
    server.reset();
  }

  void start() {
    const auto bound = server->listen(*parse_endpoint("127.0.0.1:0"), tls);
    ASSERT_TRUE(bound) << bound.error().message();
    endpoint = *bound;
    thread = std::thread([this] {
      const auto work = asio::make_work_guard(context);
      context.run();
    });
  }

  void drain(Milliseconds limit) {
    asio::post(context, [this, limit] { server->drain(limit); });
    if (stopped.valid()) return;
    auto promise = std::make_shared<std::promise<void>>();
    stopped = promise->get_future();
    asio::co_spawn(context.get_executor(), server->stopped(), [promise](std::exception_ptr) { promise->set_value(); });
  }

  /// One answer's status line, head and body, on a new connection that is closed by the server at the end.
  std::string ask(const std::string& bytes) {
    App app(endpoint);
    app.say(bytes);
    return app.hear_all();
  }

  asio::io_context context{1};
  ScriptedHandler handler;
  BodyMemory memory;
  std::unique_ptr<Server> server;
  Endpoint endpoint;
  std::shared_ptr<const TlsServer> tls;
  std::thread thread;
  std::future<void> stopped;
};

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string post(const std::string& path, const std::string& fields, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string with_length(const std::string& body) { return "Content-Length: " + std::to_string(body.size()) + "\r\n"; }

int status_of(const std::string& answer) { return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3)); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::string gzip(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  start();
  App app(endpoint);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(app.say(post("/echo?q=" + std::to_string(i), with_length("body"), "body")));
    EXPECT_TRUE(has(app.hear_until("]"), "POST q=" + std::to_string(i) + " [body"));
  }
}

TEST_F(ServerTest, TheHeadOfAnAnswerSaysWhatItMustAndNotWhatRuns) {  // M57
  start();
  const std::string answer = ask(get("/echo", "Connection: close\r\n"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_TRUE(has(answer, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET  []"));
  EXPECT_FALSE(has(answer, "Server:"));
  EXPECT_FALSE(has(answer, "Evil")) << "a value with CRLF split the head";
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  std::string three;
  for (const char* q : {"1", "2", "3"}) three += post("/echo?"s + q, with_length("b"s + q), "b"s + q);
  const std::string closing = get("/echo?4", "Connection: close\r\n") + get("/echo?5");
  for (std::size_t step : {three.size() + closing.size(), std::size_t{1}}) {
    App app(endpoint);
    const std::string bytes = three + closing;
    for (std::size_t at = 0; at < bytes.size(); at += step) app.say(std::string_view(bytes).substr(at, step));
    const std::string answers = app.hear_all();
    const std::size_t first = answers.find("POST 1 [b1]"), second = answers.find("POST 2 [b2]"),
                      third = answers.find("POST 3 [b3]");
    EXPECT_TRUE(first < second && second < third && third < answers.find("GET 4 []")) << answers;
    EXPECT_FALSE(has(answers, "GET 5")) << "after Connection: close";
  }
}

TEST_F(ServerTest, ChunkedBodiesAreTheSameWhereverTheyAreCut) {
  start();
  const std::string bytes = post("/echo", "Transfer-Encoding: chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: z\r\n\r\n");
  App app(endpoint);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    ASSERT_TRUE(app.say(std::string_view(bytes).substr(0, cut)));
    ASSERT_TRUE(app.say(std::string_view(bytes).substr(cut)));
    ASSERT_TRUE(has(app.hear_until("]"), "[abcde")) << cut;
  }
}

TEST_F(ServerTest, CompressedBodiesAreHandedOnDecompressed) {  // M36
  start();
  const std::string text(50'000, 'x'), packed = gzip(text);
  const std::string fields = "Connection: close\r\nContent-Encoding: gzip\r\n";
  EXPECT_TRUE(has(ask(post("/count", fields + with_length(packed), packed)), "\r\n\r\n50000"));
  EXPECT_EQ(status_of(ask(post("/count", fields + with_length(packed) + "Connection: close\r\n",
                               packed.substr(0, 20) + std::string(packed.size() - 20, 'z')))),
            400);
  const std::string cut = packed.substr(0, packed.size() - 1);
  EXPECT_EQ(status_of(ask(post("/count", fields + with_length(cut), cut))), 400);
  EXPECT_EQ(status_of(ask(post("/count", "Content-Encoding: br\r\n" + with_length("x"), "x"))), 415);
}

TEST_F(ServerTest, ADecompressionBombIsRefused) {  // M36
  handler.limits_.body_bytes_max = 1 << 20;
  start();
  const std::string packed = gzip(std::string(16 << 20, 'a'));
  EXPECT_EQ(status_of(ask(post("/count", "Content-Encoding: gzip\r\n" + with_length(packed), packed))), 413);
}

TEST_F(ServerTest, BodiesPassUpToTheLimitAndAboveItAreRefusedBeforeTheyAreRead) {  // M63
  handler.limits_.body_bytes_max = 1'000'000;
  start();
  const std::string whole(1'000'000, 'x');
  EXPECT_TRUE(has(ask(post("/count", "Connection: close\r\n" + with_length(whole), whole)), "\r\n\r\n1000000"));
  const std::string chunk = "f4240\r\n" + whole + "\r\n";
  EXPECT_TRUE(
      has(ask(post("/count", "Connection: close\r\nTransfer-Encoding: chunked\r\n", chunk + "0\r\n\r\n")), "\r\n\r\n1000000"));
  for (const std::string& request :
       {post("/count", "Content-Length: 1000001\r\n", ""), post("/count", "Transfer-Encoding: chunked\r\n", chunk + "1\r\nx")}) {
    App app(endpoint);
    app.say(request);
    const std::string answer = app.hear_until("\"}");
    EXPECT_EQ(status_of(answer), 413);
    EXPECT_TRUE(has(answer, "Content-Type: application/json\r\n") && has(answer, "Connection: close\r\n") &&
                answer.ends_with("{\"error\":\"body_too_large\"}"));
  }
  EXPECT_EQ(handler.requests, 2);
}

TEST_F(ServerTest, LargeBodiesTogetherStayUnderTheirLimit) {
  handler.limits_.bodies_bytes_max = 500'000;
  handler.limits_.body_ms_max = 200ms;
  start();
  const std::string body(300'000, 'x'), small(1000, 'x');
  const std::string length = with_length(body), chunk = "493e0\r\n" + body + "\r\n0\r\n\r\n";
  App first(endpoint);
  first.say(post("/gate", length, body));
  ASSERT_EQ(handler.at_gate.get_future().wait_for(patience), std::future_status::ready);
  EXPECT_EQ(memory.bytes(), body.size());
  for (const std::string& request : {post("/count", length, body), post("/count", "Transfer-Encoding: chunked\r\n", chunk)}) {
    const std::string answer = ask(request);
    EXPECT_EQ(status_of(answer), 503);
    EXPECT_TRUE(has(answer, "{\"error\":\"overloaded\"}"));
  }
  EXPECT_TRUE(has(ask(post("/count", "Connection: close\r\n" + with_length(small), small)), "\r\n\r\n1000"));
  App waiting(endpoint);
  waiting.say(post("/count", length, body));
  asio::post(context, [this] { handler.gate.cancel(); });
  EXPECT_EQ(status_of(first.hear_until("through")), 200);
  EXPECT_TRUE(has(waiting.hear_until("300000"), "\r\n\r\n300000"));
  EXPECT_TRUE(has(ask(post("/count", "Connection: close\r\nTransfer-Encoding: chunked\r\n", chunk)), "\r\n\r\n300000"));
}

TEST_F(ServerTest, CompressedBodiesCountAsWhatTheyBecome) {
  handler.limits_.bodies_bytes_max = 500'000;
  handler.limits_.body_ms_max = 200ms;
  start();
  const std::string packed = gzip(std::string(300'000, 'x')), gzipped = "Content-Encoding: gzip\r\n";
  const std::string request = post("/count", gzipped + with_length(packed), packed);
  App first(endpoint);
  first.say(post("/gate", gzipped + with_length(packed), packed));
  ASSERT_EQ(handler.at_gate.get_future().wait_for(patience), std::future_status::ready);
  EXPECT_EQ(memory.bytes(), 300'000u);
  const std::string answer = ask(request);
  EXPECT_EQ(status_of(answer), 503);
  EXPECT_TRUE(has(answer, "{\"error\":\"overloaded\"}"));
  App waiting(endpoint);
  waiting.say(request);
  asio::post(context, [this] { handler.gate.cancel(); });
  EXPECT_TRUE(has(waiting.hear_until("300000"), "\r\n\r\n300000"));
}

TEST_F(ServerTest, NoMoreIsInflatedThanThereIsRoomFor) {
  handler.limits_.bodies_bytes_max = 500'000;
  handler.limits_.body_ms_max = 50ms;
  start();
  std::string packed = gzip(std::string(16 << 20, 'x'));
  packed.back() ^= 1;  // who reads so far finds it corrupt
  EXPECT_EQ(status_of(ask(post("/count", "Content-Encoding: gzip\r\n" + with_length(packed), packed))), 503);
}

TEST_F(ServerTest, AnAppThatFirstSendsAllOfItsTooLargeBodySeesTheAnswer) {  // M63
  start();
  const std::string body(48 << 20, 'x');
  App app(endpoint);
  EXPECT_TRUE(app.say(post("/count", with_length(body), body)));
  EXPECT_EQ(status_of(app.hear_until("\"}")), 413);
}

TEST_F(ServerTest, ACutRequestIsNeverHandedOn) {
  start();
  const std::string by_length = post("/echo", "Content-Length: 4\r\n", "body");
  const std::string by_chunks = post("/echo", "Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n");
  for (const std::string& bytes : {by_length, by_chunks}) {
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      App app(endpoint);
      app.say(std::string_view(bytes).substr(0, cut));
      app.half_close();
      EXPECT_EQ(app.hear_all(), "") << cut;
    }
  }
  EXPECT_EQ(handler.requests, 0);
}

TEST_F(ServerTest, Expect100ContinueIsAnsweredOnlyWhereTheBodyIsWanted) {
  handler.limits_.body_bytes_max = 100;
  start();
  App app(endpoint);
  app.say(post("/echo", "Expect: 100-continue\r\n" + with_length("body"), ""));
  EXPECT_EQ(app.hear_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  app.say("body");
  EXPECT_TRUE(has(app.hear_until("]"), "[body"));
  app.say(post("/echo", "Expect: 100-continue\r\n" + with_length("body"), "body"));
  EXPECT_TRUE(app.hear_until("]").starts_with("HTTP/1.1 200 OK\r\n")) << "the body came unasked";
  app.say(post("/echo", "Expect: 100-continue\r\nContent-Length: 101\r\n", ""));
  EXPECT_EQ(status_of(app.hear_until("\"}")), 413);
}

TEST_F(ServerTest, ALargeBodyIsReadOnlyWhereItIsWanted) {
  start();
  const std::string packed = gzip(std::string(1 << 20, 'x'));
  const std::string large = "Content-Length: 65537\r\n", stranger = "X-Stranger: 1\r\n", expect = "Expect: 100-continue\r\n";
  const std::pair<std::string, std::string> table[] = {
      {stranger + large, ""},
      {stranger + expect + large, ""},
      {stranger + "Transfer-Encoding: chunked\r\n", "20000\r\n" + std::string(65537, 'x')},
      {stranger + "Content-Encoding: gzip\r\n" + with_length(packed), packed.substr(0, packed.size() - 1)},
      {stranger + "Content-Encoding: gzip\r\n" + with_length(packed), packed},
  };
  for (const auto& [fields, begun] : table) {
    App app(endpoint);
    app.say(post("/count", fields, begun));
    const std::string answer = app.hear_until("\r\n\r\n0");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n") && has(answer, "Connection: close\r\n")) << answer;
    app.say(std::string(65537, 'x'));  // what comes late does not turn the answer into a reset
    app.hear_all();
    EXPECT_EQ(app.end(), asio::error::eof);
  }
  App app(endpoint);
  app.say(post("/count", stranger + "Content-Length: 65536\r\n", std::string(65536, 'x')));
  EXPECT_TRUE(app.hear_until("65536").starts_with("HTTP/1.1 200 OK\r\n")) << "what is small is read from anyone";
}

TEST_F(ServerTest, MalformedRequestsAreRefusedAndWhatFollowsIsNotServed) {  // M58
  start();
  const std::string canary = get("/echo?canary");
  for (const std::string& bytes : {
           "GET / HTTP/1.1\nHost: a\n\n"s,
           "\x16\x03\x01\x02"s,
           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s,
           get("/echo", "Host: b\r\n"),
           post("/echo", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
           post("/echo", "Transfer-Encoding: chunked\r\n", "5 \r\nhello\r\n0\r\n\r\n"),
           post("/echo", "Transfer-Encoding: chunked\r\n", "5\r\nhello\n0\r\n\r\n"),
       }) {
    const std::string answer = ask(bytes + canary);
    EXPECT_EQ(status_of(answer), 400) << bytes;
    EXPECT_TRUE(answer.ends_with("{\"error\":\"bad_request\"}")) << answer;
  }
  EXPECT_EQ(handler.requests, 0);
}

TEST_F(ServerTest, LargeHeadsAreRefusedWithAndWithoutAnEnd) {
  handler.limits_.head_bytes_max = 4096;
  start();
  EXPECT_EQ(status_of(ask(get("/echo", "X: " + std::string(5000, 'x') + "\r\n"))), 431);
  EXPECT_EQ(status_of(ask("GET /" + std::string(9000, 'x'))), 431);
  EXPECT_EQ(status_of(ask(get("/echo", "X: " + std::string(3900, 'x') + "\r\nConnection: close\r\n"))), 200);
}

TEST_F(ServerTest, SlowRequestsAreEndedByTheirDeadlines) {
  handler.limits_.head_ms_max = 50ms;
  handler.limits_.body_ms_max = 50ms;
  handler.limits_.keep_alive_ms_max = 50ms;
  start();
  EXPECT_EQ(ask(""), "") << "idle: closed without a word";
  EXPECT_EQ(status_of(ask("GET /echo HTTP/1.1\r\nHost:")), 408);
  EXPECT_EQ(status_of(ask(post("/echo", "Content-Length: 5\r\n", "abc"))), 408);
  EXPECT_EQ(handler.requests, 0);
}

TEST_F(ServerTest, ASlowLorisCannotMoveTheDeadlineOfItsHead) {
  handler.limits_.head_ms_max = 100ms;
  start();
  App app(endpoint);
  app.say("GET /echo HTTP/1.1\r\n");
  const auto begin = std::chrono::steady_clock::now();
  // Each round trip of another connection is the pause before the next drop.
  while (std::chrono::steady_clock::now() - begin < 100ms) {
    App other(endpoint);
    other.say(get("/echo"));
    other.hear_until("]");
    app.say("X: y\r\n");
  }
  EXPECT_EQ(status_of(app.hear_all()), 408);
}

TEST_F(ServerTest, StreamsAreOneChunkPerWrite) {
  start();
  const std::string answer = ask(get("/stream", "Connection: close\r\n"));
  EXPECT_TRUE(has(answer, "Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n3\r\nabc\r\n11\r\n0123456789abcdef!\r\n0\r\n\r\n")) << answer;
}

TEST_F(ServerTest, HttpOneZeroGetsAStreamThatEndsWithTheConnection) {
  start();
  const std::string answer = ask("GET /stream HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_FALSE(has(answer, "chunked"));
  EXPECT_TRUE(has(answer, "Connection: close\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nabc0123456789abcdef!")) << answer;
  EXPECT_TRUE(has(ask("GET /echo HTTP/1.0\r\nHost: a\r\n\r\n"), "Connection: close\r\n"));
}

TEST_F(ServerTest, HttpOneZeroMayKeepTheConnectionOfAWholeAnswer) {
  start();
  App app(endpoint);
  for (int i = 0; i < 2; ++i) {
    app.say("GET /echo HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(has(app.hear_until("]"), "Connection: keep-alive\r\n"));
  }
}

TEST_F(ServerTest, HeadGetsTheHeadAlone) {
  start();
  const std::string answers =
      ask("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get("/echo", "Connection: close\r\n"));
  EXPECT_TRUE(has(answers, "Content-Length: 8\r\n\r\nHTTP/1.1 200"));
  EXPECT_TRUE(has(answers, "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200")) << answers;
}

TEST_F(ServerTest, AHandlerThatFailsIsA500AndHarmsNobodyElse) {
  start();
  App other(endpoint);
  other.say("GET /echo HT");
  for (const char* path : {"/throw", "/silent"}) {
    const std::string answer = ask(get(path, "Connection: close\r\n"));
    EXPECT_EQ(status_of(answer), 500);
    EXPECT_TRUE(answer.ends_with("{\"error\":\"internal\"}"));
  }
  other.say("TP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(other.hear_until("]")), 200);
  EXPECT_EQ(server->counters().failures, 1u);
}

TEST_F(ServerTest, AnAnswerThatBreaksOffEndsAbnormally) {
  start();
  for (const char* path : {"/half", "/abort"}) {
    App app(endpoint);
    app.say(get(path));
    const std::string answer = app.hear_all();
    EXPECT_FALSE(has(answer, "0\r\n\r\n")) << answer;
    EXPECT_EQ(app.end(), asio::error::connection_reset) << path;
  }
}

TEST_F(ServerTest, AnAppThatHangsUpCancelsTheWorkForIt) {
  for (const bool with_reset : {true, false}) {
    SCOPED_TRACE(with_reset ? "RST" : "FIN");
    if (!thread.joinable()) start();
    App app(endpoint);
    app.say(get("/gate") + "GET /echo");
    ASSERT_EQ(handler.at_gate.get_future().wait_for(patience), std::future_status::ready);
    with_reset ? app.reset() : app.half_close();
    auto left = handler.left_gate.get_future();
    ASSERT_EQ(left.wait_for(patience), std::future_status::ready);
    EXPECT_TRUE(left.get());
    std::promise<void> ready;
    asio::post(context, [&] {
      handler.at_gate = {};
      handler.left_gate = {};
      ready.set_value();
    });
    ready.get_future().wait();
  }
}

TEST_F(ServerTest, BytesThatComeWhileTheAppIsWatchedAreTheNextRequest) {
  start();
  App app(endpoint);
  app.say(get("/gate"));
  ASSERT_EQ(handler.at_gate.get_future().wait_for(patience), std::future_status::ready);
  app.say(get("/echo?next"));
  asio::post(context, [this] { handler.gate.cancel(); });
  EXPECT_TRUE(has(app.hear_until("through"), "Content-Length: 7\r\n"));
  EXPECT_TRUE(has(app.hear_until("]"), "GET next []"));
}

TEST_F(ServerTest, AnAppThatTakesNothingIsGivenUp) {
  handler.limits_.write_ms_max = 50ms;
  start();
  App app(endpoint);
  app.say(get("/flood"));
  auto ended = handler.flood_ended.get_future();
  ASSERT_EQ(ended.wait_for(patience), std::future_status::ready);
  EXPECT_EQ(ended.get(), ErrorKind::app_gone);
  EXPECT_LE(handler.blocks_flooded, 1) << "taken by the kernel, though not by the app";
  app.hear_all();
  EXPECT_EQ(app.end(), asio::error::connection_reset);
}

TEST_F(ServerTest, DrainClosesIdleConnectionsAndLetsAnswersFinish) {
  start();
  App idle(endpoint), busy(endpoint);
  idle.say(get("/echo"));
  idle.hear_until("]");
  busy.say(get("/gate") + get("/echo"));
  ASSERT_EQ(handler.at_gate.get_future().wait_for(patience), std::future_status::ready);
  drain(60s);
  EXPECT_EQ(idle.hear_all(), "");
  EXPECT_EQ(idle.end(), asio::error::eof);
  EXPECT_EQ(stopped.wait_for(0s), std::future_status::timeout);
  asio::post(context, [this] { handler.gate.cancel(); });
  const std::string answer = busy.hear_all();
  EXPECT_TRUE(has(answer, "Connection: close\r\n") && answer.ends_with("through")) << answer;
  busy.half_close();
  EXPECT_EQ(stopped.wait_for(patience), std::future_status::ready);
  EXPECT_THROW(App{endpoint}, std::exception) << "nobody listens any more";
}

TEST_F(ServerTest, WhatHasComeWhenADrainBeginsIsAnswered) {
  start();
  App app(endpoint);
  app.say(get("/echo"));
  app.hear_until("]");
  asio::post(context, [&] {
    app.say(get("/echo"));
    server->drain(60s);
  });
  const std::string answer = app.hear_all();
  EXPECT_EQ(status_of(answer), 200) << answer;
  EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
}

TEST_F(ServerTest, DrainCancelsWhatDoesNotFinish) {
  start();
  App app(endpoint), uploading(endpoint);
  uploading.say(post("/echo", "Content-Length: 5\r\n", "abc"));
  app.say(get("/gate"));
  ASSERT_EQ(handler.at_gate.get_future().wait_for(patience), std::future_status::ready);
  drain(10ms);
  EXPECT_TRUE(handler.left_gate.get_future().get());
  EXPECT_EQ(stopped.wait_for(patience), std::future_status::ready);
  EXPECT_NE(app.hear_all().find("through"), std::string::npos) << "an app that is still there gets an end";
}

TEST_F(ServerTest, ConnectionsAboveTheLimitAreClosedAtOnce) {
  handler.limits_.connections_max = 1;
  start();
  App first(endpoint);
  first.say(get("/echo"));
  first.hear_until("]");
  App second(endpoint);
  EXPECT_EQ(second.hear_all(), "");
  EXPECT_EQ(server->counters().connections_refused, 1u);
  first.say(get("/echo"));
  EXPECT_EQ(status_of(first.hear_until("]")), 200);
}

TEST_F(ServerTest, OutOfDescriptorsItWaitsAndGoesOn) {
  start();
  App first(endpoint);
  for (int i = 0; i < 2;
       ++i) {  // the second answer says that the first is over: a sanitizer needs descriptors for what it sees first
    first.say(get("/echo"));
    first.hear_until("]");
  }
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  App waiting(endpoint, [&] {  // its own descriptor is there before there are none
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  });
  waiting.say(get("/echo"));
  first.say(get("/echo"));
  EXPECT_EQ(status_of(first.hear_until("]")), 200) << "those that are there are served";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(status_of(waiting.hear_until("]")), 200);
}

/// The common name in the certificate that the server shows, and its answer.
std::pair<std::string, std::string> ask_over_tls(const Endpoint& endpoint, const std::string& bytes) {
  App app(endpoint);
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), app.descriptor());
  if (SSL_connect(ssl.get()) != 1) return {};
  std::array<char, 64> name{};
  const test::CertificatePtr certificate(SSL_get1_peer_certificate(ssl.get()));
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(), name.size());
  SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
  std::string answer;
  std::array<char, 4096> block;
  for (int size = 0; (size = SSL_read(ssl.get(), block.data(), block.size())) > 0;)
    answer.append(block.data(), static_cast<std::size_t>(size));
  return {name.data(), answer};
}

TEST_F(ServerTest, AnAllocationThatFailsCostsItsConnectionAlone) {
  start();
  constexpr int before_its_first_wait = 7;  // asio cannot bear an exception within one
  for (int k = 0; k < before_its_first_wait; ++k) {
    handler.fail_allocation = k;
    App app(endpoint);
    app.say(get("/echo", "Connection: close\r\n"));
    app.hear_all();
    ASSERT_EQ(status_of(ask(get("/echo", "Connection: close\r\n"))), 200) << k;
  }
  EXPECT_EQ(server->counters().failures, before_its_first_wait);
}

TEST_F(ServerTest, ServesTlsAndChangesItsCertificateForNewConnections) {
  const test::Pki first({"first", "DNS:localhost"}), second({"second", "DNS:localhost"});
  const auto make = [](const test::Pki& pki) {
    return std::shared_ptr<const TlsServer>(TlsServer::make(pki.certificate_file, pki.key_file).value());
  };
  tls = make(first);
  start();
  const std::string request = get("/stream", "Connection: close\r\n");
  const auto [name, answer] = ask_over_tls(endpoint, request);
  EXPECT_EQ(name, "first");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n0\r\n\r\n")) << answer;
  EXPECT_FALSE(has(ask(request), "HTTP/1.1")) << "plain HTTP on a TLS listener";
  std::promise<bool> changed;
  asio::post(context, [&] { changed.set_value(server->set_tls(endpoint, make(second))); });
  EXPECT_TRUE(changed.get_future().get());
  EXPECT_EQ(ask_over_tls(endpoint, request).first, "second");
}

TEST_F(ServerTest, AnAddressThatIsNotOursIsAnErrorThatNamesIt) {
  const auto bound = server->listen(*parse_endpoint("192.0.2.1:80"));
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, ErrorKind::io);
  EXPECT_TRUE(bound.error().message().starts_with("cannot listen on 192.0.2.1 port 80: ")) << bound.error().message();
}

TEST_F(ServerTest, WorkersShareAPort) {
  start();
  Server second(context.get_executor(), handler, memory);
  std::promise<Result<Endpoint>> promise;
  asio::post(context, [&] { promise.set_value(second.listen(endpoint)); });
  const auto bound = promise.get_future().get();
  ASSERT_TRUE(bound) << bound.error().message();
  EXPECT_EQ(*bound, endpoint);
  std::promise<void> gone;
  asio::post(context, [&] {
    second.drain(0ms);
    asio::co_spawn(context.get_executor(), second.stopped(), [&](std::exception_ptr) { gone.set_value(); });
  });
  ASSERT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
}

TEST(ParseEndpoint, TakesAddressesWithPorts) {
  const std::pair<const char*, bool> cases[] = {
      {"127.0.0.1:8080", true}, {"[::1]:8080", true},    {"0.0.0.0:0", true},   {"127.0.0.1", false},
      {"::1:8080", false},      {"localhost:1", false},  {"127.0.0.1:", false}, {"127.0.0.1:70000", false},
      {"[127.0.0.1]:1", false}, {"127.0.0.1:8x", false},
  };
  for (const auto& [text, good] : cases) EXPECT_EQ(parse_endpoint(text).has_value(), good) << text;
}

TEST(HttpDateText, IsThatOfTheRfc) {
  HttpDate date;
  const std::chrono::system_clock::time_point at{std::chrono::seconds(784111777)};
  EXPECT_EQ(date.at(at), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(at + 999ms), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(at + 1s), "Sun, 06 Nov 1994 08:49:38 GMT");
}

}  // namespace
}  // namespace fairlead::net
