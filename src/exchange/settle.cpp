#include "exchange/settle.h"

#include <fairlead/countable.h>

#include <algorithm>
#include <cmath>

#include "exchange/over_budget.h"
#include "exchange/usage_bounds.h"
#include "plan/expect.h"

namespace fairlead::exchange {
namespace {

constexpr std::int64_t overtaken_tokens_min = 16;  // by fewer, a report is not doubted

EndedBy ended_by(const AttemptEnd& end) {
  if (!end.error) return EndedBy::provider;
  switch (end.error->origin) {
    case ErrorOrigin::app: return EndedBy::app;
    case ErrorOrigin::fairlead: return EndedBy::fairlead;
    case ErrorOrigin::provider: return EndedBy::provider;
  }
  return EndedBy::none;
}

/// No answer was to be waited for any more.
bool closed_by_us(const AttemptEnd& end) {
  if (!end.error) return false;
  switch (end.error->kind) {
    case ErrorKind::app_gone:
    case ErrorKind::draining:
    case ErrorKind::upstream_timeout:
    case ErrorKind::upstream_protocol: return true;
    default: return false;
  }
}

/// Sent whole, and no answer came: it may be billed. But for a kept connection that its provider had closed before it heard of it.
bool without_answer(const AttemptEnd& end) {
  const bool stale = end.error && end.error->retry == Retry::reused_connection_only;
  return end.status == 0 && end.report.sent_whole && !stale;
}

BillsAfterClose bills_after_close(const AttemptEnd& end) {
  const BillsAfterClose said = end.target->provider->bills_after_close;
  if (said != BillsAfterClose::unknown) return said;
  // Who streams finds out with the next write that nobody listens; who does not has nothing to write before all is generated.
  return end.asked.stream ? BillsAfterClose::delivered : BillsAfterClose::whole;
}

std::int64_t content_tokens(const AttemptEnd& end) {
  const auto tokens = static_cast<std::int64_t>(std::ceil(tokens_of(end.content, end.bytes_per_token)));
  const auto limit = output_limit(*end.asked.facts, *end.target);
  return limit ? std::min(tokens, countable_tokens(Int128{*limit} * end.asked.facts->choices)) : tokens;
}

/// Of the whole answer, most of which nobody has seen: so no more than was held for it.
std::int64_t expected_tokens(const AttemptEnd& end) {
  return std::min(end.asked.output_tokens, held_output(*end.asked.facts, *end.target, end.asked.facts->choices));
}

/// Of an answer that has begun, or that is billed without one, and of which nothing was reported.
std::int64_t estimated_output(const AttemptEnd& end) {
  const std::int64_t came = content_tokens(end);
  return closed_by_us(end) && bills_after_close(end) == BillsAfterClose::whole ? std::max(came, expected_tokens(end)) : came;
}

/// A report in the middle of an answer that then broke off tells of its beginning alone.
bool overtaken(const AttemptEnd& end) {
  return end.error && content_tokens(end) > 2 * end.answer.usage.output_total() + overtaken_tokens_min;
}

/// What was reported is how far the answer had come, and its provider was not heard to its end.
bool closed_on_running_report(const AttemptEnd& end) {
  return closed_by_us(end) && end.answer.usage_source == UsageSource::reported && !end.answer.usage_of_whole;
}

bool bills_nothing(const AttemptEnd& end) { return closed_by_us(end) && bills_after_close(end) == BillsAfterClose::nothing; }

/// A report that can be, and what it leaves out.
TakenUsage completed_report(const AttemptEnd& end) {
  TakenUsage taken{end.answer.usage, UsageSource::reported};
  Usage& usage = taken.usage;
  if (!usage.input) {
    const std::int64_t others = usage.cached_input.value_or(0) + usage.cache_write.value_or(0);
    usage.input = std::max<std::int64_t>(0, end.asked.input_tokens - others);
  }
  if (!usage.output && !end.content.empty()) usage.output = content_tokens(end);
  if (overtaken(end)) usage.output = content_tokens(end) - usage.reasoning.value_or(0);  // more than they were
  if (usage != end.answer.usage) taken.source = UsageSource::estimated;
  if (!closed_on_running_report(end)) return taken;
  taken.source = UsageSource::estimated;
  if (bills_after_close(end) == BillsAfterClose::whole)
    usage.output = std::max(usage.output_total(), expected_tokens(end)) - usage.reasoning.value_or(0);
  return taken;
}

}  // namespace

bool is_taken_as_reported(const AttemptProgress& attempt, const AnswerSummary& so_far) {
  const Usage& usage = so_far.usage;
  return so_far.usage_source == UsageSource::reported && usage.input && usage.output && can_be(attempt, so_far);
}

bool needs_estimate(const AttemptEnd& end) { return end.error || !is_taken_as_reported(end, end.answer); }

TakenUsage taken_usage(const AttemptEnd& end) {
  const UsageSource told = end.answer.usage_source;
  if (closed_on_running_report(end) && bills_nothing(end)) return {};
  if (told == UsageSource::reported && can_be(end, end.answer)) return completed_report(end);
  const bool answered = end.status >= 200 && end.status < 300;
  if (!answered && !without_answer(end)) return {};
  if (bills_nothing(end)) return {};
  TakenUsage taken;
  taken.source = told == UsageSource::none ? UsageSource::estimated : UsageSource::invalid;
  taken.usage.input = end.asked.input_tokens;
  const std::int64_t output = estimated_output(end);
  if (answered || output > 0) taken.usage.output = output;
  return taken;
}

std::optional<Cost> cost_at(const Target& target, const Usage& usage, const Served& served, TimePoint sent_at,
                            const Snapshot& snapshot) {
  const bool thought = usage.reasoning ? *usage.reasoning > 0 : thinks(target, served.asked.thinking);
  const ServiceTier tier = served.service_tier.value_or(served.asked.service_tier);
  const auto price = price_of(target, {usage.input_total(), thought, tier}, sent_at);
  if (!price) return std::nullopt;
  const auto amount = cost_of(usage, *price);
  const UsdRate* rate = snapshot.usd_rate(price->entry->currency, sent_at);
  if (!amount || !rate) return std::nullopt;
  return Cost{*amount, multiply_pico(amount->pico, rate->usd), rate, *price};
}

AttemptSettle settle_attempt(const std::string& request_id, int number, const AttemptEnd& end, const Snapshot& snapshot,
                             Texts& texts) {
  AttemptSettle row;
  row.request_id = request_id;
  row.number = number;
  row.ended_at = end.ended_at;
  row.ended_by = ended_by(end);
  row.phase = end.error ? end.phase : Phase::done;
  if (end.error) row.error = to_string(end.error->kind);
  row.status = end.status;
  row.unconfirmed = without_answer(end);
  row.connection_reused = end.report.connection_reused;
  row.reported_model = end.answer.model;
  row.upstream_id = end.answer.id;
  row.finish_reason = end.answer.finish_reason;
  row.reported_usd_pico = end.answer.reported_usd_pico;
  row.connect_us = end.report.connect_us;
  row.first_byte_us = end.first_byte_us;
  row.duration_us = (end.ended_at - end.sent_at).count();

  const TakenUsage taken = taken_usage(end);
  row.usage = taken.usage;
  row.usage_source = taken.source;
  if (taken.source == UsageSource::none) {
    row.cost = Money{0, end.target->provider->currency};
    row.usd_pico = row.charge_usd_pico = 0;
    return row;
  }
  if (const auto cost =
          cost_at(*end.target, taken.usage, {end.asked.facts->mode, end.answer.service_tier}, end.sent_at, snapshot)) {
    row.cost = cost->amount;
    row.usd_pico = cost->usd_pico;
    row.charge_usd_pico = charge_of(cost->usd_pico, end.markup);
    row.usd_rate = cost->usd_rate->usd;
    row.price = texts.price(*end.target, cost->price, *cost->usd_rate);
  }
  return row;
}

}  // namespace fairlead::exchange
