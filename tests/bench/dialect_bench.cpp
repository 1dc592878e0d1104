// Reading a request, and watching a stream, in OpenAI's dialect.
#include <fairlead/dialect.h>

#include <string>
#include <string_view>
#include <vector>

#include "allocations.h"
#include "chat_request.h"
#include "mock_answers.h"
#include "unit/dialect/rig.h"

namespace fairlead {
namespace {

std::string body_of_bytes(std::size_t bytes) {
  const std::string request = bytes_of({.host = "h", .path = "/", .model = "chat", .headers = {}, .body_bytes = bytes});
  return request.substr(request.find("\r\n\r\n") + 4);
}

void parse_request(benchmark::State& state) {
  const std::string body = body_of_bytes(static_cast<std::size_t>(state.range(0)));
  const Dialect& dialect = dialect_openai();
  const CountAllocations count(state);
  for (auto _ : state) {
    auto request = dialect.parse_request(body);  // the copy of the body is one of the allocations
    if (!request) state.SkipWithError(request.error().message().c_str());
    benchmark::DoNotOptimize(request);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(parse_request)->Arg(1'024)->Arg(100'000)->Arg(1'000'000);

/// The payloads of the mock's chunked stream.
std::vector<std::string> events_of_a_stream() {
  const MockAnswers answers(MockSettings{});
  std::string bytes;
  for (int i = 0; i < 100; ++i) answers.append_chunk(bytes, 0);
  bytes += answers.stream_end();
  std::vector<std::string> events;
  for (std::size_t at = bytes.find("data: "); at != std::string::npos; at = bytes.find("data: ", at + 1))
    events.push_back(bytes.substr(at, bytes.find("\n\n", at) + 2 - at));
  return events;
}

void watch_a_stream_of_100_chunks(benchmark::State& state) {
  const std::vector<std::string> events = events_of_a_stream();
  const TargetRig there("generic");
  const ChatRequest request = stream_request(true);
  std::size_t bytes = 0;
  for (const std::string& event : events) bytes += event.size();
  const CountAllocations count(state);
  for (auto _ : state) {
    const auto coder = dialect_openai().answer_coder(request, there.target(), AnswerOptions{});
    Pieces out;
    for (const std::string& event : events) {
      out.clear();
      if (auto fed = coder->feed(event, out); !fed) state.SkipWithError(fed.error().message().c_str());
    }
    if (auto finished = coder->finish(out); !finished) state.SkipWithError(finished.error().message().c_str());
    benchmark::DoNotOptimize(coder->summary());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}
BENCHMARK(watch_a_stream_of_100_chunks);

}  // namespace
}  // namespace fairlead
