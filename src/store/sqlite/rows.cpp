#include "store/sqlite/rows.h"

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

std::optional<Int128> pico_of(const std::optional<Money>& money) {
  return money ? std::optional<Int128>(money->pico) : std::nullopt;
}
std::optional<std::string_view> currency_of(const std::optional<Money>& money) {
  return money ? std::optional<std::string_view>(money->currency.view()) : std::nullopt;
}

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
  open.route = c.text();
  open.endpoint = c.text();
  open.requested_model = c.text();
  open.stream = c.flag();
  open.snapshot_hash = c.text();
  open.plan = c.text();
  open.expected = c.text();
  settle.ended_at = c.time();
  settle.http_status = c.small();
  settle.ended_by = c.ended_by();
  settle.phase = c.phase();
  settle.error = c.text();
  settle.target = c.text();
  settle.attempts = c.small();
  settle.first_byte_us = c.maybe_integer();
  settle.usd_pico = c.integer();
  return record;
}

constexpr std::string_view request_columns =
    "SELECT id, state, started_at, key, team, route, endpoint, requested_model, stream, snapshot_hash, plan, expected, ended_at, "
    "http_status, ended_by, phase, error, target, attempts, first_byte_us, usd_pico FROM requests ";

constexpr std::string_view attempts_of_request =
    "SELECT number, state, sent_at, provider, model, target, reserved_usd_pico, input_tokens_estimate, estimate_cost_pico, "
    "estimate_cost_currency, estimate_usd_pico, estimate_usd_rate_pico, price, ended_at, ended_by, phase, error, status, "
    "unconfirmed, connection_reused, reported_model, upstream_id, finish_reason, input_tokens, cached_input_tokens, "
    "cache_write_tokens, output_tokens, reasoning_tokens, audio_tokens, image_tokens, usage_source, cost_pico, cost_currency, "
    "usd_pico, usd_rate_pico, connect_us, first_byte_us, duration_us FROM attempts WHERE request_id = ?1 ORDER BY number";

}  // namespace

RowWriter::RowWriter(sqlite3* connection)
    : connection_(connection),
      open_request_(connection,
                    "INSERT INTO requests (id, state, started_at, key, team, route, endpoint, requested_model, stream, "
                    "snapshot_hash, plan, expected) VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      open_attempt_(connection,
                    "INSERT INTO attempts (request_id, number, state, sent_at, provider, model, target, reserved_usd_pico, "
                    "input_tokens_estimate, estimate_cost_pico, estimate_cost_currency, estimate_usd_pico, "
                    "estimate_usd_rate_pico, price) VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      settle_attempt_(connection,
                      "UPDATE attempts SET state = 'settled', ended_at = ?3, ended_by = ?4, phase = ?5, error = ?6, status = ?7, "
                      "unconfirmed = ?8, connection_reused = ?9, reported_model = ?10, upstream_id = ?11, finish_reason = ?12, "
                      "input_tokens = ?13, cached_input_tokens = ?14, cache_write_tokens = ?15, output_tokens = ?16, "
                      "reasoning_tokens = ?17, audio_tokens = ?18, image_tokens = ?19, usage_source = ?20, cost_pico = ?21, "
                      "cost_currency = ?22, usd_pico = ?23, usd_rate_pico = ?24, price = ?25, connect_us = ?26, "
                      "first_byte_us = ?27, duration_us = ?28 WHERE request_id = ?1 AND number = ?2 AND state = 'open'"),
      settle_request_(
          connection,
          "UPDATE requests SET state = 'settled', ended_at = ?2, http_status = ?3, ended_by = ?4, phase = ?5, "
          "error = ?6, target = ?7, attempts = ?8, first_byte_us = ?9, usd_pico = ?10 WHERE id = ?1 AND state = 'open'"),
      count_attempts_(connection, "SELECT 1 FROM attempts WHERE request_id = ?1 AND number = ?2"),
      count_requests_(connection, "SELECT 1 FROM requests WHERE id = ?1 AND ?2 = 0") {}

Result<void> RowWriter::write(const Write& row) {
  return std::visit([this](const auto& r) { return put(r); }, row);
}

Result<void> RowWriter::put(const RequestOpen& r) {
  return open_request_.run(std::string_view(r.id), r.started_at, std::string_view(r.key), std::string_view(r.team),
                           std::string_view(r.route), std::string_view(r.endpoint), std::string_view(r.requested_model), r.stream,
                           std::string_view(r.snapshot_hash), std::string_view(r.plan), std::string_view(r.expected));
}

Result<void> RowWriter::put(const AttemptOpen& r) {
  return open_attempt_.run(std::string_view(r.request_id), r.number, r.sent_at, std::string_view(r.provider),
                           std::string_view(r.model), std::string_view(r.target), r.reserved_usd_pico, r.input_tokens_estimate,
                           pico_of(r.estimate_cost), currency_of(r.estimate_cost), r.estimate_usd_pico, r.estimate_usd_rate,
                           std::string_view(r.price));
}

Result<void> RowWriter::put(const AttemptSettle& r) {
  const Usage& u = r.usage;
  auto done = settle_attempt_.run(std::string_view(r.request_id), r.number, r.ended_at, to_string(r.ended_by), to_string(r.phase),
                                  std::string_view(r.error), r.status, r.unconfirmed, r.connection_reused,
                                  std::string_view(r.reported_model), std::string_view(r.upstream_id),
                                  std::string_view(r.finish_reason), u.input, u.cached_input, u.cache_write, u.output, u.reasoning,
                                  u.audio, u.image, to_string(r.usage_source), pico_of(r.cost), currency_of(r.cost), r.usd_pico,
                                  r.usd_rate, std::string_view(r.price), r.connect_us, r.first_byte_us, r.duration_us);
  if (!done || sqlite3_changes64(connection_) == 1) return done;
  return settled_before(count_attempts_, r.request_id, r.number);
}

Result<void> RowWriter::put(const RequestSettle& r) {
  auto done = settle_request_.run(std::string_view(r.id), r.ended_at, r.http_status, to_string(r.ended_by), to_string(r.phase),
                                  std::string_view(r.error), std::string_view(r.target), r.attempts, r.first_byte_us, r.usd_pico);
  if (!done || sqlite3_changes64(connection_) == 1) return done;
  return settled_before(count_requests_, r.id, 0);
}

Result<void> RowWriter::settled_before(Statement& count, std::string_view request_id, int number) {
  const Result<bool> found = count.bind(request_id, number).step();
  count.reset();
  if (!found) return found.error();
  if (*found) return {};
  return Error(ErrorKind::internal, ErrorOrigin::fairlead, "a line cannot be written to the ledger",
               "no open row of " + std::string(request_id) + " to settle");
}

Result<std::optional<RequestRecord>> read_request(Database& database, std::string_view id) {
  const bool last = id == "last";
  Statement request(database.handle(), std::string(request_columns) + (last ? "ORDER BY rowid DESC LIMIT 1" : "WHERE id = ?1"));
  if (!last) request.bind(id);
  const Result<bool> found = request.step();
  if (!found) return found.error();
  if (!*found) return std::optional<RequestRecord>();
  RequestRecord record = read_record(request);
  Statement attempts(database.handle(), attempts_of_request);
  attempts.bind(std::string_view(record.open.id));
  for (;;) {
    const Result<bool> row = attempts.step();
    if (!row) return row.error();
    if (!*row) return std::optional<RequestRecord>(std::move(record));
    record.attempts.push_back(read_attempt(attempts, record.open.id));
  }
}

}  // namespace fairlead::sqlite
