#include "net/framing.h"

#include <string>

#include "allocations.h"

namespace fairlead::net {
namespace {

/// As the official SDK for Python sends it.
std::string sdk_head() {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept-Encoding: gzip, deflate\r\nConnection: "
         "keep-alive\r\n"
         "Accept: application/json\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 2.8.1\r\nX-Stainless-Lang: "
         "python\r\n"
         "X-Stainless-Package-Version: 2.8.1\r\nX-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
         "X-Stainless-Runtime-Version: 3.11.2\r\nAuthorization: Bearer sk-0123456789abcdef0123456789abcdef\r\nX-Stainless-Async: "
         "false\r\n"
         "x-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\nContent-Length: 1024\r\n\r\n";
}

void framing_of_a_head(benchmark::State& state) {
  const std::string bytes = sdk_head();
  const CountAllocations count(state);
  for (auto _ : state) {
    auto end = find_head_end(bytes, 0);
    auto head = parse_head(std::string_view(bytes).substr(0, *end));
    if (!head) state.SkipWithError(head.error().message().c_str());
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}
BENCHMARK(framing_of_a_head);

}  // namespace
}  // namespace fairlead::net
