#include "exchange/attempt.h"
#include "exchange/drain.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fairlead::exchange {
namespace {

constexpr std::size_t refusal_bytes_max = 64 << 10;
constexpr std::chrono::seconds quiet_before_keep_alive{10};  ///< comments of a waiting provider reach the app from then on

Error gone() { return {ErrorKind::app_gone, ErrorOrigin::app, "the app hung up"}; }

/// What ended an attempt: its own failure, unless it was called off.
Error ending(const Request& request, const Error& failure) {
  if (!request.cancel.requested()) return failure;
  if (request.cancel.reason() == net::Cancel::Reason::app_gone) return gone();
  return {ErrorKind::draining, ErrorOrigin::fairlead, "the service is going down; try again"};
}

std::optional<Milliseconds> read_retry_after(const net::UpstreamAnswer& answer) {
  const auto number = [](std::string_view text) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > 86'400'000) return std::nullopt;
    return value;
  };
  if (const auto ms = number(answer.field("retry-after-ms"))) return Milliseconds(*ms);
  if (const auto seconds = number(answer.field("retry-after"))) return Milliseconds(*seconds * 1000);
  return std::nullopt;
}

/// Relays one 2xx answer. Everything that the app may see goes out as it comes, but for the end, which waits for the books.
class Relay {
 public:
  Relay(Request& request, const Target& target, int number, net::UpstreamAnswer& upstream, Drain& drain, AttemptOutcome& outcome)
      : request_(request), target_(target), number_(number), upstream_(upstream), drain_(drain), outcome_(outcome) {}

  Task<Result<void>> run() {
    for (;;) {
      auto bytes = co_await upstream_.read();
      if (!bytes) co_return bytes.error();
      pieces_.clear();
      if (bytes->empty()) {
        auto end = outcome_.coder->finish(pieces_);
        outcome_.last = pieces_;
        co_return end;
      }
      drain_.took(bytes->size());
      const auto fed = outcome_.coder->feed(*bytes, pieces_);
      note_content();
      if (request_.chat.stream && !pieces_.empty() && !drain_.active()) {
        auto sent = co_await pass_on();
        if (!sent && !drain_.possible()) co_return sent;
        if (!sent) request_.cancel.request();  // read on, for the books
      }
      if (!fed) co_return fed;
    }
  }

 private:
  void note_content() {
    if (content_ || !outcome_.coder->summary().content_started) return;
    content_ = true;
    upstream_.first_content();
    outcome_.end.phase = Phase::relay;
    outcome_.end.first_byte_us =
        std::chrono::duration_cast<std::chrono::microseconds>(request_.world.now() - outcome_.end.sent_at).count();
  }

  Task<Result<void>> pass_on() {
    // Until content comes these are only the provider's signs of life: worth sending to an app that has waited for a while,
    // and no obstacle to another target's answer.
    if (!content_ && !request_.answer.committed() && request_.world.steady_now() - request_.started < quiet_before_keep_alive)
      co_return boost::system::in_place_value;
    if (!request_.answer.committed()) {
      const net::Fields fields = answer_fields(request_, &target_, number_);
      auto started = co_await request_.answer.start(200, fields);
      if (!started) co_return gone();
    }
    // Beyond this point the app has seen something of this target's answer: no other target's can follow, and none needs the body.
    if (content_ && !std::exchange(request_.content_sent, true)) {
      request_.chat.body = {};
      request_.app.memory.release();
    }
    auto written = co_await request_.answer.write(pieces_);
    if (!written) co_return gone();
    if (request_.repeat) request_.repeat->note(pieces_);
    if (!request_.first_byte_us)
      request_.first_byte_us =
          std::chrono::duration_cast<std::chrono::microseconds>(request_.world.steady_now() - request_.started).count();
    co_return boost::system::in_place_value;
  }

  Request& request_;
  const Target& target_;
  int number_;
  net::UpstreamAnswer& upstream_;
  Drain& drain_;
  AttemptOutcome& outcome_;
  Pieces pieces_;
  bool content_ = false;
};

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
  options.asked_model = request.chat.model;
  options.event_bytes_max = request.snapshot->limits.event_bytes_max;
  options.answer_bytes_max = request.snapshot->limits.answer_bytes_max;
  options.cost_usd = [snapshot = request.snapshot.get(), &target, sent_at,
                      mode = request.facts.mode](const AnswerSummary& so_far) -> std::string {
    const auto cost = cost_at(target, so_far.usage, {mode, so_far.service_tier}, sent_at, *snapshot);
    return cost ? format_decimal(cost->usd_pico) : std::string{};
  };
  return options;
}

}  // namespace

net::Fields answer_fields(const Request& request, const Target* target, int attempts) {
  net::Fields fields;
  fields.reserve(8);
  fields.emplace_back("content-type", request.chat.stream ? "text/event-stream; charset=utf-8" : "application/json");
  if (request.chat.stream) fields.emplace_back("cache-control", "no-cache");
  fields.emplace_back("x-request-id", request.id);
  if (target) fields.emplace_back("x-fairlead-target", target->name);
  fields.emplace_back("x-fairlead-attempts", std::to_string(attempts));
  fields.insert(fields.end(), request.more_fields.begin(), request.more_fields.end());
  return fields;
}

Task<AttemptOutcome> run_attempt(Request& request, const Candidate& candidate, int number, bool fresh_connection) {
  const Target& target = *candidate.target;
  AttemptOutcome outcome;
  AttemptEnd& end = outcome.end;
  end.target = &target;
  end.sent_at = request.world.now();
  end.phase = Phase::connect;
  end.asked = {candidate.input_tokens, candidate.output_tokens, 0, request.chat.stream, &request.facts};
  const auto over = [&](std::optional<Error> error) {
    end.error = std::move(error);
    end.ended_at = request.world.now();
    if (!outcome.coder) return;
    end.answer = outcome.coder->summary();
    end.content = outcome.coder->content();
  };

  const Dialect& dialect = *find_dialect(target.provider->dialect);  // the configuration was checked
  auto encoded = dialect.encode_request(request.chat, target);
  if (!encoded) {
    over(encoded.error());
    co_return outcome;
  }
  end.asked.body_bytes = encoded->body_bytes();
  // Lets a provider's support, and the simulator's bill, name the very attempt.
  encoded->fields.emplace_back("X-Client-Request-Id", request.id + "-" + std::to_string(number));

  net::UpstreamRequest upstream_request;
  upstream_request.provider = target.provider;
  upstream_request.encoded = &*encoded;
  upstream_request.stream = request.chat.stream;
  upstream_request.deadline = std::min(request.deadline, request.world.steady_now() + target.provider->timeouts.total);
  upstream_request.fresh_connection = fresh_connection;
  Drain drain(request.cancel, *target.provider, end.report, request.snapshot->limits.answer_bytes_max, request.world.executor);
  auto answered = co_await request.world.upstream.send(upstream_request, end.report, drain.cancel());
  if (!answered) {
    end.phase = end.report.sent_whole ? Phase::wait : end.report.bytes_sent ? Phase::send : Phase::connect;
    over(ending(request, answered.error()));
    co_return outcome;
  }
  const std::unique_ptr<net::UpstreamAnswer> upstream = std::move(*answered);
  end.status = upstream->status();
  end.phase = Phase::wait;
  if (end.status < 200 || end.status > 299) {
    outcome.retry_after = read_retry_after(*upstream);
    const std::string body = co_await read_refusal_body(*upstream);
    const Refusal refusal = dialect.read_refusal(end.status, body, target);
    outcome.provider_code = refusal.code;
    over(ending(request, refusal.error));
    co_return outcome;
  }
  outcome.coder = dialect.answer_coder(request.chat, target, answer_options(request, target, end.sent_at));
  Relay relay(request, target, number, *upstream, drain, outcome);
  auto relayed = co_await relay.run();
  if (relayed && drain.active())
    over(gone());
  else if (relayed)
    over(std::nullopt);
  else
    over(ending(request, relayed.error()));
  co_return outcome;
}

}  // namespace fairlead::exchange
