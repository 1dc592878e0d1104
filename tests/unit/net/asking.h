#pragma once
// An app's side of a Pool in tests: one provider on the loopback, and requests to it.
#include "net/pool.h"

#include "unit/net/script.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::net::test {

/// How one request came out.
struct Got {
  std::optional<Error> error;
  int status = 0;
  std::string body;
  SendReport report;

  std::string kind() const { return error ? std::string(to_string(error->kind)) : "ok"; }
};

/// All of a body, or `bytes_max` of it. Every other time it tells only later whether it wants more.
class Heard final : public BodySink {
 public:
  /// `on_bytes` is called for each of the pieces that come.
  explicit Heard(
      std::function<void()> on_bytes = [] {}, std::size_t bytes_max = 1 << 30)
      : on_bytes_(std::move(on_bytes)), bytes_max_(bytes_max) {}
  std::optional<bool> take(std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    on_bytes_();
    bytes_ = bytes;
    if (std::exchange(tells_later, !tells_later)) return std::nullopt;
    return keep();
  }
  Task<bool> rest() override { co_return keep(); }

  std::string body;
  bool tells_later = true;  ///< the next time

 private:
  bool keep() {
    body += bytes_;
    return body.size() < bytes_max_;
  }
  std::function<void()> on_bytes_;
  std::size_t bytes_max_;
  std::string_view bytes_;
};

class Asking : public ::testing::Test {
 protected:
  Asking() {
    provider.name = "maker";
    provider.base_url = {false, "127.0.0.1", 0, "/v1"};
    provider.timeouts = {hang, hang, hang, hang, hang};
    encoded.path = "/chat/completions";
    encoded.fields = {{"Content-Type", "application/json"}, {"Authorization", "Bearer secret"}};
    encoded.body = {"{\"model\":", "\"m\"}"};
  }

  UpstreamRequest request() const {
    UpstreamRequest made;
    made.provider = &provider;
    made.encoded = &encoded;
    made.deadline = steady_clock::now() + provider.timeouts.total;
    return made;
  }

  /// Sends, and reads the answer to its end.
  Task<Got> ask(UpstreamRequest what) {
    Got got;
    Result<std::unique_ptr<UpstreamAnswer>> answer = co_await pool->send(what, got.report, cancel);
    if (!answer) {
      got.error = answer.error();
      co_return got;
    }
    got.status = (*answer)->status();
    Heard heard([&answer] { (*answer)->first_content(); });
    const Result<void> read = co_await (*answer)->read(heard);
    if (!read) got.error = read.error();
    got.body = std::move(heard.body);
    co_return got;
  }

  Got ask() { return loop.finish(ask(request())); }

  /// As the exchange does: once more on a fresh connection where the error allows it.
  Got ask_as_the_exchange_does() {
    Got got = ask();
    if (!got.error || got.error->retry != Retry::reused_connection_only) return got;
    UpstreamRequest again = request();
    again.fresh_connection = true;
    return loop.finish(ask(again));
  }

  void connect_to(const ScriptedServer& server) { provider.base_url.port = server.port(); }

  Loop loop;
  Provider provider;
  EncodedRequest encoded;
  Cancel cancel;
  std::unique_ptr<Pool> pool = std::make_unique<Pool>(loop.executor());
};

/// Answers each request in turn, then waits for the peer's end.
inline Script answering(std::vector<std::string> answers, std::string* heard = nullptr) {
  return [answers, heard](Stream& stream) -> Task<void> {
    for (const std::string& answer : answers) {
      const std::string request = co_await hear_request(stream);
      if (request.empty()) co_return;
      if (heard != nullptr) heard->append(request);
      co_await say(stream, answer);
    }
    co_await hear_all(stream);
  };
}

/// Says that after a request, and closes.
inline Script answering_then_closing(std::string answer) {
  return [answer](Stream& stream) -> Task<void> {
    co_await hear_request(stream);
    co_await say(stream, answer);
  };
}

/// Listens, and says nothing.
inline Script silent() {
  return [](Stream& stream) -> Task<void> { co_await hear_all(stream); };
}

inline std::string whole(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace fairlead::net::test
