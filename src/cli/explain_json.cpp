#include "cli/explain_json.h"

#include "cli/table.h"
#include "plan/plan.h"

#include <nlohmann/json.hpp>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;
using Attempt = RequestRecord::Attempt;

/// The JSON of a text column; null for what is not JSON.
Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(nullptr) : json;
}

Json amount_json(const std::optional<Int128>& pico) { return pico ? Json(format_decimal(*pico)) : Json(nullptr); }
Json count_json(const std::optional<std::int64_t>& count) { return count ? Json(*count) : Json(nullptr); }
Json money_json(const std::optional<Money>& money) {
  return money ? Json{{"amount", format_decimal(money->pico)}, {"currency", money->currency.view()}} : Json(nullptr);
}

Json attempt_json(const Attempt& attempt) {
  const AttemptOpen& open = attempt.open;
  const AttemptSettle& end = attempt.settle;
  const Usage& u = end.usage;
  Json json{{"number", open.number},
            {"state", to_string(attempt.state)},
            {"sent_at", iso_8601_us(open.sent_at)},
            {"provider", open.provider},
            {"model", open.model},
            {"target", open.target},
            {"reserved_usd", amount_json(open.reserved_usd_pico)},
            {"input_tokens_estimate", open.input_tokens_estimate}};
  if (attempt.state == RowState::open) return json;
  json.update(Json{{"ended_at", iso_8601_us(end.ended_at)},
                   {"ended_by", to_string(end.ended_by)},
                   {"phase", to_string(end.phase)},
                   {"error", end.error},
                   {"status", end.status},
                   {"unconfirmed", end.unconfirmed},
                   {"connection_reused", end.connection_reused},
                   {"reported_model", end.reported_model},
                   {"upstream_id", end.upstream_id},
                   {"finish_reason", end.finish_reason},
                   {"usage",
                    {{"input", count_json(u.input)},
                     {"cached_input", count_json(u.cached_input)},
                     {"cache_write", count_json(u.cache_write)},
                     {"output", count_json(u.output)},
                     {"reasoning", count_json(u.reasoning)},
                     {"audio", count_json(u.audio)},
                     {"image", count_json(u.image)}}},
                   {"usage_source", to_string(end.usage_source)},
                   {"cost", money_json(end.cost)},
                   {"cost_usd", amount_json(end.usd_pico)},
                   {"reported_usd", amount_json(end.reported_usd_pico)},
                   {"usd_rate", amount_json(end.usd_rate)},
                   {"price", parsed(end.price)},
                   {"connect_us", count_json(end.connect_us)},
                   {"first_byte_us", count_json(end.first_byte_us)},
                   {"duration_us", end.duration_us}});
  return json;
}

}  // namespace

std::string explain_json(const RequestRecord& record) {
  const RequestOpen& open = record.open;
  const RequestSettle& end = record.settle;
  Json json{{"id", open.id},
            {"state", to_string(record.state)},
            {"started_at", iso_8601_us(open.started_at)},
            {"key", open.key},
            {"team", open.team},
            {"route", open.route},
            {"endpoint", open.endpoint},
            {"requested_model", open.requested_model},
            {"stream", open.stream},
            {"content", parsed(open.content)},
            {"project", open.project},
            {"facts", parsed(open.facts)},
            {"snapshot_hash", open.snapshot_hash},
            {"plan", parsed(whole_plan_text(open.plan, open.expected))}};
  if (record.state != RowState::open)
    json.update(Json{{"ended_at", iso_8601_us(end.ended_at)},
                     {"http_status", end.http_status},
                     {"ended_by", to_string(end.ended_by)},
                     {"phase", to_string(end.phase)},
                     {"error", end.error},
                     {"target", end.target},
                     {"first_byte_us", count_json(end.first_byte_us)},
                     {"cost_usd", format_decimal(end.usd_pico)}});
  json["attempts"] = Json::array();
  for (const Attempt& attempt : record.attempts) json["attempts"].push_back(attempt_json(attempt));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace fairlead::cli
