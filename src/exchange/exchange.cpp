#include "exchange/exchange.h"

#include <fairlead/strategy.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

#include "exchange/admission.h"
#include "exchange/app_error.h"
#include "exchange/attempt.h"
#include "exchange/charging.h"
#include "exchange/notes.h"
#include "exchange/request_id.h"
#include "exchange/tell.h"
#include "plan/authenticate.h"
#include "plan/classify.h"
#include "plan/expect.h"
#include "plan/head.h"
#include "plan/plan.h"
#include "plan/policy.h"
#include "plan/refusal.h"
#include "plan/wishes.h"

namespace fairlead::exchange {
namespace {

constexpr auto use_task = asio::use_awaitable_t<Executor>();

/// What of the head routing may know.
Head head_of(const net::AppRequest& app, const Snapshot& snapshot) {
  const bool forwarded = snapshot.policies_need.network && !snapshot.trusted_proxies.empty();
  Head head;
  head.peer = app.peer;
  for (const net::Field& field : app.fields) {
    if (is_own_field(field.name)) head.own.emplace_back(field.name, field.value);
    if (forwarded && is_forwarded_for(field.name)) head.forwarded_for.push_back(field.value);
  }
  return head;
}

/// For who asks afterwards why a request was refused. A provider's own words are never in the log.
std::string detail_of(const Error& error) {
  if (!error.detail().empty() || error.origin == ErrorOrigin::provider) return error.detail();
  return error.param().empty() ? error.message() : error.param() + ": " + error.message();
}

/// The corridor's own state, from the first row to the last.
class Exchange {
 public:
  Exchange(World& world, std::shared_ptr<const Snapshot> snapshot, std::unique_ptr<net::AppRequest> app, net::AppAnswer& answer,
           const Key& key)
      : request_{world, std::move(snapshot), std::move(app), answer, *find_dialect("openai"), world.steady_now()},
        key_(key),
        charging_(world.budgets, *request_.snapshot, key, world.now()) {
    RequestOpen& row = notes_.open();
    row.started_at = charging_.started_at();
    row.id = request_.id = make_request_id(row.started_at, world.random);
    row.key = key.name;
    row.team = key.team;
    row.project = key.project;
    row.endpoint = "chat.completions";
    row.snapshot_hash = request_.snapshot->hash;
  }

  /// Parse, classify, plan: pure. An error is the app's answer.
  Result<void> prepare() {
    auto chat = request_.dialect.parse_request(std::move(request_.app->body));
    if (!chat) return chat.error();
    ChatRequest& asked = request_.question->chat = std::move(*chat);
    RequestOpen& row = notes_.open();
    row.requested_model = asked.model;
    row.stream = asked.stream;
    auto facts = classify(asked, key_);
    if (!facts) return facts.error();
    request_.facts = std::move(*facts);
    if (request_.facts.route) row.route = request_.facts.route->name;
    if (auto known = look_for_content(request_.facts, asked, *request_.snapshot); !known) return known.error();
    row.content = content_text(request_.facts.content);
    if (auto added = add_head(request_.facts, asked.wishes, head_of(*request_.app, *request_.snapshot), *request_.snapshot); !added)
      return added.error();
    row.facts = request_.world.texts.facts(request_.facts);
    if (auto possible = check_wishes(request_.facts, *request_.snapshot); !possible) return possible.error();
    charging_.asks_for(request_.facts.route);
    if (auto known = look_for_repeat(); !known) return known.error();
    if (is_repeat()) return {};
    const Plan& plan = request_.question->plan = plan_now();
    row.plan = request_.world.texts.plan(plan);
    row.expected = expected_text(plan);
    if (plan.candidates.empty()) return refusal_of(plan, request_.id);
    Milliseconds total{0};
    for (const Candidate& c : plan.candidates) total = std::max(total, c.target->provider->timeouts.total);
    request_.deadline = request_.started + total;
    if (auto passed = pass_limits(); !passed) return passed;
    course_.emplace(request_.facts.route, request_.snapshot->limits.attempts_max);
    step_.emplace();
    return {};
  }

  /// What it asks for was answered before, and nothing is to be done.
  bool is_repeat() const { return request_.repeat && request_.repeat->kept() != nullptr; }

  /// Tries candidates, until one has an answer to relay. False: nothing is to be tried, or nothing more. Leaves `failure_` empty on
  /// success.
  /// What it needs stands in its frame, which is gone while the answer streams.
  Task<bool> find_answer() {
    if (step_ && tried_.empty()) request_.answer.watch(request_.cancel);
    for (; step_; end_attempt()) {
      if (step_->delay > Milliseconds{0}) co_await pause(step_->delay);
      if (!tried_.empty() && request_.cancel.requested()) co_return false;
      const TimePoint sent_at = request_.world.now();
      const auto taken = take_candidate(step_->candidate, sent_at);
      if (!taken) co_return false;
      step_->candidate = *taken;
      const Candidate& candidate = candidates()[*taken];
      // Beyond this point money may be spent: the books know of the attempt first.
      const auto opened = co_await open_attempt(candidate, sent_at);
      if (!opened) {
        refuse(opened.error());
        charging_.let_go();
        co_return false;
      }
      attempt_.emplace(request_, candidate, number(), sent_at, outcome_);
      const bool answered = co_await attempt_->ask(step_->fresh_connection);
      if (answered) co_return true;
    }
    co_return false;
  }

  /// What find_answer() found; what it gives is for relayed().
  Task<Result<void>> relay() { return attempt_->relay(); }
  void relayed(const Result<void>& read) {
    attempt_->relayed(read);
    end_attempt();
  }

  /// The exchange was refused before any attempt.
  void refuse(Error error) { failure_ = std::make_unique<Failure>(Failure{std::move(error), {}, 0, retry_after_}); }
  /// Something threw. The attempt under way, if there is one, stays open in the books and is found there.
  void broke(const std::string& what) {
    attempt_.reset();
    if (!tried_.empty() && tried_.back().settle == nullptr && estimate_usd_pico_)
      charging_.post(request_, charge_of(*estimate_usd_pico_, charging_.markup()));
    refuse(Error(ErrorKind::internal, ErrorOrigin::fairlead, "an internal error occurred", what));
  }

  /// Writes the end into the books, then lets the app see it. Always runs.
  Task<void> settle() {
    notes_.add_open();
    const RequestSettle& row = notes_.add(settlement());
    const auto written = co_await request_.world.books.write(notes_.give());
    keep_for_repeats();
    if (!written && (notes_.is_opened() || is_repeat())) refuse(written.error());
    end_admission();
    if (failure_ && app_is_gone())
      request_.answer.abort();
    else
      co_await tell_app(row);
    if (!tried_.empty() && tried_.back().settle == nullptr) tried_.pop_back();  // it broke
    const std::string detail = failure_ ? detail_of(failure_->error) : std::string{};
    const Ended ended{key_, request_.facts.route, charging_.started_at(), row, tried_, detail};
    request_.world.observer.ended(ended);
  }

 private:
  // Of the attempt under way, or the last one; numbers are from 1.
  int number() const { return static_cast<int>(tried_.size()); }
  const Target* target() const { return tried_.back().target; }
  const std::vector<Candidate>& candidates() const { return request_.question->plan.candidates; }

  /// With an Idempotency-Key: an answer that was kept, or the turn to make one. An error is the app's answer.
  Result<void> look_for_repeat() {
    const auto found = idempotency_field(*request_.app);
    if (!found) return found.error();
    const net::Field* field = *found;
    const Idempotency& rules = request_.snapshot->idempotency;
    if (field == nullptr || rules.window == Milliseconds{0}) return {};
    auto repeat = Repeat::begin(request_.world.replays, key_.name, field->value, request_.question->chat.body.view(), rules,
                                request_.started);
    if (!repeat) return repeat.error();
    request_.repeat = std::move(*repeat);
    // Both are one object: {"idempotency":...,"tags":...}
    const std::string& marks = request_.repeat->facts();
    std::string& facts = notes_.open().facts;
    facts = facts.empty() ? marks : marks.substr(0, marks.size() - 1) + "," + facts.substr(1);
    return {};
  }

  /// Beyond this point the request counts against the limits that it is under. An error is the app's answer.
  Result<void> pass_limits() {
    auto admission = admit(request_.world.limits, request_.facts, *request_.snapshot, request_.question->plan, request_.started);
    if (!admission) return {};
    request_.more_fields = std::move(admission->fields);
    admitted_ = std::move(admission->admitted);
    if (!admission->refusal) return {};
    retry_after_ = admission->retry_after;
    if (!retry_after_) request_.more_fields.emplace_back("x-should-retry", "false");
    return *admission->refusal;
  }

  /// Before the app sees the end of its answer, so that its next request finds the place free.
  void end_admission() {
    if (!admitted_) return;
    std::int64_t tokens = 0;
    bool all_known = true;
    for (const Ended::Attempt& attempt : tried_) {
      all_known = all_known && attempt.settle != nullptr;
      if (attempt.settle != nullptr) tokens += attempt.settle->usage.input_total() + attempt.settle->usage.output_total();
    }
    if (tried_.empty())
      admitted_->withdraw();
    else if (all_known)
      admitted_->settle(tokens);
    admitted_.reset();
  }

  /// This one, or the next that budgets have room for and that policies still allow. Empty: none, and `failure_` is why.
  std::optional<std::size_t> take_candidate(std::size_t candidate, TimePoint sent_at) {
    for (;; ++candidate) {
      const auto held = charging_.hold(request_, candidate, sent_at);
      if (!held) {
        if (failure_) return std::nullopt;
        refuse(held.error());
        return std::nullopt;
      }
      candidate = *held;
      if (tried_.empty() || is_still_allowed(*candidates()[candidate].target)) return candidate;
      charging_.let_go();
      const Route* route = request_.facts.route;
      if ((route && !route->fallback) || candidate + 1 == candidates().size()) return std::nullopt;
    }
  }

  /// A label may have ended since the plan was made.
  bool is_still_allowed(const Target& target) const {
    const Plan& plan = request_.question->plan;
    const auto allowed = allowed_targets(plan.policies, plan.keeping, request_.world.now());
    return !allowed || allowed->has(target.index);
  }

  /// Of what is known and believed at this moment.
  Plan plan_now() const {
    const TimePoint now = request_.world.now();
    const RequestFacts& facts = request_.facts;
    const Strategy* strategy = find_strategy(strategy_of(facts));
    const bool times = strategy && strategy->needs().times;
    Conditions conditions = request_.world.estimates.conditions(facts, request_.snapshot, times, now);
    conditions.seed = seed_of(request_.id);
    return make_plan(facts, *request_.snapshot, conditions, now);
  }

  /// The attempt under way has ended: it is settled, and `step_` is what comes next.
  void end_attempt() {
    attempt_.reset();
    const Step made = *std::exchange(step_, std::nullopt);
    AttemptEnd end = outcome_.end();
    end.markup = charging_.markup();
    if (needs_estimate(end)) end.bytes_per_token = request_.world.estimates.output_bytes_per_token(*end.target, *request_.snapshot);
    const AttemptSettle& settled = notes_.add(settle_attempt(request_.id, number(), end, *request_.snapshot, request_.world.texts));
    tried_.back().settle = &settled;
    charging_.post(request_, settled.charge_usd_pico);
    std::optional<Int128>& spent = request_.spent_usd_pico;
    spent = spent && settled.usd_pico ? std::optional(*spent + *settled.usd_pico) : std::nullopt;
    learn_from(end, settled);
    if (!end.error) return failure_.reset();
    Failure last{*end.error, end.report, end.status, outcome_.retry_after};
    if (!request_.content_sent && !request_.cancel.requested()) {
      const double jitter = std::uniform_real_distribution<double>(0, 1)(request_.world.random);
      const auto left = std::chrono::duration_cast<Milliseconds>(request_.deadline - request_.world.steady_now());
      step_ = course_->after(candidates(), made, last, left, jitter);
    }
    if (!failure_ || request_.content_sent || !is_of_this_target_alone(last)) failure_ = std::make_unique<Failure>(std::move(last));
  }

  /// An answer that came whole was paid for: a repeat gets it, also where the books could not take its end, and the app gets an
  /// error, or where the app had left and it was drained. What failed is done anew, as soon as the app knows.
  void keep_for_repeats() {
    if (!request_.repeat || is_repeat()) return;
    const bool drained = failure_ && failure_->error.kind == ErrorKind::app_gone && outcome_.whole;
    if (failure_ && !drained) return request_.repeat.reset();
    request_.repeat->note(outcome_.last);
    request_.repeat->finish(request_.id, target()->name, request_.facts.stream, request_.world.steady_now());
  }

  /// What came whole, with the provider's own figures, is what estimates learn from.
  void learn_from(const AttemptEnd& end, const AttemptSettle& settled) {
    if (!settled.error.empty() || settled.usage_source != UsageSource::reported) return;
    const bool cut = end.answer.finish_reason == "length" && output_cap(request_.facts, *target());
    const state::Observation seen{target(),
                                  &request_.facts,
                                  &settled.usage,
                                  end.asked.repeated_tokens,
                                  request_.facts.stream ? settled.first_byte_us : std::nullopt,
                                  settled.duration_us,
                                  end.content,
                                  end.answer.reasoning_shown,
                                  std::max(1, end.answer.choices),
                                  cut};
    request_.world.estimates.note(seen, *request_.snapshot, settled.ended_at);
  }

  AttemptOpen opening_of(const Candidate& candidate, TimePoint sent_at) const {
    const Target& target = *candidate.target;
    AttemptOpen row;
    row.request_id = request_.id;
    row.number = number() + 1;
    row.sent_at = sent_at;
    row.provider = target.provider->name;
    row.model = target.model->name;
    row.target = target.name;
    row.input_tokens_estimate = candidate.input_tokens;
    Usage least;
    least.input = candidate.input_tokens;
    if (const auto cost = cost_at(target, least, {request_.facts.mode, {}}, row.sent_at, *request_.snapshot)) {
      row.estimate_cost = cost->amount;
      row.estimate_usd_pico = cost->usd_pico;
      row.estimate_usd_rate = cost->usd_rate->usd;
      row.price = request_.world.texts.price(target, cost->price, *cost->usd_rate);
    }
    row.reserved_usd_pico = charging_.reserved();
    row.markup = charging_.markup();
    return row;
  }

  Task<Result<void>> open_attempt(const Candidate& candidate, TimePoint sent_at) {
    notes_.add_open();
    estimate_usd_pico_ = notes_.add(opening_of(candidate, sent_at)).estimate_usd_pico;
    const auto written = co_await request_.world.books.write(notes_.give());
    if (!written) co_return written;
    if (!notes_.is_opened()) request_.opening = notes_.let_opening_go();
    tried_.push_back({candidate.target, nullptr});
    outcome_ = {};
    co_return boost::system::in_place_value;
  }

  /// Waits out a backoff, with what is known written down first; ends early when the app leaves.
  Task<void> pause(Milliseconds delay) {
    co_await request_.world.books.write(notes_.give());
    Timer timer(request_.world.executor, delay);
    request_.cancel.set_hook([&timer] { timer.cancel(); });
    boost::system::error_code ignored;
    if (!request_.cancel.requested()) co_await timer.async_wait(asio::redirect_error(use_task, ignored));
    request_.cancel.clear_hook();
  }

  RequestSettle settlement() const {
    RequestSettle row;
    row.id = request_.id;
    row.ended_at = request_.world.now();
    row.attempts = static_cast<int>(tried_.size());
    row.first_byte_us = request_.first_byte_us;
    for (const Ended::Attempt& attempt : tried_)
      if (attempt.settle != nullptr) {
        row.usd_pico += attempt.settle->usd_pico.value_or(0);
        row.charge_usd_pico += attempt.settle->charge_usd_pico.value_or(0);
      }
    if (!failure_) {
      row.http_status = 200;
      row.ended_by = is_repeat() ? EndedBy::fairlead : EndedBy::provider;
      row.phase = Phase::done;
      row.target = is_repeat() ? request_.repeat->kept()->target : target()->name;
      return row;
    }
    row.error = to_string(failure_->error.kind);
    row.ended_by = failure_->error.origin == ErrorOrigin::app        ? EndedBy::app
                   : failure_->error.origin == ErrorOrigin::provider ? EndedBy::provider
                                                                     : EndedBy::fairlead;
    row.phase = last_settled() != nullptr ? last_settled()->phase : Phase::plan;
    if (request_.content_sent) row.target = target()->name;
    if (request_.answer.committed())
      row.http_status = 200;
    else if (!app_is_gone())
      row.http_status = app_error(failure_->error, failure_->status).status;
    return row;
  }

  const AttemptSettle* last_settled() const {
    for (auto at = tried_.rbegin(); at != tried_.rend(); ++at)
      if (at->settle != nullptr) return at->settle;
    return nullptr;
  }

  bool app_is_gone() const {
    return failure_->error.kind == ErrorKind::app_gone ||
           (request_.cancel.requested() && request_.cancel.reason() == net::Cancel::Reason::app_gone);
  }

  Task<void> tell_app(const RequestSettle& row) {
    if (!failure_) {
      if (is_repeat()) return tell_kept(request_);
      return tell_end(request_, *target(), row.attempts, outcome_.last, request_.spent_usd_pico);
    }
    return tell_failure(request_, *failure_, row.attempts, charging_.resets_at());
  }

  Request request_;
  Notes notes_;
  const Key& key_;
  Charging charging_;
  std::optional<AttemptCourse> course_;      ///< once there is a plan to be carried out
  std::optional<Step> step_;                 ///< the attempt under way, or what is tried next; empty: nothing is
  std::optional<Attempt> attempt_;           ///< under way
  AttemptOutcome outcome_;                   ///< of the last attempt
  std::unique_ptr<Failure> failure_;         ///< null: there is none, so far
  std::optional<Int128> estimate_usd_pico_;  ///< of the attempt under way: what it is charged if it breaks
  std::vector<Ended::Attempt> tried_;        ///< whose opening is in the books; without a settlement: under way, or broken
  std::unique_ptr<state::Limits::Admitted> admitted_;  ///< null: nothing is held of any limit
  std::optional<Milliseconds> retry_after_;            ///< of a refusal of ours
};

/// `key` is the snapshot's.
Task<void> carry(World& world, std::shared_ptr<const Snapshot> snapshot, std::unique_ptr<net::AppRequest> request,
                 net::AppAnswer& answer, const Key& key) {
  Exchange exchange(world, std::move(snapshot), std::move(request), answer, key);
  try {
    const auto ready = exchange.prepare();
    if (!ready) exchange.refuse(ready.error());
    for (;;) {
      const bool found = co_await exchange.find_answer();
      if (!found) break;
      const Result<void> read = co_await exchange.relay();
      exchange.relayed(read);
    }
  } catch (const std::exception& error) {
    exchange.broke(error.what());
  }
  co_await exchange.settle();
}

Task<void> turn_away(World& world, net::AppAnswer& answer, Error error, std::string peer) {
  const net::WholeAnswer told = error_answer(world, error);
  const std::array<std::string_view, 1> pieces{told.body};
  co_await answer.send(told.status, told.fields, pieces);
  world.observer.turned_away(error, peer);
}

}  // namespace

// Which of both it is needs no frame of its own.
Task<void> run_exchange(World& world, std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer) {
  std::shared_ptr<const Snapshot> snapshot = world.snapshot.get();
  world.texts.use(snapshot);
  const auto key = authenticate(request->field("authorization"), *snapshot, world.now());
  if (!key) return turn_away(world, answer, key.error(), std::move(request->peer));
  return carry(world, std::move(snapshot), std::move(request), answer, **key);
}

}  // namespace fairlead::exchange
