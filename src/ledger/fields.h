#pragma once
// What the rows hold, field by field: one list for writing and reading, so that the two cannot differ. `Archive` takes each field;
// its `Of<Row>` is the row, or the row const.
#include <fairlead/row.h>

namespace fairlead {

template <class Archive>
void each_field(Archive& a, typename Archive::template Of<RequestOpen>& r) {
  a.time(r.started_at);
  for (auto* text : {&r.key, &r.team, &r.project, &r.route, &r.endpoint, &r.requested_model}) a.text(*text);
  a.flag(r.stream);
  a.text(r.snapshot_hash);
  a.text(r.plan);
  a.text(r.content);
  a.text(r.facts);
  a.raw(r.expected);
}

template <class Archive>
void each_field(Archive& a, typename Archive::template Of<RequestSettle>& r) {
  a.time(r.ended_at);
  a.integer(r.http_status);
  a.small(r.ended_by);
  a.small(r.phase);
  a.text(r.error);
  a.text(r.target);
  a.integer(r.attempts);
  a.maybe(r.first_byte_us);
  a.amount(r.usd_pico);
  a.amount(r.charge_usd_pico);
}

template <class Archive>
void each_field(Archive& a, typename Archive::template Of<AttemptOpen>& r) {
  a.integer(r.number);
  a.time(r.sent_at);
  for (auto* text : {&r.provider, &r.model, &r.target}) a.text(*text);
  a.maybe(r.reserved_usd_pico);
  a.integer(r.input_tokens_estimate);
  a.money(r.estimate_cost);
  a.maybe(r.estimate_usd_pico);
  a.maybe(r.estimate_usd_rate);
  a.amount(r.markup);
  a.text(r.price);
}

template <class Archive>
void each_field(Archive& a, typename Archive::template Of<AttemptSettle>& r) {
  a.integer(r.number);
  a.time(r.ended_at);
  a.small(r.ended_by);
  a.small(r.phase);
  a.text(r.error);
  a.integer(r.status);
  a.flag(r.unconfirmed);
  a.flag(r.connection_reused);
  a.text(r.reported_model);
  a.raw(r.upstream_id);
  a.text(r.finish_reason);
  for (auto* kind : {&r.usage.input, &r.usage.cached_input, &r.usage.cache_write, &r.usage.output, &r.usage.reasoning,
                     &r.usage.audio, &r.usage.image})
    a.maybe(*kind);
  a.small(r.usage_source);
  a.money(r.cost);
  a.maybe(r.usd_pico);
  a.maybe(r.charge_usd_pico);
  a.maybe(r.reported_usd_pico);
  a.maybe(r.usd_rate);
  a.text(r.price);
  a.maybe(r.connect_us);
  a.maybe(r.first_byte_us);
  a.integer(r.duration_us);
}

}  // namespace fairlead
