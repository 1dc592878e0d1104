#include "store/sqlite/bookkeeping.h"

#include "store/sqlite/chain.h"
#include "store/sqlite/entries.h"
#include "store/sqlite/report.h"
#include "store/sqlite/report_tables.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sums.h"
#include "store/sqlite/sweep.h"

#include <optional>
#include <utility>

namespace fairlead::sqlite {
namespace {

Error refused(std::string message) { return {ErrorKind::config, ErrorOrigin::fairlead, std::move(message)}; }

/// What is open and was sent before the time, or began before it. An attempt counts in the month in which it was sent, and its row
/// leaves with the day of its request's first: so what keeps either from ending is both what was sent before, and what belongs to
/// such a request, though it was sent later. CROSS: by the few lines that are open, and not by all retries.
constexpr std::string_view open_before =
    "SELECT (SELECT count(*) FROM lines WHERE batch IS NULL AND (ending = 0 OR outcome = 0) AND coalesce(sent_at, started_at) < "
    "?1) + (SELECT count(*) FROM lines l CROSS JOIN retries r ON r.line = l.n WHERE l.batch IS NULL AND r.outcome = 0 AND "
    "(r.sent_at < ?1 OR coalesce(l.sent_at, l.started_at) < ?1))";

/// The next that counts anywhere, from the second time on; at the latest the first.
constexpr std::string_view next_counted =
    "SELECT min(at) FROM (SELECT ?1 AS at UNION ALL SELECT min(at) FROM day_sums WHERE at >= ?2 UNION ALL "
    "SELECT min(booked_at) FROM corrections WHERE booked_at >= ?2)";

// Days by which rows leave: that of a request's first attempt, or of its beginning if it has none. By two indices. What has ended
// and is not sealed was opened again by somebody: it stays, for the audit to show, and keeps nothing else.
constexpr std::string_view oldest =
    "SELECT min(at) FROM (SELECT * FROM (SELECT sent_at AS at FROM lines INDEXED BY lines_by_time"
    "  WHERE sent_at IS NOT NULL AND batch IS NOT NULL ORDER BY sent_at LIMIT 1)"
    " UNION ALL SELECT * FROM (SELECT started_at FROM lines INDEXED BY lines_unsent"
    "  WHERE sent_at IS NULL AND batch IS NOT NULL ORDER BY started_at LIMIT 1))";
const std::string may_leave =
    "batch IS NOT NULL AND n < (SELECT max(n) FROM lines)"  // the newest stays: no number is given twice
    " AND n < (SELECT n FROM journaled)";
const std::string all_of_day =
    "SELECT count(*), min(n), max(n) FROM (SELECT n, batch FROM lines INDEXED BY lines_by_time WHERE sent_at >= ?1 AND sent_at < ?2"
    " UNION ALL SELECT n, batch FROM lines INDEXED BY lines_unsent WHERE sent_at IS NULL AND started_at >= ?1 AND started_at < ?2"
    ") WHERE " +
    may_leave;
/// Once the bounds of their numbers are known, all lines between these are read.
std::string between(const std::string& from, const std::string& until) {
  return "((sent_at >= " + from + " AND sent_at < " + until + ") OR (sent_at IS NULL AND started_at >= " + from +
         " AND started_at < " + until + ")) AND " + may_leave;
}
const std::string of_day = between("?1", "?2");
constexpr std::int64_t day_us = 86'400'000'000;

TimePoint time_of(std::int64_t us) { return TimePoint(std::chrono::microseconds(us)); }
std::int64_t us_of(TimePoint at) { return at.time_since_epoch().count(); }

class SqliteBookkeeper final : public Bookkeeper {
 public:
  SqliteBookkeeper(Database database, std::string path)
      : path_(std::move(path)),
        database_(std::move(database)),
        remove_lines_(database_.handle(), "DELETE FROM lines WHERE n IN (SELECT value FROM json_each(?))"),
        remove_retries_(database_.handle(), "DELETE FROM retries WHERE line IN (SELECT value FROM json_each(?))") {}

  Result<std::vector<Closing>> close_month(const Month& month, TimePoint now) override {
    std::vector<Closing> closed;
    auto done = writing([&] { return close(month, now, closed); });
    if (!done) return done.error();
    return closed;
  }

  Result<std::vector<Closing>> closings() override {
    auto all = read_closings(database_);
    if (!all) return with_path(all.error());
    return all;
  }

  Result<void> correct(const Correction& correction) override {
    return writing([&] { return book(correction); });
  }

  Result<std::optional<OldRows>> old_rows(TimePoint until) override {
    // Of a day whose rows were let go and are not removed yet, the same are found again; so removing goes first.
    const auto first = database_.integer(oldest);
    if (!first) return with_path(first.error());
    std::optional<OldRows> none;
    if (*first == 0) return none;
    OldRows rows;
    rows.day = std::chrono::floor<std::chrono::days>(time_of(*first));
    if (rows.day + std::chrono::days(1) > until) return none;
    if (const auto open = integer(open_before, us_of(rows.day) + day_us); !open)
      return with_path(open.error());
    else if (*open > 0)
      return none;
    Statement range(database_.handle(), all_of_day);
    range.bind(us_of(rows.day), us_of(rows.day) + day_us);
    if (const auto row = range.step(); !row) return with_path(row.error());
    rows.requests = range.integer(0);
    rows.n_min = range.integer(1);
    rows.n_max = range.integer(2);
    range.reset();
    if (rows.requests == 0) return none;
    const auto part = integer("SELECT coalesce(max(part), 0) + 1 FROM let_go WHERE day = ?1", us_of(rows.day));
    if (!part) return with_path(part.error());
    rows.part = static_cast<int>(*part);
    return std::optional(rows);
  }

  Result<void> read_rows(const OldRows& rows, CellSink& sink) override {
    if (auto begun = database_.execute("BEGIN"); !begun) return with_path(begun.error());
    auto done = require_unchanged(rows);
    if (done) done = tell_rows(rows, sink);
    (void)database_.execute("ROLLBACK");  // nothing was changed
    return done;
  }

  Result<void> let_go(const OldRows& rows, std::string_view file, TimePoint now) override {
    return writing([&]() -> Result<void> {
      if (auto unchanged = require_unchanged(rows); !unchanged) return unchanged;
      const std::string lines = between(std::to_string(us_of(rows.day)), std::to_string(us_of(rows.day) + day_us)) +
                                " AND n BETWEEN " + std::to_string(rows.n_min) + " AND " + std::to_string(rows.n_max);
      Statement statement(database_.handle(), "INSERT INTO let_go VALUES (?, ?, ?, ?, ?, ?, ?, 0)");
      if (auto done = statement.run(rows.day, rows.part, rows.n_min, rows.n_max, rows.requests, file, now); !done) return done;
      const auto recorded = record_removal(database_, lines, us_of(rows.day), rows.part);
      return recorded ? Result<void>() : recorded.error();
    });
  }

  Result<std::int64_t> remove(std::int64_t requests_max) override {
    std::int64_t removed = 0;
    auto done = writing([&] { return remove_some(requests_max, removed); });
    if (!done) return done.error();
    return removed;
  }

  Result<bool> sweep(std::int64_t rows_max) override {
    if (!sweep_) sweep_.emplace(database_, rows_max);
    auto more = sweep_->step();
    if (!more) return with_path(more.error());
    return more;
  }

 private:
  Error with_path(Error error) const {
    if (error.kind != ErrorKind::config && !error.detail().empty()) error.set_detail(error.detail() + ", in " + path_);
    return error;
  }

  template <class Work>
  Result<void> writing(Work work) {
    auto done = database_.writing(work);
    return done ? done : with_path(done.error());
  }

  template <class... Values>
  Result<std::int64_t> integer(std::string_view sql, const Values&... values) {
    Statement statement(database_.handle(), sql);
    statement.bind(values...);
    const auto row = statement.step();
    if (!row) return row.error();
    return *row ? statement.integer(0) : 0;
  }

  Result<void> close(const Month& last, TimePoint now, std::vector<Closing>& all) {
    if (now < last.until) return refused(last.name + " is not over yet: it ends at " + day_text(last.until) + " 00:00 UTC");
    const auto closed = integer("SELECT coalesce(max(until), 0) FROM closings");
    if (!closed) return closed.error();
    if (us_of(last.until) <= *closed) return refused(last.name + " is closed already");
    const auto open = integer(open_before, last.until);
    if (!open) return open.error();
    if (*open > 0)
      return refused(last.name + " still has open attempts (" + std::to_string(*open) +
                     "): close it when they have ended, or been interrupted by a restart");
    // One by one, so that each is held to its own sums. One wrong clock must not book the closings of half a century.
    for (TimePoint from = *closed > 0 ? time_of(*closed) : TimePoint::min(); from < last.until;) {
      const auto next = integer(next_counted, last.from, from);
      if (!next) return next.error();
      const std::string day = day_text(time_of(*next));
      const auto month = parse_month(day.substr(0, 7));
      if (!month) return refused("the ledger has sums of " + day + ", which is in no month that can be closed");
      auto closing = close_alone(*month, now);
      if (!closing) return closing.error();
      all.push_back(std::move(*closing));
      from = month->until;
    }
    return {};
  }

  Result<Closing> close_alone(const Month& month, TimePoint now) {
    auto closing = read_month(database_, month);
    if (!closing) return closing;
    closing->closed_at = now;
    Statement statement(database_.handle(), "INSERT INTO closings VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    auto booked = statement.run(std::string_view(month.name), month.until, now, closing->attempts, closing->usd_pico / milli,
                                closing->usd_pico % milli, closing->charge_usd_pico / milli, closing->charge_usd_pico % milli);
    if (booked) booked = seal_last(database_, Entry::closing);
    if (!booked) return booked.error();
    return closing;
  }

  Result<void> book(const Correction& correction) {
    RequestOpen request;
    AttemptOpen attempt;
    if (!correction.request_id.empty()) {
      const auto record = read_request(database_, correction.request_id);
      if (!record) return record.error();
      if (!*record) return refused("there is no request " + correction.request_id + " in the ledger");
      request = (*record)->open;
      if (!(*record)->attempts.empty()) attempt = (*record)->attempts.back().open;
    }
    const auto take = [](std::string& to, const std::string& from) {
      if (!from.empty()) to = from;
    };
    take(request.key, correction.key);
    take(request.team, correction.team);
    take(request.project, correction.project);
    take(request.route, correction.route);
    take(attempt.provider, correction.provider);
    take(attempt.model, correction.model);
    attempt.target = attempt.model.empty() ? "" : attempt.provider + "/" + attempt.model;
    Sums sums(database_.handle());
    const auto closed_until = sums.closed_until();
    if (!closed_until) return closed_until.error();
    if (correction.booked_at < *closed_until) return refused("the month in which it would be booked is closed");
    const auto group = sums.group(request, attempt, "", correction.amount.currency.view());
    if (!group) return group.error();
    Statement statement(database_.handle(),
                        "INSERT INTO corrections (booked_at, sum_group, reason, request_id, day, cost_pico, usd_pico, "
                        "charge_usd_pico) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    auto booked =
        statement.run(correction.booked_at, *group, std::string_view(correction.reason), std::string_view(correction.request_id),
                      correction.day, correction.amount.pico, correction.usd_pico, correction.charge_usd_pico);
    return booked ? seal_last(database_, Entry::correction) : booked;
  }

  /// Another process may let the same rows go.
  Result<void> require_unchanged(const OldRows& rows) {
    Statement there(database_.handle(),
                    "SELECT count(*), (SELECT count(*) FROM let_go WHERE day = ?1 AND part >= ?5) FROM lines WHERE " + of_day +
                        " AND n BETWEEN ?3 AND ?4");
    there.bind(us_of(rows.day), us_of(rows.day) + day_us, rows.n_min, rows.n_max, rows.part);
    if (const auto row = there.step(); !row) return row.error();
    if (there.integer(0) == rows.requests && there.integer(1) == 0) return {};
    return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the archive is being written",
                 "another fairlead lets rows of the same day go at the moment: wait until it has ended");
  }

  Result<void> tell_rows(const OldRows& rows, CellSink& sink) {
    Statement ids(database_.handle(), "SELECT id FROM lines WHERE " + of_day + " AND n BETWEEN ?3 AND ?4 ORDER BY n");
    ids.bind(us_of(rows.day), us_of(rows.day) + day_us, rows.n_min, rows.n_max);
    // One request at a time: joined, the views would be read whole.
    Statement request(database_.handle(), "SELECT * FROM requests WHERE id = ?"),
        attempt(database_.handle(), "SELECT * FROM attempts WHERE request_id = ? ORDER BY number");
    if (auto told = sink.row(cells(titles(request, attempt))); !told) return told;
    for (;;) {
      const auto row = ids.step();
      if (!row) return with_path(row.error());
      if (!*row) return {};
      if (auto told = tell_request(ids.text(0), request, attempt, sink); !told) return told;
    }
  }

  /// The attempt's columns are named so, as some have the name of a request's.
  static std::vector<std::string> titles(const Statement& request, const Statement& attempt) {
    std::vector<std::string> all = request.names();
    for (const std::string& name : attempt.names())
      if (name != "request_id") all.push_back("attempt_" + name);
    return all;
  }

  Result<void> tell_request(const std::string& id, Statement& request, Statement& attempt, CellSink& sink) {
    request.bind(std::string_view(id));
    if (const auto row = request.step(); !row) return with_path(row.error());
    const std::vector<std::string> of_request = request.texts();
    request.reset();
    attempt.bind(std::string_view(id));
    for (bool any = false;; any = true) {
      const auto row = attempt.step();
      if (!row) return with_path(row.error());
      if (!*row && any) return {};
      std::vector<std::string> line = of_request;
      std::vector<std::string> of_attempt(attempt.names().size());
      if (*row) of_attempt = attempt.texts();
      line.insert(line.end(), of_attempt.begin() + 1, of_attempt.end());  // without request_id
      if (auto told = sink.row(cells(line)); !told) return told;
      if (!*row) return {};
    }
  }

  std::span<const std::string_view> cells(const std::vector<std::string>& line) {
    cells_.assign(line.begin(), line.end());
    return cells_;
  }

  Result<void> remove_some(std::int64_t requests_max, std::int64_t& removed) {
    Statement part(database_.handle(), "SELECT day, part, n_min, n_max FROM let_go WHERE removed = 0 ORDER BY day, part LIMIT 1");
    const auto found = part.step();
    if (!found) return found.error();
    if (!*found) return {};
    const std::int64_t day = part.integer(0), number = part.integer(1), n_min = part.integer(2), n_max = part.integer(3);
    part.reset();
    Statement lines(database_.handle(), "SELECT count(*), coalesce(json_group_array(n), '[]') FROM (SELECT n FROM lines WHERE " +
                                            of_day + " AND n BETWEEN ?3 AND ?4 LIMIT ?5)");
    lines.bind(day, day + day_us, n_min, n_max, requests_max);
    if (const auto row = lines.step(); !row) return row.error();
    removed = lines.integer(0);
    const std::string numbers = lines.text(1);
    lines.reset();
    if (removed == 0) {
      Statement ended(database_.handle(), "UPDATE let_go SET removed = 1 WHERE day = ? AND part = ?");
      if (auto done = ended.run(day, number); !done) return done;
      return remove_some(requests_max, removed);
    }
    if (auto done = remove_retries_.run(std::string_view(numbers)); !done) return done;
    return remove_lines_.run(std::string_view(numbers));
  }

  std::string path_;
  Database database_;
  Statement remove_lines_, remove_retries_;
  std::optional<Sweep> sweep_;
  std::vector<std::string_view> cells_;
};

}  // namespace

std::unique_ptr<Bookkeeper> make_bookkeeper(Database database, std::string path) {
  return std::make_unique<SqliteBookkeeper>(std::move(database), std::move(path));
}

}  // namespace fairlead::sqlite
