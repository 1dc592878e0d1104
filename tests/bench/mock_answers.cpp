#include "mock_answers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iomanip>
#include <sstream>
#include <utility>

namespace {

constexpr std::size_t stamp_digits = 19;

std::string http_chunk(const std::string& bytes) {
  std::ostringstream text;
  text << std::hex << bytes.size() << "\r\n" << bytes << "\r\n";
  return text.str();
}

std::string padded(std::string text, long bytes, std::size_t taken) {
  while (text.size() + taken < static_cast<std::size_t>(std::max(bytes, 0L))) text += text.size() % 6 == 0 ? ' ' : 'x';
  return text;
}

}  // namespace

void MockSettings::take(std::string_view query) {
  const std::array<std::pair<std::string_view, long*>, 6> names = {{{"chunks", &chunks},
                                                                    {"chunk_bytes", &chunk_bytes},
                                                                    {"interval_us", &interval_us},
                                                                    {"delay_us", &delay_us},
                                                                    {"answer_bytes", &answer_bytes},
                                                                    {"per_write", &per_write}}};
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    for (const auto& [name, value] : names)
      if (pair.substr(0, equals) == name) std::from_chars(pair.data() + equals + 1, pair.data() + pair.size(), *value);
  }
}

MockAnswers::MockAnswers(const MockSettings& settings) {
  const std::string frame = R"(data: {"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk","created":1700000000,)"
                            R"("model":"mock-model","service_tier":"default","system_fingerprint":"fp_bench","choices":[)";
  const auto delta = [&frame](const std::string& content, std::string_view finish) {
    return http_chunk(frame + R"({"index":0,"delta":)" + content + R"(,"logprobs":null,"finish_reason":)" + std::string(finish) +
                      "}]}\n\n");
  };
  const std::string usage = R"("usage":{"prompt_tokens":250,"completion_tokens":)" + std::to_string(settings.chunks) +
                            R"(,"total_tokens":)" + std::to_string(250 + settings.chunks) + "}";
  chunk_ = delta(R"({"content":")" + padded('@' + std::string(stamp_digits, '0'), settings.chunk_bytes, 0) + R"("})", "null");
  stamp_at_ = chunk_.find('@') + 1;
  stream_head_ =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  stream_end_ =
      delta("{}", R"("stop")") + http_chunk(frame + "]," + usage + "}\n\n") + http_chunk("data: [DONE]\n\n") + "0\r\n\r\n";

  const std::string begin =
      R"({"id":"chatcmpl-bench0123456789","object":"chat.completion","created":1700000000,"model":"mock-model",)"
      R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
  const std::string end = R"("},"logprobs":null,"finish_reason":"stop"}],)" + usage + "}";
  buffered_ = json_response(padded(begin, settings.answer_bytes, end.size()) + end);
}

void MockAnswers::append_chunk(std::string& out, std::uint64_t sent_ns) const {
  const std::size_t begin = out.size() + stamp_at_;
  out += chunk_;
  for (std::size_t at = begin + stamp_digits; at-- > begin; sent_ns /= 10) out[at] = static_cast<char>('0' + sent_ns % 10);
}

std::string json_response(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}
