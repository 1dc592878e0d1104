#include "exchange/attempt.h"

#include "plan/expect.h"

#include <algorithm>
#include <utility>

#include "exchange/drain.h"
#include "exchange/relay.h"
#include "exchange/retry_after.h"

namespace fairlead::exchange {
namespace {

constexpr std::size_t refusal_bytes_max = 64 << 10;

/// What ended an attempt: its own failure, unless it was called off.
Error ending(const Request& request, const Error& failure) {
  if (!request.cancel.requested()) return failure;
  if (request.cancel.reason() == net::Cancel::Reason::app_gone) return app_hung_up();
  return {ErrorKind::draining, ErrorOrigin::fairlead, "the service is going down; try again"};
}

/// Reads a refusal up to a limit; what cannot be read is left out.
Task<std::string> read_refusal_body(net::UpstreamAnswer& upstream) {
  std::string body;
  upstream.first_content();
  while (body.size() < refusal_bytes_max) {
    auto bytes = co_await upstream.read();
    if (!bytes || bytes->empty()) break;
    body.append(bytes->substr(0, refusal_bytes_max - body.size()));
  }
  co_return body;
}

AnswerOptions answer_options(const Request& request, const Target& target, TimePoint sent_at) {
  AnswerOptions options;
  options.answer_model = request.facts.route ? request.facts.route->answer_model : AnswerModel::provider;
  options.asked_model = request.question->chat.model;
  options.event_bytes_max = request.snapshot->limits.event_bytes_max;
  options.answer_bytes_max = request.snapshot->limits.answer_bytes_max;
  options.cost_usd = [snapshot = request.snapshot.get(), &target, sent_at, mode = request.facts.mode,
                      before = request.spent_usd_pico](const AnswerSummary& so_far) -> std::string {
    const auto cost = cost_at(target, so_far.usage, {mode, so_far.service_tier}, sent_at, *snapshot);
    return cost ? format_decimal(before + cost->usd_pico) : std::string{};
  };
  return options;
}

/// The configuration was checked: there is one.
const Dialect& dialect_of(const Target& target) { return *find_dialect(target.provider->dialect); }

void begin_attempt(const Request& request, const Candidate& candidate, AttemptProgress& progress) {
  progress.target = candidate.target;
  progress.sent_at = request.world.now();
  progress.phase = Phase::connect;
  progress.asked = {candidate.input_tokens, candidate.output_tokens, candidate.repeated_tokens, 0,
                    request.facts.stream,   &request.facts};
}

void end_attempt(const Request& request, const Result<void>& result, AttemptOutcome& outcome) {
  if (!result) outcome.progress.error = ending(request, result.error());
  outcome.progress.ended_at = request.world.now();
}

// What is only needed until the answer begins stands in coroutines of its own: their frames are gone while it streams.

/// Sends the request, and waits for the head of an answer. Null: there is none, and the attempt has ended.
Task<std::unique_ptr<net::UpstreamAnswer>> ask(Request& request, const Target& target, int number, bool fresh_connection,
                                               net::Cancel& cancel, AttemptOutcome& outcome) {
  auto encoded = dialect_of(target).encode_request(request.question->chat, target);
  if (!encoded) {
    outcome.progress.error = encoded.error();
    outcome.progress.ended_at = request.world.now();
    co_return nullptr;
  }
  outcome.progress.asked.body_bytes = encoded->body_bytes();
  // Lets a provider's support, and the simulator's bill, name the very attempt.
  encoded->fields.emplace_back("X-Client-Request-Id", request.id + "-" + std::to_string(number));

  net::UpstreamRequest upstream_request;
  upstream_request.provider = target.provider;
  upstream_request.encoded = &*encoded;
  upstream_request.stream = request.facts.stream;
  upstream_request.deadline = std::min(request.deadline, request.world.steady_now() + target.provider->timeouts.total);
  upstream_request.fresh_connection = fresh_connection;
  net::SendReport& report = outcome.progress.report;
  auto answered = co_await request.world.upstream.send(upstream_request, report, cancel);
  if (!answered) {
    outcome.progress.phase = report.sent_whole ? Phase::wait : report.bytes_sent ? Phase::send : Phase::connect;
    end_attempt(request, answered.error(), outcome);
    co_return nullptr;
  }
  outcome.progress.status = (*answered)->status();
  outcome.progress.phase = Phase::wait;
  co_return std::move(*answered);
}

Task<void> take_refusal(const Request& request, const Target& target, net::UpstreamAnswer& upstream, AttemptOutcome& outcome) {
  outcome.retry_after = read_retry_after(upstream.field("retry-after-ms"), upstream.field("retry-after"), request.world.now());
  const std::string body = co_await read_refusal_body(upstream);
  const Refusal refusal = dialect_of(target).read_refusal(outcome.progress.status, body, target);
  outcome.provider_code = refusal.code;
  end_attempt(request, refusal.error, outcome);
}

void make_coder(const Request& request, const Target& target, AttemptOutcome& outcome) {
  outcome.coder =
      dialect_of(target).answer_coder(request.question->chat, target, answer_options(request, target, outcome.progress.sent_at));
}

}  // namespace

void Request::note_content_sent() {
  if (std::exchange(content_sent, true)) return;
  facts.fields = {};
  facts.wishes = nullptr;
  question.reset();
  opening.reset();
  app.release();
}

AttemptEnd AttemptOutcome::end() const {
  AttemptEnd end{progress, {}, {}};
  if (!coder) return end;
  end.answer = coder->summary();
  end.content = coder->content();
  return end;
}

void add_budget_left(const Request& request, net::Fields& fields) {
  if (request.budget_left)
    fields.emplace_back("x-fairlead-budget-remaining-usd", format_decimal(std::max<Int128>(*request.budget_left, 0)));
}

net::Fields answer_fields(const Request& request, const Target* target, int attempts) {
  net::Fields fields;
  fields.reserve(8);
  fields.emplace_back("content-type", request.facts.stream ? "text/event-stream; charset=utf-8" : "application/json");
  if (request.facts.stream) fields.emplace_back("cache-control", "no-cache");
  fields.emplace_back("x-request-id", request.id);
  if (target) fields.emplace_back("x-fairlead-target", target->name);
  fields.emplace_back("x-fairlead-attempts", std::to_string(attempts));
  add_budget_left(request, fields);
  fields.insert(fields.end(), request.more_fields.begin(), request.more_fields.end());
  return fields;
}

Task<void> run_attempt(Request& request, const Candidate& candidate, int number, bool fresh_connection, AttemptOutcome& outcome) {
  const Target& target = *candidate.target;
  begin_attempt(request, candidate, outcome.progress);
  Drain drain(request.cancel, *target.provider, outcome.progress.report, request.snapshot->limits.answer_bytes_max,
              request.world.executor);
  const std::unique_ptr<net::UpstreamAnswer> upstream =
      co_await ask(request, target, number, fresh_connection, drain.cancel(), outcome);
  if (!upstream) co_return;
  if (outcome.progress.status < 200 || outcome.progress.status > 299) {
    co_await take_refusal(request, target, *upstream, outcome);
    co_return;
  }
  make_coder(request, target, outcome);
  Relay relay(request, target, number, *upstream, drain, outcome);
  auto relayed = co_await relay.run();
  if (relayed && drain.active()) relayed = app_hung_up();
  end_attempt(request, relayed, outcome);
}

}  // namespace fairlead::exchange
