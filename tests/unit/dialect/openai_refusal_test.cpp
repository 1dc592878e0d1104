#include "unit/dialect/rig.h"

#include "dialect/openai/provider_error.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(OpenAiRefusal, MeansWhatTheProviderMeans) {
  const struct {
    const char* profile;
    int status;
    const char* body;
    ErrorKind kind;
    Retry retry;
    const char *message, *code, *param;
  } cases[] = {
      {"openai", 400,
       R"({"error":{"message":"Use max_completion_tokens.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}})",
       ErrorKind::upstream_refused, Retry::before_commit, "Use max_completion_tokens.", "unsupported_parameter", "max_tokens"},
      {"generic", 400,
       R"({"error":{"message":"0.3 is not supported.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}})",
       ErrorKind::upstream_refused, Retry::before_commit, "0.3 is not supported.", "unsupported_value", "temperature"},
      {"openai", 400,
       R"({"error":{"message":"Not a number.","type":"invalid_request_error","param":"temperature","code":"invalid_type"}})",
       ErrorKind::upstream_refused, Retry::never, "Not a number.", "invalid_type", "temperature"},
      {"openai", 400,
       R"({"error":{"message":"Too long.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}})",
       ErrorKind::upstream_refused, Retry::larger_window, "Too long.", "context_length_exceeded", "messages"},
      {"openai", 401, R"({"error":{"message":"Incorrect API key provided: sk-abc.","code":"invalid_api_key"}})",
       ErrorKind::upstream_auth, Retry::before_commit, "The provider does not serve this gateway at the moment.", "invalid_api_key",
       ""},
      {"openai", 404, R"({"error":{"message":"No such model.","code":"model_not_found"}})", ErrorKind::upstream_refused,
       Retry::before_commit, "No such model.", "model_not_found", ""},
      {"openai", 429, R"({"error":{"message":"Slow.","type":"requests","code":"rate_limit_exceeded"}})",
       ErrorKind::upstream_rate_limit, Retry::before_commit, "The provider asks to slow down.", "rate_limit_exceeded", ""},
      {"openai", 429,
       R"({"error":{"message":"You exceeded your quota.","type":"insufficient_quota","code":"credit_balance_exhausted"}})",
       ErrorKind::upstream_no_money, Retry::before_commit, "The provider does not serve this gateway at the moment.",
       "credit_balance_exhausted", ""},
      {"openai", 429, R"({"error":{"message":"You exceeded your quota.","type":"insufficient_quota","code":null}})",
       ErrorKind::upstream_no_money, Retry::before_commit, "The provider does not serve this gateway at the moment.", "", ""},
      {"openai", 503, R"({"error":{"message":"m","type":"service_unavailable_error","code":"server_is_overloaded"}})",
       ErrorKind::upstream_unavailable, Retry::before_commit, "The provider failed.", "server_is_overloaded", ""},
      {"openai", 409, "", ErrorKind::upstream_unavailable, Retry::before_commit, "The provider failed.", "", ""},
      {"qwen", 429, R"({"error":{"message":"tpm","type":"insufficient_quota","code":"insufficient_quota"}})",
       ErrorKind::upstream_rate_limit, Retry::before_commit, "The provider asks to slow down.", "insufficient_quota", ""},
      {"qwen", 400, R"({"code":"Arrearage","message":"overdue","request_id":"r"})", ErrorKind::upstream_no_money,
       Retry::before_commit, "The provider does not serve this gateway at the moment.", "Arrearage", ""},
      {"qwen", 403, R"({"error":{"code":"AllocationQuota.FreeTierOnly","message":"free"}})", ErrorKind::upstream_no_money,
       Retry::before_commit, "The provider does not serve this gateway at the moment.", "AllocationQuota.FreeTierOnly", ""},
      {"qwen", 400, R"({"code":"DataInspectionFailed","message":"Input data may be inappropriate.","request_id":"r"})",
       ErrorKind::upstream_filtered, Retry::never, "Input data may be inappropriate.", "DataInspectionFailed", ""},
      {"qwen", 400, R"({"error":{"code":"invalid_parameter_error","message":"Range of input length should be [1, 98304]"}})",
       ErrorKind::upstream_refused, Retry::larger_window, "Range of input length should be [1, 98304]", "context_length_exceeded",
       ""},
      {"qwen", 400, R"({"error":{"code":"c","message":"parameter.enable_thinking must be set to false for non-streaming calls"}})",
       ErrorKind::upstream_refused, Retry::before_commit, "parameter.enable_thinking must be set to false for non-streaming calls",
       "c", ""},
      {"deepseek", 402,
       R"({"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}})",
       ErrorKind::upstream_no_money, Retry::before_commit, "The provider does not serve this gateway at the moment.",
       "invalid_request_error", ""},
      {"deepseek", 422, R"({"error":{"message":"temperature","param":null}})", ErrorKind::upstream_refused, Retry::never,
       "temperature", "", ""},
      {"vllm", 401, R"({"error":"Unauthorized"})", ErrorKind::upstream_auth, Retry::before_commit,
       "The provider does not serve this gateway at the moment.", "", ""},
      {"vllm", 400,
       R"({"object":"error","message":"This model's maximum context length is 8 tokens.","type":"BadRequestError","param":null,"code":400})",
       ErrorKind::upstream_refused, Retry::larger_window, "This model's maximum context length is 8 tokens.",
       "context_length_exceeded", ""},
      {"vllm", 400, R"({"object":"error","message":{"message":"bad"},"type":"BadRequestError","code":400})",
       ErrorKind::upstream_refused, Retry::never, "bad", "", ""},
      {"sglang", 503, R"({"object":"error","message":"The request queue is full.","type":"x","param":null,"code":503})",
       ErrorKind::upstream_unavailable, Retry::before_commit, "The provider failed.", "", ""},
      {"llamacpp", 503, R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
       ErrorKind::upstream_unavailable, Retry::before_commit, "The provider failed.", "", ""},
      {"llamacpp", 400, R"({"error":{"code":400,"message":"too large","type":"exceed_context_size_error","n_prompt_tokens":9000}})",
       ErrorKind::upstream_refused, Retry::larger_window, "too large", "context_length_exceeded", ""},
      {"lmstudio", 400, R"({"error":"No models loaded."})", ErrorKind::upstream_refused, Retry::never, "No models loaded.", "", ""},
      {"generic", 400, R"([{"error":{"code":400,"message":"Google says no","status":"INVALID_ARGUMENT"}}])",
       ErrorKind::upstream_refused, Retry::never, "Google says no", "", ""},
      {"generic", 422, R"({"detail":[{"loc":["body"],"msg":"field required","type":"missing"}]})", ErrorKind::upstream_refused,
       Retry::never, "field required", "", ""},
      {"generic", 400, R"({"detail":"plain"})", ErrorKind::upstream_refused, Retry::never, "plain", "", ""},
      {"generic", 400, R"({"base_resp":{"status_code":2013,"status_msg":"invalid params"}})", ErrorKind::upstream_refused,
       Retry::never, "invalid params", "2013", ""},
      {"generic", 400, R"({"Response":{"Error":{"Code":"InvalidParameter","Message":"wrong"}}})", ErrorKind::upstream_refused,
       Retry::never, "wrong", "InvalidParameter", ""},
      {"generic", 400, R"({"error_code":336003,"error_msg":"baidu"})", ErrorKind::upstream_refused, Retry::never, "baidu", "336003",
       ""},
      {"generic", 403, R"({"statusCode":403,"message":"apim"})", ErrorKind::upstream_auth, Retry::before_commit,
       "The provider does not serve this gateway at the moment.", "", ""},
      {"generic", 400, R"({"code":"c","error":"text beside a code"})", ErrorKind::upstream_refused, Retry::never,
       "text beside a code", "c", ""},
      {"generic", 502, "<html><body>bad gateway</body></html>", ErrorKind::upstream_unavailable, Retry::before_commit,
       "The provider failed.", "", ""},
      {"deepseek", 400,
       R"({"error":{"message":"Missing `reasoning_content` field in the assistant message at message index 1.","code":"c"}})",
       ErrorKind::upstream_refused, Retry::before_commit,
       "Missing `reasoning_content` field in the assistant message at message index 1.", "c", ""},
      {"generic", 413, "", ErrorKind::upstream_refused, Retry::never, "The provider refused the request.", "", ""},
      {"generic", 400, "\"just text\"", ErrorKind::upstream_refused, Retry::never, "just text", "", ""},
      {"generic", 302, "", ErrorKind::upstream_protocol, Retry::before_commit,
       "The provider answered with a redirect, which is not followed.", "", ""},
  };
  for (const auto& expected : cases) {
    const TargetRig rig(expected.profile);
    const Error refusal = dialect_openai().read_refusal(expected.status, expected.body, rig.target());
    const std::string what = std::string(expected.profile) + ' ' + std::to_string(expected.status) + ' ' + expected.body;
    EXPECT_EQ(refusal.kind, expected.kind) << what;
    EXPECT_EQ(refusal.retry, expected.retry) << what;
    EXPECT_EQ(refusal.message(), expected.message) << what;
    EXPECT_EQ(refusal.origin, ErrorOrigin::provider);
    EXPECT_EQ(refusal.code(), expected.code) << what;
    EXPECT_EQ(refusal.param(), expected.param) << what;
  }
}

TEST(OpenAiRefusal, NoWordsOfTheProvidersGoIntoTheLogSinceTheyMayQuoteThePrompt) {
  const TargetRig rig("generic");
  const std::string quoting =
      R"({"error":{"message":"no: my secret","type":"server_error","code":"my secret","param":"my secret"}})";
  for (const int status : {400, 401, 402, 403, 404, 422, 429, 500, 503}) {
    const Error error = dialect_openai().read_refusal(status, quoting, rig.target());
    EXPECT_EQ(error.detail(), "status " + std::to_string(status) + ", type server_error");
  }
  EXPECT_EQ(dialect_openai().read_refusal(401, R"({"error":{"message":"m","code":"invalid_api_key"}})", rig.target()).detail(),
            "status 401, code invalid_api_key");
}

TEST(OpenAiRefusal, SurvivesHostileBodies) {
  const TargetRig rig("generic");
  std::string nested, messages;
  for (int i = 0; i < 2'500; ++i) nested += R"({"Response":{"Error":)", messages += R"({"message":)";
  for (const std::string& body :
       {std::string(60'000, '['), nested, nested + "1" + std::string(5'000, '}'), messages + "1" + std::string(2'500, '}'),
        std::string(1'000'000, 'x'), std::string("{\"error\":{\"message\":\"\xFF\"}}"), std::string("{}"), std::string("[]")})
    EXPECT_EQ(dialect_openai().read_refusal(400, body, rig.target()).kind, ErrorKind::upstream_refused);
}

TEST(SafeText, MasksTheKeyInEveryCoding) {  // M56
  const std::string key = "kZ9+w/Q=longish:secret";
  const auto masked = [&](std::string_view text) { return openai::safe_text(text, key); };
  EXPECT_EQ(masked("your key " + key + " is wrong, " + key), "your key [masked] is wrong, [masked]");
  EXPECT_EQ(masked("k=kZ9%2Bw%2FQ%3Dlongish%3Asecret&x"), "k=[masked]&x");
  EXPECT_EQ(masked("k=%6bZ9%2bw%2fQ%3dlongish%3asecret&x"), "k=[masked]&x");
  EXPECT_EQ(masked(R"({\"k\":\"kZ9+w\/Q=longish:secret\"})"), R"({\"k\":\"[masked]\"})");
  EXPECT_EQ(masked(R"(\u006bZ9\\u002bw\/Q\u003Dlongish:secre\u0074!)"), "[masked]!");
  EXPECT_EQ(openai::safe_text(R"(kk\u005c9e1dkk)", R"(kk\9e1dkk)"), "[masked]");
  EXPECT_EQ(masked(R"(\u006bZ9\u002)"), R"(\u006bZ9\u002)");
  // base64 of "key", of "xkey" and of "xxkey": what is left over has no whole byte run of the key's middle.
  for (const char* coded :
       {"a1o5K3cvUT1sb25naXNoOnNlY3JldA==", "eGtaOSt3L1E9bG9uZ2lzaDpzZWNyZXQ=", "eHhrWjkrdy9RPWxvbmdpc2g6c2VjcmV0"}) {
    const std::string text = masked(std::string("Basic realm: ") + coded);
    EXPECT_NE(text.find("[masked]"), std::string::npos) << coded;
    EXPECT_EQ(text.find("b25naXNo"), std::string::npos) << coded;
    EXPECT_EQ(text.find("9uZ2lzaD"), std::string::npos) << coded;
  }
  EXPECT_EQ(openai::safe_text("model ollama not found", "ollama"), "model ollama not found");
}

TEST(SafeText, MasksWhatLooksLikeACredential) {
  const auto safe = [](std::string_view text) { return openai::safe_text(text, ""); };
  EXPECT_EQ(safe("key sk-proj-Ab12***Yz9 is off"), "key [masked] is off");
  EXPECT_EQ(safe("Authorization: BEARER eyJhbGciOi.J9"), "Authorization: BEARER [masked]");
  EXPECT_EQ(safe("Bearer authentication is needed; ask-me-anything risk-averse"),
            "Bearer authentication is needed; ask-me-anything risk-averse");
  EXPECT_EQ(safe("a\r\nb\x01"
                 "c\xFF"),
            "a  b c\xEF\xBF\xBD");
}

TEST(SafeText, CutsAtACharactersEdge) {
  std::string text(1'999, 'a');
  text += "中中";
  EXPECT_EQ(openai::safe_text(text, ""), std::string(1'999, 'a'));
  // The key lies across the cut: masked first.
  EXPECT_EQ(openai::safe_text(std::string(1'990, 'a') + " secret-secret-secret", "secret-secret-secret"),
            std::string(1'990, 'a') + " [masked]");
}

TEST(OpenAiErrors, HaveTheShapeThatSdksRead) {
  Error error(ErrorKind::bad_request, ErrorOrigin::app, "no \"x\"\n");
  EXPECT_EQ(dialect_openai().error_body(error, "invalid_request_error", ""),
            R"({"error":{"message":"no \"x\"\n","type":"invalid_request_error","param":null,"code":null}})");
  error.set_param("messages[0]");
  EXPECT_EQ(dialect_openai().error_event(error, "t", "c"),
            "data: {\"error\":{\"message\":\"no \\\"x\\\"\\n\",\"type\":\"t\",\"param\":\"messages[0]\",\"code\":\"c\"}}\n\n");
}

}  // namespace
}  // namespace fairlead
