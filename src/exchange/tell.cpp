#include "exchange/tell.h"

#include <algorithm>
#include <array>
#include <string>

#include "exchange/app_error.h"
#include "exchange/request_id.h"

namespace fairlead::exchange {
namespace {

/// What every answer to this request carries.
void add_common(const Request& request, net::Fields& fields) {
  fields.emplace_back("x-request-id", request.id);
  if (request.budget_left)
    fields.emplace_back("x-fairlead-budget-remaining-usd", format_decimal(std::max<Int128>(*request.budget_left, 0)));
  fields.insert(fields.end(), request.more_fields.begin(), request.more_fields.end());
}

}  // namespace

net::WholeAnswer error_answer(World& world, const Error& error) {
  const AppError seen = app_error(error);
  net::WholeAnswer answer{seen.status, error_fields(seen), find_dialect("openai")->error_body(error, seen.type, seen.code)};
  answer.fields.emplace_back("x-request-id", make_request_id(world.now(), world.random));
  return answer;
}

net::Fields answer_fields(const Request& request, const Target* target, int attempts) {
  net::Fields fields;
  fields.reserve(8);
  fields.emplace_back("content-type", request.facts.stream ? "text/event-stream; charset=utf-8" : "application/json");
  if (request.facts.stream) fields.emplace_back("cache-control", "no-cache");
  if (target) {
    fields.emplace_back("x-fairlead-target", target->name);
    fields.emplace_back("x-fairlead-attempts", std::to_string(attempts));
  }
  add_common(request, fields);
  return fields;
}

Task<void> tell_end(Request& request, const Target& target, int attempts, const Pieces& last, std::optional<Int128> cost_usd) {
  if (!request.answer.committed()) {
    net::Fields fields = answer_fields(request, &target, attempts);
    if (!request.facts.stream) {
      if (cost_usd) fields.emplace_back("x-fairlead-cost-usd", format_decimal(*cost_usd));
      co_await request.answer.send(200, fields, last);
      co_return;
    }
    const auto started = request.answer.start(200, fields);
    if (!started) co_return;
  }
  co_await request.answer.finish(last);
}

Task<void> tell_kept(Request& request) {
  const state::KeptAnswer& kept = *request.repeat->kept();
  const net::Fields fields = replay_fields(kept, request.id);
  const std::array<std::string_view, 1> pieces{kept.body};
  if (!kept.stream) {
    co_await request.answer.send(200, fields, pieces);
    co_return;
  }
  const auto started = request.answer.start(200, fields);
  if (started) co_await request.answer.finish(pieces);
}

Task<void> tell_failure(Request& request, const Failure& failure, int attempts, std::optional<TimePoint> resets_at) {
  const AppError seen = app_error(failure.error, failure.status);
  if (request.answer.committed()) {
    const std::string event = request.dialect.error_event(failure.error, seen.type, seen.code);
    const std::array<std::string_view, 1> pieces{event};
    co_await request.answer.finish(pieces);
    co_return;
  }
  net::Fields fields = error_fields(seen, failure.retry_after);
  fields.emplace_back("x-fairlead-attempts", std::to_string(attempts));
  if (resets_at) fields.emplace_back("x-fairlead-budget-reset", iso_8601(*resets_at));
  add_common(request, fields);
  const std::string body = request.dialect.error_body(failure.error, seen.type, seen.code);
  const std::array<std::string_view, 1> pieces{body};
  co_await request.answer.send(seen.status, fields, pieces);
}

}  // namespace fairlead::exchange
