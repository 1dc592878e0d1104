#include "exchange/attempt.h"

#include "plan/expect.h"

#include <algorithm>
#include <utility>

#include "exchange/retry_after.h"
#include "exchange/tell.h"

namespace fairlead::exchange {
namespace {

constexpr std::size_t refusal_bytes_max = 64 << 10;
constexpr std::chrono::seconds refusal_wait_max{3};          // for its words: its status alone decides what is done next
constexpr std::chrono::seconds end_wait_max{1};              // once all content came, so that the connection can be used again
constexpr std::chrono::seconds quiet_before_keep_alive{10};  // comments of a waiting provider reach the app from then on

Error app_hung_up() { return {ErrorKind::app_gone, ErrorOrigin::app, "the app hung up"}; }

/// What ended an attempt: its own failure, unless it was called off.
Error ending(const Request& request, const Error& failure) {
  if (!request.cancel.requested()) return failure;
  if (request.cancel.reason() == net::Cancel::Reason::app_gone) return app_hung_up();
  return {ErrorKind::draining, ErrorOrigin::fairlead, "the service is going down; try again"};
}

/// The words of a refusal, up to a limit.
class RefusalBody final : public net::BodySink {
 public:
  std::optional<bool> take(std::string_view bytes) override {
    text.append(bytes.substr(0, refusal_bytes_max - text.size()));
    return text.size() < refusal_bytes_max;
  }
  Task<bool> rest() override { co_return true; }

  std::string text;
};

/// `attempt` outlives the coder that is made with them.
AnswerOptions answer_options(const Request& request, const AttemptProgress& attempt) {
  AnswerOptions options;
  options.answer_model = request.facts.route ? request.facts.route->answer_model : AnswerModel::provider;
  if (options.answer_model == AnswerModel::asked) options.asked_model = request.question->chat.model;
  options.event_bytes_max = request.snapshot->limits.event_bytes_max;
  options.answer_bytes_max = request.snapshot->limits.answer_bytes_max;
  // What the books will say if nothing else comes; of what they estimate, nothing is told.
  options.cost_usd = [snapshot = request.snapshot.get(), &attempt,
                      before = request.spent_usd_pico](const AnswerSummary& so_far) -> std::string {
    if (!before || !is_taken_as_reported(attempt, so_far)) return {};
    const Served served{attempt.asked.facts->mode, so_far.service_tier};
    const auto cost = cost_at(*attempt.target, so_far.usage, served, attempt.sent_at, *snapshot);
    return cost ? format_decimal(*before + cost->usd_pico) : std::string{};
  };
  return options;
}

/// What ended the reading of an answer: time may have run out in its midst.
Error cut_short(Error error, const AnswerSummary& so_far) {
  if (error.kind == ErrorKind::upstream_timeout && so_far.content_bytes > 0)
    error.set_message("The provider's answer did not come to its end in time.");
  return error;
}

/// The configuration was checked: there is one.
const Dialect& dialect_of(const Target& target) { return *find_dialect(target.provider->dialect); }

}  // namespace

thread_local Pieces Attempt::pieces_;

AttemptEnd AttemptOutcome::end() const {
  AttemptEnd end{progress, {}, {}};
  if (!coder) return end;
  end.answer = coder->summary();
  end.content = coder->content();
  return end;
}

Attempt::Attempt(Request& request, const Candidate& candidate, int number, TimePoint sent_at, AttemptOutcome& outcome)
    : request_(request),
      target_(*candidate.target),
      number_(number),
      outcome_(outcome),
      progress_(outcome.progress),
      drain_(request.cancel, *target_.provider, progress_.report, request.snapshot->limits.answer_bytes_max,
             request.world.executor),
      stream_(request.facts.stream) {
  progress_.target = &target_;
  progress_.sent_at = sent_at;
  progress_.phase = Phase::connect;
  progress_.asked = {candidate.input_tokens, candidate.output_tokens, candidate.repeated_tokens, 0,
                     request.facts.stream,   &request.facts};
}

void Attempt::end(const Result<void>& result) {
  if (!result)
    progress_.error = ending(request_, result.error());
  else if (drain_.active())
    progress_.error = ending(request_, app_hung_up());
  progress_.ended_at = request_.world.now();
}

// What is only needed until the answer begins stands in coroutines of its own: their frames are gone while it streams.
Task<bool> Attempt::ask(bool fresh_connection) {
  const ChatRequest& chat = request_.question->chat;
  auto encoded = dialect_of(target_).encode_request(chat, target_);
  if (!encoded) {
    progress_.error = encoded.error();
    progress_.ended_at = request_.world.now();
    co_return false;
  }
  progress_.asked.body_bytes = encoded->body_bytes();
  // Lets a provider's support, and the simulator's bill, name the very attempt.
  encoded->fields.emplace_back("X-Client-Request-Id", request_.id + "-" + std::to_string(number_));

  net::UpstreamRequest upstream_request;
  upstream_request.provider = target_.provider;
  upstream_request.encoded = &*encoded;
  upstream_request.stream = request_.facts.stream;
  upstream_request.deadline = std::min(request_.deadline, request_.world.steady_now() + target_.provider->timeouts.total);
  upstream_request.fresh_connection = fresh_connection;
  net::SendReport& report = progress_.report;
  auto answered = co_await request_.world.upstream.send(upstream_request, report, drain_.cancel());
  if (!answered) {
    progress_.phase = report.sent_whole ? Phase::wait : report.bytes_sent ? Phase::send : Phase::connect;
    end(answered.error());
    co_return false;
  }
  upstream_ = std::move(*answered);
  progress_.status = upstream_->status();
  progress_.phase = Phase::wait;
  if (progress_.status < 200 || progress_.status > 299) {
    co_await take_refusal();
    co_return false;
  }
  outcome_.coder = dialect_of(target_).answer_coder(chat, target_, answer_options(request_, progress_));
  co_return true;
}

Task<void> Attempt::take_refusal() {
  outcome_.retry_after =
      read_retry_after(upstream_->field("retry-after-ms"), upstream_->field("retry-after"), request_.world.now());
  upstream_->first_content();
  upstream_->end_within(refusal_wait_max);
  RefusalBody body;
  co_await upstream_->read(body);  // what cannot be read is left out
  end(dialect_of(target_).read_refusal(progress_.status, body.text, target_));
}

std::optional<bool> Attempt::take(std::string_view bytes) {
  drain_.took(bytes.size());
  if (outcome_.coder->ended()) return true;  // it takes no harm from what comes behind its end
  pieces_.clear();
  fed_ = outcome_.coder->feed(bytes, pieces_);
  note_content();
  if (!stream_ || pieces_.empty() || !may_pass()) return goes_on();
  if (request_.repeat) request_.repeat->note(pieces_);  // of an answer that fails it keeps nothing
  if (drain_.active()) return goes_on();
  if (!request_.answer.committed() && !start_answer()) return passed(false);
  if (content_) request_.note_content_sent();
  const auto written = request_.answer.write_now(pieces_);
  if (!written) return std::nullopt;
  return passed(written->has_value());
}

Task<bool> Attempt::rest() {
  const auto written = co_await request_.answer.write_on();
  co_return passed(written.has_value());
}

/// What could be fed was `sent` to the app, or the app is gone.
bool Attempt::passed(bool sent) {
  if (sent) {
    note_passed();
  } else if (drain_.possible()) {
    request_.cancel.request();  // read on, for the books
  } else {
    end(app_hung_up());
    return false;
  }
  return goes_on();
}

bool Attempt::goes_on() {
  if (!fed_) {
    end(fed_);
    return false;
  }
  if (outcome_.coder->ended()) upstream_->end_within(end_wait_max);
  return true;
}

void Attempt::relayed(const Result<void>& read) {
  if (progress_.error) return;  // that is why it was not read on
  if (!read && !outcome_.coder->ended()) return end(cut_short(read.error(), outcome_.coder->summary()));
  pieces_.clear();
  const auto finished = outcome_.coder->finish(pieces_);
  outcome_.last = pieces_;
  outcome_.whole = finished.has_value();
  end(finished);
}

bool Attempt::start_answer() {
  // Signs of life go out before it is known whose answer it will be.
  const net::Fields fields = answer_fields(request_, content_ ? &target_ : nullptr, number_);
  return request_.answer.start(200, fields).has_value();
}

void Attempt::note_content() {
  // An answer in one piece shows nothing before its end, but it has begun.
  if (!stream_ && outcome_.coder->summary().content_bytes > 0) upstream_->first_content();
  if (content_ || !outcome_.coder->summary().content_started) return;
  content_ = true;
  upstream_->first_content();
  progress_.phase = Phase::relay;
  progress_.first_byte_us = std::chrono::duration_cast<std::chrono::microseconds>(request_.world.now() - progress_.sent_at).count();
}

/// Until content comes these are only the provider's signs of life: worth sending to an app that has waited for a while,
/// and no obstacle to another target's answer.
bool Attempt::may_pass() const {
  return content_ || request_.answer.committed() || request_.world.steady_now() - request_.started >= quiet_before_keep_alive;
}

void Attempt::note_passed() {
  if (request_.first_byte_us) return;
  request_.first_byte_us =
      std::chrono::duration_cast<std::chrono::microseconds>(request_.world.steady_now() - request_.started).count();
}

}  // namespace fairlead::exchange
