#include "store/sqlite/rows.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

/// The enumerator of this name, among those up to `last`; the first one for a name that this program does not know.
template <class E>
E parse(std::string_view name, E last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (to_string(static_cast<E>(i)) == name) return static_cast<E>(i);
  return E{};
}

/// Reads a row's columns one after another.
class Columns {
 public:
  explicit Columns(const Statement& row) : row_(row) {}
  std::string text() { return row_.text(at_++); }
  std::int64_t integer() { return row_.integer(at_++); }
  int small() { return static_cast<int>(integer()); }
  bool flag() { return integer() != 0; }
  std::optional<std::int64_t> maybe_integer() { return row_.maybe_integer(at_++); }
  TimePoint time() { return TimePoint(std::chrono::microseconds(integer())); }
  std::optional<Int128> maybe_amount() {
    const auto value = maybe_integer();
    return value ? std::optional<Int128>(*value) : std::nullopt;
  }
  std::optional<Money> maybe_money() {
    const auto pico = maybe_amount();
    const auto currency = parse_currency(text());
    return pico && currency ? std::optional<Money>(Money{*pico, *currency}) : std::nullopt;
  }
  RowState state() { return parse(text(), RowState::interrupted); }
  EndedBy ended_by() { return parse(text(), EndedBy::provider); }
  Phase phase() { return parse(text(), Phase::done); }
  UsageSource usage_source() { return parse(text(), UsageSource::invalid); }

 private:
  const Statement& row_;
  int at_ = 0;
};

RequestRecord::Attempt read_attempt(const Statement& row, const std::string& request_id) {
  Columns c(row);
  RequestRecord::Attempt attempt;
  AttemptOpen& open = attempt.open;
  AttemptSettle& settle = attempt.settle;
  open.request_id = settle.request_id = request_id;
  open.number = settle.number = c.small();
  attempt.state = c.state();
  open.sent_at = c.time();
  open.provider = c.text();
  open.model = c.text();
  open.target = c.text();
  open.reserved_usd_pico = c.maybe_amount();
  open.input_tokens_estimate = c.integer();
  open.estimate_cost = c.maybe_money();
  open.estimate_usd_pico = c.maybe_amount();
  open.estimate_usd_rate = c.maybe_amount();
  open.markup = c.integer();
  open.price = settle.price = c.text();
  settle.ended_at = c.time();
  settle.ended_by = c.ended_by();
  settle.phase = c.phase();
  settle.error = c.text();
  settle.status = c.small();
  settle.unconfirmed = c.flag();
  settle.connection_reused = c.flag();
  settle.reported_model = c.text();
  settle.upstream_id = c.text();
  settle.finish_reason = c.text();
  settle.usage.input = c.maybe_integer();
  settle.usage.cached_input = c.maybe_integer();
  settle.usage.cache_write = c.maybe_integer();
  settle.usage.output = c.maybe_integer();
  settle.usage.reasoning = c.maybe_integer();
  settle.usage.audio = c.maybe_integer();
  settle.usage.image = c.maybe_integer();
  settle.usage_source = c.usage_source();
  settle.cost = c.maybe_money();
  settle.usd_pico = c.maybe_amount();
  settle.charge_usd_pico = c.maybe_amount();
  settle.reported_usd_pico = c.maybe_amount();
  settle.usd_rate = c.maybe_amount();
  settle.connect_us = c.maybe_integer();
  settle.first_byte_us = c.maybe_integer();
  settle.duration_us = c.integer();
  return attempt;
}

RequestRecord read_record(const Statement& row) {
  Columns c(row);
  RequestRecord record;
  RequestOpen& open = record.open;
  RequestSettle& settle = record.settle;
  open.id = settle.id = c.text();
  record.state = c.state();
  open.started_at = c.time();
  open.key = c.text();
  open.team = c.text();
  open.project = c.text();
  open.route = c.text();
  open.endpoint = c.text();
  open.requested_model = c.text();
  open.stream = c.flag();
  open.snapshot_hash = c.text();
  open.plan = c.text();
  open.expected = c.text();
  open.content = c.text();
  open.facts = c.text();
  settle.ended_at = c.time();
  settle.http_status = c.small();
  settle.ended_by = c.ended_by();
  settle.phase = c.phase();
  settle.error = c.text();
  settle.target = c.text();
  settle.attempts = c.small();
  settle.first_byte_us = c.maybe_integer();
  settle.usd_pico = c.integer();
  settle.charge_usd_pico = c.integer();
  return record;
}

constexpr std::string_view select_requests =
    "SELECT id, state, started_at, key, team, project, route, endpoint, requested_model, stream, snapshot_hash, plan, expected, "
    "content, facts, ended_at, http_status, ended_by, phase, error, target, attempts, first_byte_us, usd_pico, charge_usd_pico "
    "FROM requests ";

constexpr std::string_view attempts_of_request =
    "SELECT number, state, sent_at, provider, model, target, reserved_usd_pico, input_tokens_estimate, estimate_cost_pico, "
    "estimate_cost_currency, estimate_usd_pico, estimate_usd_rate_pico, markup_pico, price, ended_at, ended_by, phase, error, "
    "status, unconfirmed, connection_reused, reported_model, upstream_id, finish_reason, input_tokens, cached_input_tokens, "
    "cache_write_tokens, output_tokens, reasoning_tokens, audio_tokens, image_tokens, usage_source, cost_pico, cost_currency, "
    "usd_pico, charge_usd_pico, reported_usd_pico, usd_rate_pico, connect_us, first_byte_us, duration_us FROM attempts WHERE "
    "request_id = ?1 ORDER BY number";

// Lines lie in the order in which requests ended, or were seen to last; what started last is among the last of them.
const std::string newest =
    "WHERE id = (SELECT id FROM (SELECT id, started_at, n FROM lines ORDER BY n DESC LIMIT 1000) ORDER BY started_at DESC, n DESC "
    "LIMIT 1)";

Result<void> add_attempts(Statement& attempts, RequestRecord& record) {
  attempts.bind(std::string_view(record.open.id));
  for (;;) {
    const Result<bool> row = attempts.step();
    if (!row) return row.error();
    if (!*row) return {};
    record.attempts.push_back(read_attempt(attempts, record.open.id));
  }
}

}  // namespace

Result<void> visit_requests(Database& database, const Period& period, const std::function<void(const RequestRecord&)>& visitor) {
  Statement requests(database.handle(),
                     std::string(select_requests) + "WHERE (?1 IS NULL OR started_at >= ?1) AND (?2 IS NULL OR started_at < ?2)");
  Statement attempts(database.handle(), attempts_of_request);
  requests.bind(period.since, period.until);
  for (;;) {
    const Result<bool> row = requests.step();
    if (!row) return row.error();
    if (!*row) return {};
    RequestRecord record = read_record(requests);
    if (auto done = add_attempts(attempts, record); !done) return done;
    visitor(record);
  }
}

Result<std::optional<RequestRecord>> read_request(Database& database, std::string_view id) {
  const bool last = id == "last";
  Statement request(database.handle(), std::string(select_requests) + (last ? newest : "WHERE id = ?1"));
  if (!last) request.bind(id);
  const Result<bool> found = request.step();
  if (!found) return found.error();
  if (!*found) return std::optional<RequestRecord>();
  RequestRecord record = read_record(request);
  Statement attempts(database.handle(), attempts_of_request);
  if (auto done = add_attempts(attempts, record); !done) return done.error();
  return std::optional<RequestRecord>(std::move(record));
}

Result<std::vector<ServedRequest>> read_served(Database& database, std::string_view facts_text, TimePoint since, std::size_t most) {
  Statement served(database.handle(),
                   "SELECT t.text, l.ended_at FROM lines l JOIN texts t ON t.id = l.facts JOIN endings e ON e.id = l.ending "
                   "WHERE l.facts <> 0 AND l.ended_at >= ? AND e.error = '' AND e.attempts > 0 AND instr(t.text, ?) > 0 "
                   "ORDER BY l.ended_at DESC LIMIT ?");
  served.bind(since, facts_text, most);
  std::vector<ServedRequest> all;
  for (;;) {
    const Result<bool> row = served.step();
    if (!row) return row.error();
    if (!*row) break;
    all.push_back({served.text(0), TimePoint(std::chrono::microseconds(served.integer(1)))});
  }
  std::reverse(all.begin(), all.end());
  return all;
}

Result<std::vector<Consumed>> read_consumed(Database& database, TimePoint since, std::chrono::microseconds step,
                                            std::int64_t before) {
  const auto tokens = [](const std::string& of) {
    std::string sum;
    for (const char* kind : {"input", "cached_input", "cache_write", "output", "reasoning"})
      sum += (sum.empty() ? "sum(coalesce(" : " + coalesce(") + of + kind + "_tokens, 0)";
    return sum + ")";
  };
  // By numbers first, as names are slow to compare. `+` keeps from reading all lines up to that number.
  Statement consumed(database.handle(),
                     "SELECT a.key, a.team, a.route, s.step, sum(s.requests), sum(s.tokens) FROM ("
                     "SELECT ask, sent_at / ?2 AS step, count(*) AS requests, " +
                         tokens("") +
                         " AS tokens FROM lines WHERE sent_at >= ?1 AND +n < ?3 GROUP BY 1, 2 "
                         "UNION ALL SELECT l.ask, r.sent_at / ?2, 0, " +
                         tokens("r.") +
                         " FROM retries r JOIN lines l ON l.n = r.line WHERE r.sent_at >= ?1 AND +l.n < ?3 GROUP BY 1, 2"
                         ") s JOIN asks a ON a.id = s.ask GROUP BY a.key, a.team, a.route, s.step ORDER BY s.step");
  consumed.bind(since, step.count(), before);
  std::vector<Consumed> all;
  for (;;) {
    const Result<bool> row = consumed.step();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back({consumed.text(0), consumed.text(1), consumed.text(2), TimePoint((consumed.integer(3) + 1) * step),
                   consumed.integer(4), consumed.integer(5)});
  }
}

}  // namespace fairlead::sqlite
