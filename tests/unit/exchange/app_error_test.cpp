#include "exchange/app_error.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

struct Row {
  ErrorKind kind;
  int provider_status;
  int status;
  std::string_view type, code;
  bool should_retry;
};

// M38: what an app sees of every kind of failure, so that SDKs retry what they should and no more.
const Row table[] = {
    {ErrorKind::bad_request, 0, 400, "invalid_request_error", "invalid_request", false},
    {ErrorKind::unauthorized, 0, 401, "invalid_request_error", "invalid_api_key", false},
    {ErrorKind::policy, 0, 403, "permission_error", "policy_refused", false},
    {ErrorKind::unknown_model, 0, 404, "invalid_request_error", "model_not_found", false},
    {ErrorKind::not_found, 0, 404, "invalid_request_error", "unknown_url", false},
    {ErrorKind::method_not_allowed, 0, 405, "invalid_request_error", "method_not_allowed", false},
    {ErrorKind::request_timeout, 0, 408, "invalid_request_error", "request_timeout", true},
    {ErrorKind::body_too_large, 0, 413, "invalid_request_error", "request_too_large", false},
    {ErrorKind::unsupported_media, 0, 415, "invalid_request_error", "unsupported_media_type", false},
    {ErrorKind::head_too_large, 0, 431, "invalid_request_error", "request_header_fields_too_large", false},
    {ErrorKind::no_candidate, 0, 503, "server_error", "no_candidate", false},
    {ErrorKind::overloaded, 0, 503, "server_error", "overloaded", true},
    {ErrorKind::rate_limited, 0, 429, "rate_limit_error", "rate_limit_exceeded", true},
    {ErrorKind::idempotency_in_progress, 0, 409, "invalid_request_error", "idempotency_in_progress", true},
    {ErrorKind::idempotency_mismatch, 0, 422, "invalid_request_error", "idempotency_mismatch", false},
    {ErrorKind::idempotency_gone, 0, 409, "invalid_request_error", "idempotency_gone", false},
    {ErrorKind::over_budget, 0, 429, "insufficient_quota", "insufficient_quota", false},
    {ErrorKind::ledger_unavailable, 0, 503, "server_error", "ledger_unavailable", true},
    {ErrorKind::draining, 0, 503, "server_error", "draining", true},
    {ErrorKind::internal, 0, 500, "server_error", "internal_error", true},
    {ErrorKind::upstream_connect, 0, 502, "server_error", "upstream_connect", true},
    {ErrorKind::upstream_tls, 0, 502, "server_error", "upstream_tls", false},
    {ErrorKind::upstream_timeout, 0, 504, "server_error", "upstream_timeout", true},
    {ErrorKind::upstream_closed, 0, 502, "server_error", "upstream_closed", true},
    {ErrorKind::upstream_protocol, 200, 502, "server_error", "upstream_protocol", true},
    {ErrorKind::upstream_rate_limit, 429, 429, "rate_limit_error", "rate_limit_exceeded", true},
    {ErrorKind::upstream_no_money, 402, 502, "server_error", "upstream_no_money", false},
    {ErrorKind::upstream_no_money, 429, 502, "server_error", "upstream_no_money", false},
    {ErrorKind::upstream_auth, 401, 502, "server_error", "upstream_auth", false},
    {ErrorKind::upstream_auth, 403, 502, "server_error", "upstream_auth", false},
    {ErrorKind::upstream_refused, 400, 400, "invalid_request_error", "", false},
    {ErrorKind::upstream_refused, 413, 413, "invalid_request_error", "", false},
    {ErrorKind::upstream_refused, 422, 422, "invalid_request_error", "", false},
    {ErrorKind::upstream_refused, 404, 502, "server_error", "upstream_model_not_found", false},
    {ErrorKind::upstream_refused, 418, 400, "invalid_request_error", "", false},
    {ErrorKind::upstream_filtered, 400, 400, "invalid_request_error", "content_filter", false},
    {ErrorKind::upstream_unavailable, 500, 502, "server_error", "upstream_unavailable", true},
    {ErrorKind::upstream_unavailable, 503, 502, "server_error", "upstream_unavailable", true},
    {ErrorKind::upstream_unavailable, 504, 504, "server_error", "upstream_timeout", true},
    {ErrorKind::upstream_unavailable, 408, 504, "server_error", "upstream_timeout", true},
    {ErrorKind::upstream_error_event, 200, 502, "server_error", "upstream_error", true},
};

TEST(AppError, FollowsTheTable) {
  for (const Row& row : table) {
    const AppError seen = app_error(Error(row.kind, ErrorOrigin::provider, "m"), row.provider_status);
    EXPECT_EQ(seen.status, row.status) << to_string(row.kind) << ' ' << row.provider_status;
    EXPECT_EQ(seen.type, row.type) << to_string(row.kind);
    EXPECT_EQ(seen.code, row.code) << to_string(row.kind);
    EXPECT_EQ(seen.should_retry, row.should_retry) << to_string(row.kind);
  }
}

TEST(AppError, AProvidersOwnCodePassesThroughWhereTheRequestIsAtFault) {
  Error refused(ErrorKind::upstream_refused, ErrorOrigin::provider, "m");
  refused.set_code("context_length_exceeded");
  EXPECT_EQ(app_error(refused, 400).code, "context_length_exceeded");
  Error too_long(ErrorKind::bad_request, ErrorOrigin::app, "m");
  too_long.set_code("context_length_exceeded");
  EXPECT_EQ(app_error(too_long).code, "context_length_exceeded");
  Error keyless(ErrorKind::upstream_auth, ErrorOrigin::provider, "m");
  keyless.set_code("invalid_api_key");
  EXPECT_EQ(app_error(keyless, 401).code, "upstream_auth");
}

TEST(AppError, ABudgetThatIsHeldAndNotSpentIsWorthAnotherTry) {
  const AppError seen = app_error(Error(ErrorKind::over_budget, ErrorOrigin::fairlead, "m", {}, Retry::before_commit));
  EXPECT_EQ(seen.status, 429);
  EXPECT_EQ(seen.type, "rate_limit_error");
  EXPECT_EQ(seen.code, "budget_held");
  EXPECT_TRUE(seen.should_retry);
}

std::string value_of(const net::Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return {};
}

TEST(AppError, TellsSdksWhenToComeBack) {
  const AppError limited = app_error(Error(ErrorKind::upstream_rate_limit, ErrorOrigin::provider, "m"), 429);
  EXPECT_EQ(value_of(error_fields(limited, Milliseconds{1'200}), "retry-after"), "2");
  EXPECT_EQ(value_of(error_fields(limited, std::nullopt), "retry-after"), "");
  EXPECT_EQ(value_of(error_fields(limited, std::nullopt), "x-should-retry"), "");
  const AppError lacking = app_error(Error(ErrorKind::overloaded, ErrorOrigin::fairlead, "m"));
  EXPECT_EQ(value_of(error_fields(lacking), "retry-after"), "1");
  const AppError held = app_error(Error(ErrorKind::over_budget, ErrorOrigin::fairlead, "m", {}, Retry::before_commit));
  EXPECT_EQ(value_of(error_fields(held), "retry-after"), "1");
  const AppError refused = app_error(Error(ErrorKind::policy, ErrorOrigin::fairlead, "m"));
  EXPECT_EQ(value_of(error_fields(refused, Milliseconds{1'200}), "retry-after"), "");
  EXPECT_EQ(value_of(error_fields(refused, std::nullopt), "x-should-retry"), "false");
  EXPECT_EQ(value_of(error_fields(refused, std::nullopt), "www-authenticate"), "");
  const AppError unknown = app_error(Error(ErrorKind::unauthorized, ErrorOrigin::app, "m"));
  EXPECT_EQ(value_of(error_fields(unknown, std::nullopt), "www-authenticate"), "Bearer");
}

}  // namespace
}  // namespace fairlead::exchange
