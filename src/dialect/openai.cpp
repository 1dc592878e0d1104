// The dialect of OpenAI's chat completions: spoken by the apps, and by most providers with quirks that are data
// (config/profiles.yaml).
#include <fairlead/dialect.h>

#include "dialect/openai/coders.h"
#include "dialect/openai/provider_error.h"
#include "dialect/openai/request.h"
#include "wire/json.h"

namespace fairlead {
namespace {

class OpenAi final : public Dialect {
 public:
  Result<ChatRequest> parse_request(Bytes body) const override { return openai::parse_request(std::move(body)); }

  std::string error_body(const Error& error, std::string_view type, std::string_view code) const override {
    std::string body = R"({"error":{"message":)";
    wire::append_quoted(body, error.message());
    body += R"(,"type":)";
    wire::append_quoted(body, type);
    body += R"(,"param":)";
    append_or_null(body, error.param());
    body += R"(,"code":)";
    append_or_null(body, code);
    return body += "}}";
  }

  std::string error_event(const Error& error, std::string_view type, std::string_view code) const override {
    return "data: " + error_body(error, type, code) + "\n\n";
  }

  Result<EncodedRequest> encode_request(const ChatRequest& request, const Target& target) const override {
    return openai::encode_request(request, target);
  }

  std::unique_ptr<AnswerCoder> answer_coder(const ChatRequest& request, const Target& target,
                                            AnswerOptions options) const override {
    if (request.stream) return openai::streamed_coder(request, target, std::move(options));
    return openai::buffered_coder(target, std::move(options));
  }

  Error read_refusal(int status, std::string_view body, const Target& target) const override {
    return openai::read_refusal(status, body, target);
  }

 private:
  static void append_or_null(std::string& out, std::string_view text) {
    if (text.empty())
      out += "null";
    else
      wire::append_quoted(out, text);
  }
};

}  // namespace

const Dialect& dialect_openai() {
  static const OpenAi dialect;
  return dialect;
}

}  // namespace fairlead
