#include "store/sqlite/saving.h"

#include "store/sqlite/columns.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace fairlead::sqlite {
namespace {

/// "a, b, c", or each with itself behind `between`: "a = excluded.a, b = excluded.b".
template <class Columns>
std::string list(const Columns& columns, std::string_view between = "") {
  std::string text;
  for (const LineColumn& column : columns) {
    if (!text.empty()) text += ", ";
    text += column.name;
    if (!between.empty()) text.append(between).append(column.name);
  }
  return text;
}

std::string placeholders(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "?" : ", ?";
  return text;
}

std::string line_sql() {
  return "INSERT INTO lines (" + list(request_columns) + ", " + list(attempt_columns) + ", batch, seal) VALUES (" +
         placeholders(request_columns.size() + attempt_columns.size() + 2) + ") ON CONFLICT (id) DO ";
}

/// A line that is there and was sealed is left as it is.
std::string line_again_sql() {
  return line_sql() + "UPDATE SET " + list(request_columns, " = excluded.") + ", " + list(attempt_columns, " = excluded.") +
         ", batch = excluded.batch, seal = excluded.seal WHERE lines.batch IS NULL";
}

std::string retry_sql() {
  return "INSERT INTO retries (line, number, " + list(attempt_columns) + ") VALUES ((SELECT n FROM lines WHERE id = ?), ?, " +
         placeholders(attempt_columns.size()) + ") ON CONFLICT (line, number) DO UPDATE SET " +
         list(attempt_columns, " = excluded.");
}

/// One that has ended is left as it is, which tells whether it is new to the sums.
std::string open_retry_sql() { return retry_sql() + " WHERE retries.outcome = 0"; }

template <class Columns>
std::string insert_sql(const char* table, const Columns& columns) {
  return "INSERT INTO " + std::string(table) + " (" + list(columns) + ") VALUES (" + placeholders(columns.size()) + ")";
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
      line_before_(connection, "SELECT outcome FROM lines WHERE id = ?"),
      late_(connection, "INSERT INTO late SELECT n, ?, ? FROM lines WHERE id = ? ON CONFLICT DO NOTHING"),
      number_(connection, "SELECT n FROM lines WHERE id = ?"),
      open_retry_(connection, open_retry_sql()),
      retry_(connection, retry_sql()),
      sweeps_(connection, "SELECT n FROM sweeps"),
      texts_(connection, insert_sql("texts", text_columns)),
      asks_(connection, insert_sql("asks", ask_columns)),
      endings_(connection, insert_sql("endings", ending_columns)),
      terms_(connection, insert_sql("terms", terms_columns)),
      outcomes_(connection, insert_sql("outcomes", outcome_columns)),
      sums_(connection),
      chain_(connection),
      empty_text_{0, sha_.of(canon_.add(std::string_view()).bytes())} {}

Result<void> LineWriter::open() {
  sweeps_.bind();
  if (const auto row = sweeps_.step(); !row) return row.error();
  const std::int64_t sweeps = sweeps_.integer(0);
  sweeps_.reset();
  if (sweeps != known_sweeps_) forget_rows();
  known_sweeps_ = sweeps;
  return {};
}

void LineWriter::forget_rows() {
  for (Dictionary* dictionary : {&texts_, &asks_, &endings_, &terms_, &outcomes_}) dictionary->forget();
}

void LineWriter::forget() {
  forget_rows();
  sums_.forget();
  chain_.forget();
}

Result<Ref> LineWriter::text(std::string_view text) {
  if (text.empty()) return empty_text_;
  return texts_.row_of(text);
}

Result<Ref> LineWriter::ask(const RequestOpen& r) {
  const auto plan = text(r.plan);
  if (!plan) return plan.error();
  return asks_.row_of(std::string_view(r.key), std::string_view(r.team), std::string_view(r.project), std::string_view(r.route),
                      std::string_view(r.endpoint), std::string_view(r.requested_model), r.stream,
                      std::string_view(r.snapshot_hash), *plan);
}

Result<Ref> LineWriter::ending(const RequestRecord& record) {
  if (record.state == RowState::open) return Ref();
  const RequestSettle& r = record.settle;
  return endings_.row_of(to_string(record.state), r.http_status, to_string(r.ended_by), to_string(r.phase),
                         std::string_view(r.error), std::string_view(r.target), r.attempts);
}

Result<Ref> LineWriter::terms(const AttemptOpen& r) {
  const auto price = text(r.price);
  if (!price) return price.error();
  return terms_.row_of(std::string_view(r.provider), std::string_view(r.model), std::string_view(r.target),
                       currency_of(r.estimate_cost), r.estimate_usd_rate, std::optional<Int128>(r.markup), *price);
}

Result<Ref> LineWriter::outcome(const Attempt& attempt) {
  if (attempt.state == RowState::open) return Ref();
  const AttemptSettle& r = attempt.settle;
  const auto price = text(r.price);
  if (!price) return price.error();
  return outcomes_.row_of(to_string(attempt.state), to_string(r.ended_by), to_string(r.phase), std::string_view(r.error), r.status,
                          r.unconfirmed, r.connection_reused, std::string_view(r.reported_model), std::string_view(r.finish_reason),
                          to_string(r.usage_source), currency_of(r.cost), r.usd_rate, *price);
}

Result<LineWriter::RequestRefs> LineWriter::request_refs(const RequestRecord& record) {
  const auto ask_row = ask(record.open);
  if (!ask_row) return ask_row.error();
  const auto content = text(record.open.content);
  if (!content) return content.error();
  const auto facts = text(record.open.facts);
  if (!facts) return facts.error();
  const auto ending_row = ending(record);
  if (!ending_row) return ending_row.error();
  return RequestRefs{*ask_row, *content, *facts, *ending_row};
}

/// With the rows that they refer to, in the order of their numbers.
Result<void> LineWriter::find_attempts(const RequestRecord& record) {
  attempts_.clear();
  for (const Attempt& attempt : record.attempts) {
    const auto terms_row = terms(attempt.open);
    if (!terms_row) return terms_row.error();
    const auto outcome_row = outcome(attempt);
    if (!outcome_row) return outcome_row.error();
    attempts_.emplace_back(&attempt, AttemptRefs{*terms_row, *outcome_row});
  }
  const auto number = [](const auto& attempt) { return attempt.first->open.number; };
  std::sort(attempts_.begin(), attempts_.end(), [&](const auto& a, const auto& b) { return number(a) < number(b); });
  return {};
}

template <class Sink>
void LineWriter::put_request(Sink& sink, const RequestRecord& record, const RequestRefs& refs) {
  const RequestSettle& r = record.settle;
  sink.add(std::string_view(record.open.id), refs.ask, record.open.started_at, std::string_view(record.open.expected), refs.content,
           refs.facts, refs.ending);
  if (record.state == RowState::open)
    sink.add(std::nullopt, std::nullopt, std::nullopt, std::nullopt);
  else
    sink.add(r.ended_at, r.first_byte_us, r.usd_pico, r.charge_usd_pico);
}

template <class Sink>
void LineWriter::put_attempt(Sink& sink, const Attempt& attempt, const AttemptRefs& refs) {
  const AttemptOpen& open = attempt.open;
  const AttemptSettle& r = attempt.settle;
  const Usage& u = r.usage;
  sink.add(refs.terms, open.sent_at, open.reserved_usd_pico, open.input_tokens_estimate, pico_of(open.estimate_cost),
           open.estimate_usd_pico, refs.outcome);
  if (attempt.state == RowState::open)
    for (std::size_t i = 7; i < attempt_columns.size(); ++i) sink.add(std::nullopt);
  else
    sink.add(r.ended_at, std::string_view(r.upstream_id), u.input, u.cached_input, u.cache_write, u.output, u.reasoning, u.audio,
             u.image, pico_of(r.cost), r.usd_pico, r.charge_usd_pico, r.reported_usd_pico, r.connect_us, r.first_byte_us,
             attempt.state == RowState::settled ? std::optional(r.duration_us) : std::nullopt);
}

/// In the line itself.
template <class Sink>
void LineWriter::put_first_attempt(Sink& sink) const {
  if (attempts_.empty() || attempts_.front().first->open.number != 1)
    for (std::size_t i = 0; i < attempt_columns.size(); ++i) sink.add(std::nullopt);
  else
    put_attempt(sink, *attempts_.front().first, attempts_.front().second);
}

Digest LineWriter::digest(const RequestRecord& record, const RequestRefs& refs) {
  canon_.clear();
  put_request(canon_, record, refs);
  put_first_attempt(canon_);
  for (const auto& [attempt, its_refs] : attempts_) {
    if (attempt->open.number == 1) continue;
    canon_.add(attempt->open.number);
    put_attempt(canon_, *attempt, its_refs);
  }
  return sha_.of(canon_.bytes());
}

Result<void> LineWriter::save(const RequestRecord& record) {
  const auto refs = request_refs(record);
  if (!refs) return refs.error();
  if (auto found = find_attempts(record); !found) return found;
  const bool ended = record.state != RowState::open && std::all_of(record.attempts.begin(), record.attempts.end(),
                                                                   [](const Attempt& a) { return a.state != RowState::open; });
  const auto before = save_line(record, *refs, ended);
  if (!before) return before.error();
  if (!*before) return {};
  if (!(*before)->attempt_ended && !attempts_.empty() && attempts_.front().first->open.number == 1)
    if (auto counted = count(record, *attempts_.front().first); !counted) return counted;
  if (auto saved = save_retries(record); !saved) return saved;
  return ended ? count_request(record) : Result<void>();
}

/// What the ledger had of it before, if it was not sealed; empty: it was.
Result<std::optional<LineWriter::Before>> LineWriter::save_line(const RequestRecord& record, const RequestRefs& refs, bool ended) {
  const auto batch = chain_.batch();
  if (!batch) return batch.error();
  const Digest digest = ended ? this->digest(record, refs) : Digest{};
  const auto write = [&](Statement& line) {
    line.bind();
    put_request(line, record, refs);
    put_first_attempt(line);
    if (ended)
      line.add(*batch, seal_of(digest));
    else
      line.add(std::nullopt, std::nullopt);
    sqlite3_set_last_insert_rowid(connection_, 0);
    return line.step();
  };
  Before before;
  if (const auto done = write(line_); !done) return done.error();
  if (sqlite3_changes(connection_) == 0) {
    line_before_.bind(std::string_view(record.open.id));
    if (const auto found = line_before_.step(); !found) return found.error();
    before = {line_before_.integer(0) != 0};  // no attempt is NULL, and reads as 0
    line_before_.reset();
    if (const auto done = write(line_again_); !done) return done.error();
    if (sqlite3_changes(connection_) == 0) return std::optional<Before>();
  }
  if (ended) {
    const auto line = line_number(record.open.id);
    if (!line) return line.error();
    chain_.seal(*line, digest);
  }
  return std::optional(before);
}

/// Of the line that was just added or replaced.
Result<std::int64_t> LineWriter::line_number(std::string_view id) {
  if (const std::int64_t added = sqlite3_last_insert_rowid(connection_); added != 0) return added;
  number_.bind(id);
  const auto row = number_.step();
  if (!row) return row.error();
  const std::int64_t line = number_.integer(0);
  number_.reset();
  return line;
}

Result<void> LineWriter::save_retries(const RequestRecord& record) {
  for (const auto& [attempt, refs] : attempts_) {
    if (attempt->open.number == 1) continue;
    const auto write = [&, attempt = attempt, &refs = refs](Statement& retry) {
      retry.bind(std::string_view(record.open.id), attempt->open.number);
      put_attempt(retry, *attempt, refs);
      return retry.step();
    };
    if (const auto done = write(open_retry_); !done) return done.error();
    if (sqlite3_changes(connection_) > 0) {
      if (auto counted = count(record, *attempt); !counted) return counted;
    } else if (const auto done = write(retry_); !done) {  // it had ended, and is in the sums; the seal is over what it says now
      return done.error();
    }
  }
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

/// Once it and all of its attempts have ended: it counts with the last.
Result<void> LineWriter::count_request(const RequestRecord& record) {
  if (attempts_.empty()) return {};
  const Attempt& last = *attempts_.back().first;
  const auto at = counts_at(last);
  if (!at) return at.error();
  sums_.add_request(record.open, last, *at);
  return {};
}

}  // namespace fairlead::sqlite
