#include "store/sqlite/saving.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

constexpr std::string_view request_columns[] = {"id",     "ask",      "started_at",    "expected", "content",        "facts",
                                                "ending", "ended_at", "first_byte_us", "usd_pico", "charge_usd_pico"};
constexpr std::string_view attempt_columns[] = {"terms",
                                                "sent_at",
                                                "reserved_usd_pico",
                                                "input_tokens_estimate",
                                                "estimate_cost_pico",
                                                "estimate_usd_pico",
                                                "outcome",
                                                "attempt_ended_at",
                                                "upstream_id",
                                                "input_tokens",
                                                "cached_input_tokens",
                                                "cache_write_tokens",
                                                "output_tokens",
                                                "reasoning_tokens",
                                                "audio_tokens",
                                                "image_tokens",
                                                "cost_pico",
                                                "attempt_usd_pico",
                                                "attempt_charge_usd_pico",
                                                "connect_us",
                                                "attempt_first_byte_us",
                                                "duration_us"};

/// "a, b, c", with `before` and `after` around each.
template <class Columns>
std::string list(const Columns& columns, std::string_view between = "") {
  std::string text;
  for (const std::string_view column : columns) {
    if (!text.empty()) text += ", ";
    text += column;
    if (!between.empty()) text.append(between).append(column);
  }
  return text;
}

std::string placeholders(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "?" : ", ?";
  return text;
}

std::string line_sql() {
  return "INSERT INTO lines (" + list(request_columns) + ", " + list(attempt_columns) + ") VALUES (" +
         placeholders(std::size(request_columns) + std::size(attempt_columns)) + ") ON CONFLICT (id) DO ";
}

/// A line that is there and not open is left as it is.
std::string line_again_sql() {
  return line_sql() + "UPDATE SET " + list(request_columns, " = excluded.") + ", " + list(attempt_columns, " = excluded.") +
         " WHERE lines.ending = 0 OR lines.outcome = 0";
}

std::string retry_sql() {
  return "INSERT INTO retries (line, number, " + list(attempt_columns) + ") VALUES ((SELECT n FROM lines WHERE id = ?), ?, " +
         placeholders(std::size(attempt_columns)) + ") ON CONFLICT (line, number) DO UPDATE SET " +
         list(attempt_columns, " = excluded.") + " WHERE retries.outcome = 0";
}

std::optional<Int128> pico_of(const std::optional<Money>& money) {
  return money ? std::optional<Int128>(money->pico) : std::nullopt;
}
std::optional<std::string_view> currency_of(const std::optional<Money>& money) {
  return money ? std::optional<std::string_view>(money->currency.view()) : std::nullopt;
}

}  // namespace

LineWriter::LineWriter(sqlite3* connection)
    : connection_(connection),
      line_(connection, line_sql() + "NOTHING"),
      line_again_(connection, line_again_sql()),
      line_before_(connection, "SELECT ending, outcome FROM lines WHERE id = ?"),
      late_(connection, "INSERT INTO late SELECT n, ?, ? FROM lines WHERE id = ? ON CONFLICT DO NOTHING"),
      retry_(connection, retry_sql()),
      texts_(connection, "INSERT INTO texts (text) VALUES (?)"),
      asks_(connection,
            "INSERT INTO asks (key, team, project, route, endpoint, requested_model, stream, snapshot_hash, plan) VALUES (?, ?, ?, "
            "?, ?, ?, ?, "
            "?, ?)"),
      endings_(connection,
               "INSERT INTO endings (state, http_status, ended_by, phase, error, target, attempts) VALUES (?, ?, ?, ?, ?, ?, ?)"),
      terms_(connection,
             "INSERT INTO terms (provider, model, target, estimate_cost_currency, estimate_usd_rate_pico, markup_pico, price) "
             "VALUES (?, ?, ?, ?, ?, "
             "?, ?)"),
      outcomes_(connection,
                "INSERT INTO outcomes (state, ended_by, phase, error, status, unconfirmed, connection_reused, reported_model, "
                "finish_reason, usage_source, cost_currency, usd_rate_pico, price) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      sums_(connection) {}

void LineWriter::forget() {
  for (Dictionary* dictionary : {&texts_, &asks_, &endings_, &terms_, &outcomes_}) dictionary->forget();
  sums_.forget();
}

Result<std::int64_t> LineWriter::text(std::string_view text) {
  if (text.empty()) return 0;
  return texts_.number_of(text);
}

Result<std::int64_t> LineWriter::ask(const RequestOpen& r) {
  const auto plan = text(r.plan);
  if (!plan) return plan.error();
  return asks_.number_of(std::string_view(r.key), std::string_view(r.team), std::string_view(r.project), std::string_view(r.route),
                         std::string_view(r.endpoint), std::string_view(r.requested_model), r.stream,
                         std::string_view(r.snapshot_hash), *plan);
}

Result<std::int64_t> LineWriter::ending(const RequestRecord& record) {
  if (record.state == RowState::open) return 0;
  const RequestSettle& r = record.settle;
  return endings_.number_of(to_string(record.state), r.http_status, to_string(r.ended_by), to_string(r.phase),
                            std::string_view(r.error), std::string_view(r.target), r.attempts);
}

Result<std::int64_t> LineWriter::terms(const AttemptOpen& r) {
  const auto price = text(r.price);
  if (!price) return price.error();
  return terms_.number_of(std::string_view(r.provider), std::string_view(r.model), std::string_view(r.target),
                          currency_of(r.estimate_cost), r.estimate_usd_rate, std::optional<Int128>(r.markup), *price);
}

Result<std::int64_t> LineWriter::outcome(const Attempt& attempt) {
  if (attempt.state == RowState::open) return 0;
  const AttemptSettle& r = attempt.settle;
  const auto price = text(r.price);
  if (!price) return price.error();
  return outcomes_.number_of(to_string(attempt.state), to_string(r.ended_by), to_string(r.phase), std::string_view(r.error),
                             r.status, r.unconfirmed, r.connection_reused, std::string_view(r.reported_model),
                             std::string_view(r.finish_reason), to_string(r.usage_source), currency_of(r.cost), r.usd_rate, *price);
}

Result<void> LineWriter::add_attempt(Statement& statement, const Attempt& attempt) {
  const AttemptOpen& open = attempt.open;
  const AttemptSettle& r = attempt.settle;
  const Usage& u = r.usage;
  const auto terms_number = terms(open);
  if (!terms_number) return terms_number.error();
  const auto outcome_number = outcome(attempt);
  if (!outcome_number) return outcome_number.error();
  statement.add(*terms_number, open.sent_at, open.reserved_usd_pico, open.input_tokens_estimate, pico_of(open.estimate_cost),
                open.estimate_usd_pico, *outcome_number);
  if (attempt.state == RowState::open)
    for (std::size_t i = 7; i < std::size(attempt_columns); ++i) statement.add(std::nullopt);
  else
    statement.add(r.ended_at, std::string_view(r.upstream_id), u.input, u.cached_input, u.cache_write, u.output, u.reasoning,
                  u.audio, u.image, pico_of(r.cost), r.usd_pico, r.charge_usd_pico, r.connect_us, r.first_byte_us,
                  attempt.state == RowState::settled ? std::optional(r.duration_us) : std::nullopt);
  return {};
}

Result<LineWriter::Numbers> LineWriter::numbers_of(const RequestRecord& record) {
  const auto ask_number = ask(record.open);
  if (!ask_number) return ask_number.error();
  const auto content = text(record.open.content);
  if (!content) return content.error();
  const auto facts = text(record.open.facts);
  if (!facts) return facts.error();
  const auto ending_number = ending(record);
  if (!ending_number) return ending_number.error();
  return Numbers{*ask_number, *content, *facts, *ending_number};
}

Result<void> LineWriter::write_line(Statement& line, const RequestRecord& record, const Numbers& numbers, const Attempt* first) {
  const RequestSettle& r = record.settle;
  line.bind(std::string_view(record.open.id), numbers.ask, record.open.started_at, std::string_view(record.open.expected),
            numbers.content, numbers.facts, numbers.ending);
  if (record.state == RowState::open)
    line.add(std::nullopt, std::nullopt, std::nullopt, std::nullopt);
  else
    line.add(r.ended_at, r.first_byte_us, r.usd_pico, r.charge_usd_pico);
  if (first == nullptr)
    for (std::size_t i = 0; i < std::size(attempt_columns); ++i) line.add(std::nullopt);
  else if (auto added = add_attempt(line, *first); !added)
    return added;
  if (const auto done = line.step(); !done) return done.error();
  return {};
}

/// What the ledger had of it before, if it has changed with this; empty: it had ended.
Result<std::optional<LineWriter::Before>> LineWriter::save_line(const RequestRecord& record, const Attempt* first) {
  const auto numbers = numbers_of(record);
  if (!numbers) return numbers.error();
  if (auto done = write_line(line_, record, *numbers, first); !done) return done.error();
  if (sqlite3_changes(connection_) > 0) return std::optional(Before{});
  line_before_.bind(std::string_view(record.open.id));
  if (const auto found = line_before_.step(); !found) return found.error();
  const Before before{line_before_.integer(0) != 0, line_before_.integer(1) != 0};  // no attempt is NULL, and reads as 0
  line_before_.reset();
  if (auto done = write_line(line_again_, record, *numbers, first); !done) return done.error();
  return sqlite3_changes(connection_) > 0 ? std::optional(before) : std::optional<Before>();
}

Result<void> LineWriter::save(const RequestRecord& record) {
  const auto is_first = [](const Attempt& attempt) { return attempt.open.number == 1; };
  const auto first = std::find_if(record.attempts.begin(), record.attempts.end(), is_first);
  const Attempt* first_attempt = first == record.attempts.end() ? nullptr : &*first;
  const auto before = save_line(record, first_attempt);
  if (!before) return before.error();
  if (*before && !(*before)->attempt_ended && first_attempt != nullptr)
    if (auto counted = count(record, *first_attempt); !counted) return counted;
  for (const Attempt& attempt : record.attempts) {
    if (is_first(attempt)) continue;
    if (auto saved = save_retry(record.open.id, attempt); !saved) return saved;
    if (sqlite3_changes(connection_) == 0) continue;  // it had ended
    if (auto counted = count(record, attempt); !counted) return counted;
  }
  if (!*before || (*before)->request_ended || record.state == RowState::open || record.attempts.empty()) return {};
  const auto earlier = [](const Attempt& a, const Attempt& b) { return a.open.number < b.open.number; };
  const Attempt& last = *std::max_element(record.attempts.begin(), record.attempts.end(), earlier);
  const auto at = counts_at(last);
  if (!at) return at.error();
  sums_.add_request(record.open, last, *at);
  return {};
}

/// When it counts: once a month is closed, what comes late counts in the next.
Result<TimePoint> LineWriter::counts_at(const Attempt& attempt) {
  const auto closed_until = sums_.closed_until();
  if (!closed_until) return closed_until.error();
  return std::max(attempt.open.sent_at, *closed_until);
}

/// An attempt that was open, or not there. Once it has ended it is in the sums.
Result<void> LineWriter::count(const RequestRecord& record, const Attempt& attempt) {
  const auto at = counts_at(attempt);
  if (!at) return at.error();
  if (*at != attempt.open.sent_at)
    if (auto done = late_.run(attempt.open.number, *at, std::string_view(record.open.id)); !done) return done;
  if (attempt.state != RowState::open) sums_.add_attempt(record.open, attempt, *at);
  return {};
}

Result<void> LineWriter::save_retry(std::string_view id, const Attempt& attempt) {
  retry_.bind(id, attempt.open.number);
  if (auto added = add_attempt(retry_, attempt); !added) return added;
  if (const auto done = retry_.step(); !done) return done.error();
  return {};
}

}  // namespace fairlead::sqlite
