#include "exchange/settle.h"

#include <algorithm>
#include <cmath>
#include <string_view>

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

void append_rate(std::string& json, std::string_view kind, const std::optional<Int128>& rate) {
  if (rate) json.append(",\"").append(kind).append("\":\"").append(format_decimal(*rate)).append("\"");
}

/// Names come from the configuration: quoted here without a JSON library, as the fields are few and on every request's way.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out += '"';
}

std::string price_json(const Target& target, const PriceInForce& price) {
  std::string json = "{\"model\":" + quoted(target.provider->price_list + "/" + target.model->name);
  json += ",\"from_us\":" + std::to_string(price.entry->from.time_since_epoch().count());
  json.append(",\"currency\":\"").append(price.entry->currency.view()).append("\"");
  if (!price.window.empty()) json += ",\"window\":" + quoted(price.window);
  if (price.above_input_tokens != 0) json += ",\"above_input_tokens\":" + std::to_string(price.above_input_tokens);
  append_rate(json, "input", price.rates.input);
  append_rate(json, "cached_input", price.rates.cached_input);
  append_rate(json, "cache_write", price.rates.cache_write);
  append_rate(json, "output", price.rates.output);
  return json += "}";
}

}  // namespace

TakenUsage taken_usage(const AttemptEnd& end) {
  if (end.answer.usage_source == UsageSource::reported) return {end.answer.usage, UsageSource::reported};
  const bool answered = end.status >= 200 && end.status < 300;
  const bool no_answer = end.status == 0 && end.report.sent_whole;
  if (!answered && !no_answer) return {};
  TakenUsage taken;
  taken.source = end.answer.usage_source == UsageSource::invalid ? UsageSource::invalid : UsageSource::estimated;
  taken.usage.input = end.input_tokens_estimate;
  if (answered) {
    std::int64_t output = tokens_of(end.answer.content_bytes, end.bytes_per_token);
    if (end.output_tokens_max) output = std::min(output, *end.output_tokens_max);
    taken.usage.output = output;
  }
  return taken;
}

std::optional<Cost> cost_at(const Target& target, const Usage& usage, TimePoint sent_at, const Snapshot& snapshot) {
  const auto price = price_in_force(target.model->prices, target.provider->currency, usage.input_total(), sent_at);
  if (!price) return std::nullopt;
  const auto amount = cost_of(usage, *price);
  const auto rate = snapshot.usd_per.find(std::string(price->entry->currency.view()));
  if (!amount || rate == snapshot.usd_per.end()) return std::nullopt;
  return Cost{*amount, multiply_pico(amount->pico, rate->second), rate->second, price_json(target, *price)};
}

AttemptSettle settle_attempt(const std::string& request_id, int number, const AttemptEnd& end, const Snapshot& snapshot) {
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
    row.usd_pico = 0;
    return row;
  }
  if (auto cost = cost_at(*end.target, taken.usage, end.sent_at, snapshot)) {
    row.cost = cost->amount;
    row.usd_pico = cost->usd_pico;
    row.usd_rate = cost->usd_rate;
    row.price = std::move(cost->price);
  }
  return row;
}

}  // namespace fairlead::exchange
