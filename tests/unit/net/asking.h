#pragma once
// An app's side of a Pool in tests: one provider on the loopback, and requests to it.
#include "net/pool.h"

#include "unit/net/script.h"

namespace fairlead::net::test {

/// How one request came out.
struct Got {
  std::optional<Error> error;
  int status = 0;
  std::string body;
  SendReport report;

  std::string kind() const { return error ? std::string(to_string(error->kind)) : "ok"; }
};

class Asking : public ::testing::Test {
 protected:
  Asking() {
    provider.name = "maker";
    provider.base_url = {false, "127.0.0.1", 0, "/v1"};
    provider.timeouts = {hang, hang, hang, hang};
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
    for (;;) {
      const Result<std::string_view> bytes = co_await (*answer)->read();
      if (!bytes) got.error = bytes.error();
      if (!bytes || bytes->empty()) co_return got;
      got.body += *bytes;
      (*answer)->first_content();
    }
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
