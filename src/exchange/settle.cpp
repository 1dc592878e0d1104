#include "exchange/settle.h"

#include <algorithm>
#include <cmath>

namespace fairlead::exchange {
namespace {

std::int64_t tokens_of(std::size_t bytes, double bytes_per_token) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(bytes) / bytes_per_token));
}

EndedBy ended_by(const AttemptEnd& end) {
  if (!end.error) return EndedBy::provider;
  switch (end.error->origin) {
    case ErrorOrigin::app: return EndedBy::app;
    case ErrorOrigin::fairlead: return EndedBy::fairlead;
    case ErrorOrigin::provider: return EndedBy::provider;
  }
  return EndedBy::none;
}

}  // namespace

TakenUsage taken_usage(const AttemptEnd& end) {
  // An answer that said something did not cost nothing, whatever its provider says.
  const bool absurd = end.answer.usage.input_total() == 0 && end.answer.usage.output_total() == 0 && end.answer.content_bytes > 0;
  if (end.answer.usage_source == UsageSource::reported && !absurd) return {end.answer.usage, UsageSource::reported};
  const bool answered = end.status >= 200 && end.status < 300;
  const bool no_answer = end.status == 0 && end.report.sent_whole;
  if (!answered && !no_answer) return {};
  TakenUsage taken;
  taken.source = end.answer.usage_source == UsageSource::none ? UsageSource::estimated : UsageSource::invalid;
  taken.usage.input = end.input_tokens_estimate;
  if (answered) {
    std::int64_t output = tokens_of(end.answer.content_bytes, end.bytes_per_token);
    if (end.output_tokens_max) output = std::min(output, *end.output_tokens_max);
    taken.usage.output = output;
  }
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
  row.unconfirmed = end.status == 0 && end.report.sent_whole;
  row.connection_reused = end.report.connection_reused;
  row.reported_model = end.answer.model;
  row.upstream_id = end.answer.id;
  row.finish_reason = end.answer.finish_reason;
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
  if (const auto cost = cost_at(*end.target, taken.usage, {end.mode, end.answer.service_tier}, end.sent_at, snapshot)) {
    row.cost = cost->amount;
    row.usd_pico = cost->usd_pico;
    row.charge_usd_pico = charge_of(cost->usd_pico, end.markup);
    row.usd_rate = cost->usd_rate->usd;
    row.price = texts.price(*end.target, cost->price, *cost->usd_rate);
  }
  return row;
}

}  // namespace fairlead::exchange
