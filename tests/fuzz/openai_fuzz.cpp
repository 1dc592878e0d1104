// Any bytes as a request, an answer (buffered, streamed, streamed in parts) and a refusal. What is sent to a provider stays JSON; a
// stream is the same however it was cut; nothing that ends in an error ends in [DONE].
#include <fairlead/dialect.h>

#include "wire/json.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace fairlead {

const Dialect& dialect_openai();

namespace {

struct There {
  Profile profile;
  Provider provider;
  Model model;
  Target target;
  There() {
    profile.output_limit_field = "max_tokens";
    profile.rename = {{"a", "b"}};
    profile.drop = {"seed"};
    profile.reasoning_field = "reasoning";
    provider.profile = &profile;
    provider.api_key = "a-test-key-of-some-length";
    model.name = "the-model";
    target.provider = &provider;
    target.model = &model;
  }
};

std::string run(const ChatRequest& request, const Target& target, std::string_view bytes, std::size_t part) {
  AnswerOptions options;
  options.answer_model = AnswerModel::asked;
  options.asked_model = "asked";
  options.event_bytes_max = 4096;
  options.cost_usd = [](const AnswerSummary&) { return std::string("0.5"); };
  const auto coder = dialect_openai().answer_coder(request, target, options);
  std::string seen;
  Result<void> result = boost::system::in_place_value;
  const auto take = [&](const Pieces& out) {
    for (const std::string_view piece : out) seen += piece;
  };
  for (std::size_t at = 0; at < bytes.size() && result; at += part) {
    const std::string copy(bytes.substr(at, part));
    Pieces out;
    result = coder->feed(copy, out);
    take(out);
  }
  if (result) {
    Pieces out;
    result = coder->finish(out);
    take(out);
  }
  if (!result) seen += "error " + std::string(to_string(result.error().kind)) + result.error().message();
  if (!result && request.stream && ("\n\n" + seen).find("\n\ndata: [DONE]\n\nerror ") != std::string::npos) std::abort();
  return seen;
}

}  // namespace
}  // namespace fairlead

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead;
  if (size == 0) return 0;
  static const There there;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto request = dialect_openai().parse_request(std::string(bytes))) {
    const auto encoded = dialect_openai().encode_request(*request, there.target);
    std::string body;
    for (const std::string_view piece : encoded->body) body += piece;
    const auto again = dialect_openai().parse_request(body);
    if (!again || again->model != "the-model") std::abort();
  }
  for (const bool asks : {false, true}) {
    ChatRequest request;
    request.include_usage = asks;
    run(request, there.target, bytes, bytes.size() + 1);
    request.stream = true;
    const std::string whole = run(request, there.target, bytes, bytes.size() + 1);
    if (run(request, there.target, bytes, 1U + data[0] % 32) != whole) std::abort();
  }
  const Error refusal = dialect_openai().read_refusal(400, bytes, there.target);
  if (refusal.message().find(there.provider.api_key) != std::string::npos) std::abort();
  return 0;
}
