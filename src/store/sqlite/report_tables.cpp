#include "store/sqlite/report_tables.h"

#include "store/sqlite/database.h"
#include "store/sqlite/sums.h"

#include <chrono>
#include <string_view>
#include <utility>

namespace fairlead::sqlite {
namespace {

constexpr std::string_view groups = R"sql(
-- Sums over attempts that have ended, made in the transaction that saves them, by the hour and the day (UTC) in which they were sent.
-- Rows may go (retention); these stay.
CREATE TABLE sum_groups (
  id           INTEGER PRIMARY KEY,
  key          TEXT NOT NULL,
  team         TEXT NOT NULL,
  project      TEXT NOT NULL,
  route        TEXT NOT NULL,
  provider     TEXT NOT NULL,
  model        TEXT NOT NULL,
  target       TEXT NOT NULL,
  usage_source TEXT NOT NULL,
  currency     TEXT NOT NULL,        -- of the cost; empty: it is unknown
  UNIQUE (key, team, project, route, provider, model, target, usage_source, currency)
) STRICT;
)sql";

/// Of each table of sums.
constexpr std::string_view sum_columns = R"sql( (
  at                  INTEGER NOT NULL,  -- the beginning of the hour, of the six hours or of the day
  sum_group           INTEGER NOT NULL,
  requests            INTEGER NOT NULL,  -- whose last attempt is among these
  attempts            INTEGER NOT NULL,
  failed              INTEGER NOT NULL,
  input_tokens        INTEGER,           -- NULL: no provider reported any
  cached_input_tokens INTEGER,
  cache_write_tokens  INTEGER,
  output_tokens       INTEGER,
  reasoning_tokens    INTEGER,
  audio_tokens        INTEGER,
  image_tokens        INTEGER,
  cost_milli          INTEGER NOT NULL,  -- amounts in two parts, as a sum may exceed 64 bits: 10^-3 of a unit ... and
  cost_rest_pico      INTEGER NOT NULL,  -- 10^-12 of one
  usd_milli           INTEGER NOT NULL,
  usd_rest_pico       INTEGER NOT NULL,
  charge_milli        INTEGER NOT NULL,
  charge_rest_pico    INTEGER NOT NULL,
  PRIMARY KEY (at, sum_group)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::string_view what_stays = R"sql(
-- Months that are closed.
CREATE TABLE closings (
  month            TEXT    PRIMARY KEY,  -- 2026-10
  until            INTEGER NOT NULL,     -- its end: what is before is closed
  closed_at        INTEGER NOT NULL,
  attempts         INTEGER NOT NULL,     -- and its sums at that time
  usd_milli        INTEGER NOT NULL,
  usd_rest_pico    INTEGER NOT NULL,
  charge_milli     INTEGER NOT NULL,
  charge_rest_pico INTEGER NOT NULL
) STRICT;
-- Attempts whose rows came after their month had been closed: they count at this time.
CREATE TABLE late (
  line      INTEGER NOT NULL,
  number    INTEGER NOT NULL,
  booked_at INTEGER NOT NULL,
  PRIMARY KEY (line, number)
) STRICT, WITHOUT ROWID;
-- Amounts that rows do not have.
CREATE TABLE corrections (
  id              INTEGER PRIMARY KEY,
  booked_at       INTEGER NOT NULL,
  sum_group       INTEGER NOT NULL,
  reason          TEXT    NOT NULL,
  request_id      TEXT    NOT NULL,  -- which one is corrected; empty: none in particular
  day             INTEGER,           -- the same, of a provider's day
  cost_pico       INTEGER NOT NULL,
  usd_pico        INTEGER,
  charge_usd_pico INTEGER NOT NULL
) STRICT;
-- Rows that were let go: they are in the file, if there is one, and may be removed.
CREATE TABLE let_go (
  day      INTEGER NOT NULL,
  part     INTEGER NOT NULL,
  n_min    INTEGER NOT NULL,  -- of lines
  n_max    INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  file     TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  removed  INTEGER NOT NULL DEFAULT 0,  -- 1: all of them
  PRIMARY KEY (day, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX lines_unsent ON lines (started_at) WHERE sent_at IS NULL;  -- requests that were refused

-- A closed month does not change: rows that have ended, sums, corrections. What comes late is a new row, which counts later; and
-- rows go only once they have been let go.
CREATE TRIGGER closed_line_update BEFORE UPDATE ON lines
WHEN old.batch IS NOT NULL AND  -- a line that ended is sealed, unless a retry of it is open
     coalesce(old.sent_at, old.started_at) < coalesce((SELECT max(until) FROM closings), 0)
BEGIN SELECT RAISE(ABORT, 'the month of this row is closed'); END;
CREATE TRIGGER closed_line_delete BEFORE DELETE ON lines
WHEN coalesce(old.sent_at, old.started_at) < coalesce((SELECT max(until) FROM closings), 0) AND NOT EXISTS (
  SELECT 1 FROM let_go WHERE day = coalesce(old.sent_at, old.started_at) / 86400000000 * 86400000000 AND old.n BETWEEN n_min AND n_max)
BEGIN SELECT RAISE(ABORT, 'the month of this row is closed'); END;
CREATE TRIGGER closed_retry_update BEFORE UPDATE ON retries
WHEN (SELECT batch FROM lines WHERE n = old.line) <= (SELECT max(n) FROM chain) AND  -- its line was sealed before
     old.sent_at < coalesce((SELECT max(until) FROM closings), 0)
BEGIN SELECT RAISE(ABORT, 'the month of this row is closed'); END;
CREATE TRIGGER closed_retry_delete BEFORE DELETE ON retries
WHEN old.sent_at < coalesce((SELECT max(until) FROM closings), 0) AND NOT EXISTS (
  SELECT 1 FROM lines l JOIN let_go g ON g.day = coalesce(l.sent_at, l.started_at) / 86400000000 * 86400000000
                                     AND l.n BETWEEN g.n_min AND g.n_max WHERE l.n = old.line)
BEGIN SELECT RAISE(ABORT, 'the month of this row is closed'); END;
)sql";

constexpr std::string_view closed_for_good =
    R"sql(CREATE TRIGGER closing_update BEFORE UPDATE ON closings BEGIN SELECT RAISE(ABORT, 'a closed month stays closed'); END;
CREATE TRIGGER closing_delete BEFORE DELETE ON closings BEGIN SELECT RAISE(ABORT, 'a closed month stays closed'); END;
CREATE TRIGGER correction_insert BEFORE INSERT ON corrections
WHEN new.booked_at < coalesce((SELECT max(until) FROM closings), 0)
BEGIN SELECT RAISE(ABORT, 'this month is closed'); END;
CREATE TRIGGER correction_update BEFORE UPDATE ON corrections
BEGIN SELECT RAISE(ABORT, 'a correction stays: another one takes it back'); END;
CREATE TRIGGER correction_delete BEFORE DELETE ON corrections
BEGIN SELECT RAISE(ABORT, 'a correction stays: another one takes it back'); END;
)sql";

/// No sum of a closed month changes.
std::string closed_sums(const std::string& unit) {
  std::string text;
  for (const auto& [change, row] : {std::pair("insert", "new"), {"update", "old"}, {"delete", "old"}})
    text += "CREATE TRIGGER closed_" + unit + "_" + change + " BEFORE " + change + " ON " + unit + "_sums WHEN " + row +
            ".at < coalesce((SELECT max(until) FROM closings), 0) BEGIN SELECT RAISE(ABORT, 'this month is closed'); END;\n";
  return text;
}

constexpr std::string_view six_of_hours =
    "INSERT INTO six_hour_sums SELECT at / 21600000000 * 21600000000, sum_group, sum(requests), sum(attempts), sum(failed), "
    "sum(input_tokens), sum(cached_input_tokens), sum(cache_write_tokens), sum(output_tokens), sum(reasoning_tokens), "
    "sum(audio_tokens), sum(image_tokens), sum(cost_milli), sum(cost_rest_pico), sum(usd_milli), sum(usd_rest_pico), "
    "sum(charge_milli), sum(charge_rest_pico) FROM hour_sums GROUP BY 1, 2;\n";

}  // namespace

std::string report_tables() {
  std::string text(groups);
  for (const char* table : {"hour_sums", "day_sums"}) text.append("CREATE TABLE ").append(table).append(sum_columns);
  text += what_stays;
  return text.append(closed_sums("hour")).append(closed_sums("day")).append(closed_for_good);
}

std::string six_hour_table() {
  return std::string("CREATE TABLE six_hour_sums").append(sum_columns).append(six_of_hours).append(closed_sums("six_hour"));
}

Result<TimePoint> rows_kept_from(Database& database) {
  const auto gone = database.integer("SELECT coalesce(max(day), -1) FROM let_go");
  if (!gone) return gone.error();
  return *gone < 0 ? TimePoint::min() : TimePoint(std::chrono::microseconds(*gone) + std::chrono::hours(24));
}

Result<std::vector<Closing>> read_closings(Database& database) {
  Statement rows(database.handle(),
                 "SELECT month, closed_at, attempts, usd_milli, usd_rest_pico, charge_milli, charge_rest_pico FROM closings "
                 "ORDER BY until");
  std::vector<Closing> all;
  for (;;) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back({rows.text(0), TimePoint(std::chrono::microseconds(rows.integer(1))), rows.integer(2), amount_at(rows, 3),
                   amount_at(rows, 5)});
  }
}

}  // namespace fairlead::sqlite
