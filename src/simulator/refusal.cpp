#include "simulator/refusal.h"

#include "simulator/quote.h"

namespace fairlead::simulator {
namespace {

struct Standard {
  int status;
  std::string_view type, code, message;
};

constexpr Standard deepseek_standard[] = {
    {400, "invalid_request_error", "invalid_request_error", "The request is not valid."},
    {401, "authentication_error", "invalid_request_error", "Authentication Fails (no such user)"},
    {402, "unknown_error", "invalid_request_error", "Insufficient Balance"},
    {422, "invalid_request_error", "invalid_request_error", "Failed to deserialize the JSON body into the target type"},
    {429, "rate_limit_reached", "invalid_request_error", "Rate limit reached"},
    {500, "server_error", "", "Internal Server Error"},
    {503, "service_unavailable_error", "",
     "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers."},
};
constexpr Standard qwen_standard[] = {
    {400, "invalid_request_error", "invalid_parameter_error", "The request is not valid."},
    {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
    {403, "access_denied", "access_denied", "Access denied."},
    {404, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."},
    {429, "limit_requests", "limit_requests", "You exceeded your current requests list."},
    {500, "internal_error", "internal_error", "An internal error has occurred, please try again later."},
    {503, "ServiceUnavailable", "ServiceUnavailable", "The service is temporarily unavailable."},
    {504, "RequestTimeOut", "RequestTimeOut", "Request timed out, please try again later."},
};
constexpr Standard openai_standard[] = {
    {400, "invalid_request_error", "", "The request is not valid."},
    {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
    {403, "invalid_request_error", "unsupported_country_region_territory", "Country, region, or territory not supported"},
    {404, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."},
    {429, "requests", "rate_limit_exceeded", "Rate limit reached for requests"},
    {500, "server_error", "", "The server had an error while processing your request. Sorry about that!"},
    {503, "service_unavailable_error", "server_is_overloaded", "The engine is currently overloaded, please try again later"},
};
constexpr Standard vllm_standard[] = {
    {400, "BadRequestError", "", "The request is not valid."},
    {404, "NotFoundError", "", "The model does not exist."},
    {503, "ServiceUnavailableError", "", "The server is overloaded."},
    {500, "InternalServerError", "", "Internal server error"},
};
constexpr Standard llamacpp_standard[] = {
    {400, "invalid_request_error", "", "The request is not valid."},
    {401, "authentication_error", "", "Invalid API Key"},
    {403, "permission_error", "", "Forbidden"},
    {404, "not_found_error", "", "File Not Found"},
    {500, "server_error", "", "Internal error"},
    {501, "not_supported_error", "", "Not supported"},
    {503, "unavailable_error", "", "Loading model"},
};
constexpr Standard ollama_standard[] = {
    {400, "invalid_request_error", "", "The request is not valid."},
    {404, "not_found_error", "", "model not found"},
    {500, "api_error", "", "an error was encountered while running the model"},
    {503, "api_error", "", "server busy, please try again.  maximum pending requests exceeded"},
};

template <std::size_t N>
Standard look_up(const Standard (&table)[N], int status) {
  for (const Standard& row : table)
    if (row.status == status) return row;
  return {status, status < 500 ? table[0].type : table[N - 1].type, "", "The simulator was told to refuse."};
}

Standard standard_of(Kind kind, int status) {
  switch (kind) {
    case Kind::deepseek: return look_up(deepseek_standard, status);
    case Kind::qwen: return look_up(qwen_standard, status);
    case Kind::openai: return look_up(openai_standard, status);
    case Kind::vllm:
    case Kind::sglang: return look_up(vllm_standard, status);
    case Kind::llamacpp: return look_up(llamacpp_standard, status);
    case Kind::ollama:
    case Kind::lmstudio: return look_up(ollama_standard, status);
  }
  return {};
}

constexpr std::string_view openai_money_codes[] = {
    "insufficient_quota",           "credit_balance_exhausted",          "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_hard_limit_reached"};

/// The status and the type that a code has of its own.
void fit_to_code(const Habits& habits, int& status, Refusal& refusal) {
  const std::string& code = refusal.code;
  if (habits.kind == Kind::openai) {
    for (std::string_view money : openai_money_codes)
      if (code == money) {
        refusal.type = "insufficient_quota";
        refusal.message = "You exceeded your current quota, please check your plan and billing details.";
      }
    if (code == "slow_down") refusal.type = "rate_limit_error";
    if (code == "context_length_exceeded" && status == 0) status = 400;
  }
  if (habits.kind == Kind::qwen) {
    if ((code == "Arrearage" || code == "data_inspection_failed") && status == 0) status = 400;
    if (code == "Arrearage") refusal.message = "Access denied, please make sure your account is in good standing.";
    if (code == "insufficient_quota") {
      refusal.type = code;
      refusal.message = "You exceeded your current quota, please check your plan and billing details.";  // throttling, all the same
    }
  }
  if (status == 0) status = 429;
}

/// {"message":..,"type":..,"param":..,"code":..}
std::string error_object(const Refusal& refusal, std::string_view code) {
  return R"({"message":)" + quote(refusal.message) + R"(,"type":)" + quote_or_null(refusal.type) + R"(,"param":)" +
         quote_or_null(refusal.param) + R"(,"code":)" + std::string(code) + "}";
}

}  // namespace

Refusal refusal_of(const Habits& habits, int status, std::string_view code) {
  Refusal refusal;
  refusal.code = code;
  fit_to_code(habits, status, refusal);
  const Standard standard = standard_of(habits.kind, status);
  refusal.status = status;
  if (refusal.type.empty()) refusal.type = standard.type;
  if (refusal.code.empty()) refusal.code = standard.code;
  if (refusal.message.empty()) refusal.message = standard.message;
  return refusal;
}

std::string refusal_json(const Habits& habits, const Refusal& given, std::string_view request_id) {
  Refusal refusal = given;
  if (refusal.type.empty()) refusal.type = standard_of(habits.kind, refusal.status).type;
  const std::string number = refusal.code.empty() ? std::to_string(refusal.status) : quote(refusal.code);
  switch (habits.kind) {
    case Kind::qwen:
      return R"({"error":)" + error_object(refusal, quote_or_null(refusal.code)) + R"(,"request_id":)" + quote(request_id) + "}";
    case Kind::vllm:
      if (refusal.status == 401) return R"({"error":"Unauthorized"})";
      return R"({"error":)" + error_object(refusal, number) + "}";
    case Kind::sglang:
      if (refusal.status == 401) return R"({"error":"Unauthorized"})";
      return R"({"object":"error","message":)" + quote(refusal.message) + R"(,"type":)" + quote_or_null(refusal.type) +
             R"(,"param":)" + quote_or_null(refusal.param) + R"(,"code":)" + number + "}";
    case Kind::llamacpp:
      return R"({"error":{"code":)" + number + R"(,"message":)" + quote(refusal.message) + R"(,"type":)" +
             quote_or_null(refusal.type) + "}}";
    case Kind::lmstudio: return R"({"error":)" + quote(refusal.message) + "}";
    case Kind::deepseek:
    case Kind::openai:
    case Kind::ollama: break;
  }
  return R"({"error":)" + error_object(refusal, quote_or_null(refusal.code)) + "}";
}

std::string stream_error_json(const Habits& habits, std::string_view request_id) {
  if (habits.kind == Kind::qwen) {
    Refusal moderated{
        400, "Output data may contain inappropriate content.", "data_inspection_failed", "data_inspection_failed", {}};
    return refusal_json(habits, moderated, request_id);
  }
  const Refusal refusal = refusal_of(habits, 500, {});
  const bool numbers = habits.kind == Kind::vllm || habits.kind == Kind::sglang || habits.kind == Kind::llamacpp;
  return R"({"error":)" + error_object(refusal, numbers ? "500" : quote_or_null(refusal.code)) + "}";
}

}  // namespace fairlead::simulator
