#include "exchange/app_error.h"

#include <algorithm>

namespace fairlead::exchange {
namespace {

constexpr std::string_view invalid_request = "invalid_request_error";
constexpr std::string_view server_error = "server_error";
constexpr std::chrono::seconds soon{1};  // what we lack, and what other requests hold of a budget, may be free again

/// What a provider found wrong with the request itself is the app's to know, under the same status.
int refused_status(int provider_status) {
  switch (provider_status) {
    case 400:
    case 413:
    case 415:
    case 422: return provider_status;
    default: return 400;
  }
}

}  // namespace

AppError app_error(const Error& error, int provider_status) {
  switch (error.kind) {
    case ErrorKind::bad_request: {
      const std::string_view code = error.code();
      return {400, invalid_request, code.empty() ? "invalid_request" : code, false};
    }
    case ErrorKind::unauthorized: return {401, invalid_request, "invalid_api_key", false};
    case ErrorKind::policy: return {403, "permission_error", "policy_refused", false};
    case ErrorKind::unknown_model: return {404, invalid_request, "model_not_found", false};
    case ErrorKind::not_found: return {404, invalid_request, "unknown_url", false};
    case ErrorKind::method_not_allowed: return {405, invalid_request, "method_not_allowed", false};
    case ErrorKind::body_too_large: return {413, invalid_request, "request_too_large", false};
    case ErrorKind::head_too_large: return {431, invalid_request, "request_header_fields_too_large", false};
    case ErrorKind::unsupported_media: return {415, invalid_request, "unsupported_media_type", false};
    case ErrorKind::request_timeout: return {408, invalid_request, "request_timeout", true};
    case ErrorKind::app_gone: return {499, invalid_request, "client_closed_request", false};
    case ErrorKind::no_candidate: return {503, server_error, "no_candidate", false};
    case ErrorKind::overloaded: return {503, server_error, "overloaded", true, soon};
    case ErrorKind::rate_limited: return {429, "rate_limit_error", "rate_limit_exceeded", true};
    case ErrorKind::idempotency_in_progress: return {409, invalid_request, "idempotency_in_progress", true};
    case ErrorKind::idempotency_mismatch: return {422, invalid_request, "idempotency_mismatch", false};
    case ErrorKind::idempotency_gone: return {409, invalid_request, "idempotency_gone", false};
    case ErrorKind::over_budget:
      if (error.retry == Retry::before_commit) return {429, "rate_limit_error", "budget_held", true, soon};
      return {429, "insufficient_quota", "insufficient_quota", false};
    case ErrorKind::ledger_unavailable: return {503, server_error, "ledger_unavailable", true};
    case ErrorKind::draining: return {503, server_error, "draining", true};
    case ErrorKind::config:
    case ErrorKind::io:
    case ErrorKind::internal: return {500, server_error, "internal_error", true};
    case ErrorKind::upstream_connect: return {502, server_error, "upstream_connect", true};
    case ErrorKind::upstream_tls: return {502, server_error, "upstream_tls", false};
    case ErrorKind::upstream_timeout: return {504, server_error, "upstream_timeout", true};
    case ErrorKind::upstream_closed: return {502, server_error, "upstream_closed", true};
    case ErrorKind::upstream_protocol: return {502, server_error, "upstream_protocol", true};
    case ErrorKind::upstream_rate_limit: return {429, "rate_limit_error", "rate_limit_exceeded", true};
    case ErrorKind::upstream_no_money: return {502, server_error, "upstream_no_money", false};
    case ErrorKind::upstream_auth: return {502, server_error, "upstream_auth", false};
    case ErrorKind::upstream_refused: {
      // The target's model is a name of our configuration, not of the app's.
      if (provider_status == 404) return {502, server_error, "upstream_model_not_found", false};
      return {refused_status(provider_status), invalid_request, error.code(), false};
    }
    case ErrorKind::upstream_filtered: return {400, invalid_request, "content_filter", false};
    case ErrorKind::upstream_unavailable:
      if (provider_status == 408 || provider_status == 504) return {504, server_error, "upstream_timeout", true};
      return {502, server_error, "upstream_unavailable", true};
    case ErrorKind::upstream_error_event: return {502, server_error, "upstream_error", true};
  }
  return {};
}

net::Fields error_fields(const AppError& app_error, std::optional<std::chrono::milliseconds> retry_after) {
  net::Fields fields;
  fields.emplace_back("content-type", "application/json");
  if (app_error.status == 401) fields.emplace_back("www-authenticate", "Bearer");
  if (!app_error.should_retry) fields.emplace_back("x-should-retry", "false");
  if (!retry_after) retry_after = app_error.retry_after;
  if (retry_after && app_error.should_retry) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*retry_after).count();
    fields.emplace_back("retry-after", std::to_string(std::max<std::int64_t>(seconds, 0)));
  }
  return fields;
}

}  // namespace fairlead::exchange
