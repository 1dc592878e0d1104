#include "store/sqlite/schema.h"

#include <iterator>
#include <string>

namespace fairlead::sqlite {
namespace {

// Step i brings version i to version i + 1. A step that was released is never changed: a change of the schema is a new step.
constexpr std::string_view steps[] = {R"sql(
-- Times are microseconds since 1970-01-01 UTC (_at) or durations in microseconds (_us). Amounts (_pico) are 10^-12 of a unit.
-- state: open -> settled, or interrupted if the process died in between.

-- One row per request of an app. The first part is written before anything goes upstream, the second when it ended.
CREATE TABLE requests (
  id              TEXT    NOT NULL PRIMARY KEY,  -- what the app got as x-request-id
  state           TEXT    NOT NULL,
  started_at      INTEGER NOT NULL,
  key             TEXT    NOT NULL,              -- the name of the key, never the key
  team            TEXT    NOT NULL,
  route           TEXT    NOT NULL,
  endpoint        TEXT    NOT NULL,
  requested_model TEXT    NOT NULL,
  stream          INTEGER NOT NULL,              -- 0 or 1
  snapshot_hash   TEXT    NOT NULL,              -- of the configuration that it ran under
  plan            TEXT    NOT NULL,              -- JSON: strategy, candidates with their rates, rejections with reasons
  expected        TEXT    NOT NULL,              -- JSON: [input, cached input, output tokens, USD pico] of each candidate
  ended_at        INTEGER,
  http_status     INTEGER,                       -- what the app got; 0: nothing
  ended_by        TEXT,                          -- none, app, fairlead, provider
  phase           TEXT,                          -- none, plan, connect, send, wait, relay, done
  error           TEXT,                          -- empty: success
  target          TEXT,                          -- that answered; empty: none
  attempts        INTEGER,
  first_byte_us   INTEGER,                       -- from started_at to the first byte to the app
  usd_pico        INTEGER                        -- sum of the attempts' usd_pico
) STRICT;

-- One row per try at one target. No rowid: attempts lie in the order of their requests, which is that of time.
CREATE TABLE attempts (
  request_id             TEXT    NOT NULL REFERENCES requests (id),
  number                 INTEGER NOT NULL,  -- from 1
  state                  TEXT    NOT NULL,
  sent_at                INTEGER NOT NULL,
  provider               TEXT    NOT NULL,
  model                  TEXT    NOT NULL,
  target                 TEXT    NOT NULL,
  reserved_usd_pico      INTEGER,           -- the worst that it could cost; NULL: no price
  input_tokens_estimate  INTEGER NOT NULL,
  estimate_cost_pico     INTEGER,           -- of input_tokens_estimate: taken if the process dies
  estimate_cost_currency TEXT,
  estimate_usd_pico      INTEGER,
  estimate_usd_rate_pico INTEGER,
  price                  TEXT    NOT NULL,  -- JSON of the price in force; empty: none
  ended_at               INTEGER,
  ended_by               TEXT,
  phase                  TEXT,
  error                  TEXT,              -- empty: success
  status                 INTEGER,           -- the provider's HTTP status; 0: none came
  unconfirmed            INTEGER,           -- 1: sent, no answer: it may be billed
  connection_reused      INTEGER,
  reported_model         TEXT,              -- as the provider said
  upstream_id            TEXT,
  finish_reason          TEXT,
  input_tokens           INTEGER,           -- the kinds are disjoint; NULL: not reported, which is not 0
  cached_input_tokens    INTEGER,
  cache_write_tokens     INTEGER,
  output_tokens          INTEGER,           -- without reasoning
  reasoning_tokens       INTEGER,
  audio_tokens           INTEGER,           -- a part of the above
  image_tokens           INTEGER,           -- a part of the above
  usage_source           TEXT,              -- none, reported, estimated, invalid
  cost_pico              INTEGER,           -- NULL: unknown, which is not 0
  cost_currency          TEXT,
  usd_pico               INTEGER,
  usd_rate_pico          INTEGER,           -- USD per unit of cost_currency
  connect_us             INTEGER,
  first_byte_us          INTEGER,
  duration_us            INTEGER,
  PRIMARY KEY (request_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_time ON attempts (sent_at);                       -- for reports of a period
CREATE INDEX requests_open ON requests (state) WHERE state = 'open';       -- for recovery; as small as what is in flight
CREATE INDEX attempts_open ON attempts (state) WHERE state = 'open';
)sql"};

Error newer(const std::string& path, std::int64_t version) {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead,
          "the ledger " + path + " has schema version " + std::to_string(version) + ", and this program knows " +
              std::to_string(schema_version()) + ": it was written by a newer fairlead. Nothing was changed"};
}

Result<void> apply_steps(Database& database, const std::string& path) {
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version > schema_version()) return newer(path, *version);
  for (auto step = static_cast<std::size_t>(*version); step < std::size(steps); ++step)
    if (auto done = database.execute(std::string(steps[step])); !done) return done;
  if (*version == schema_version()) return {};
  return database.execute("PRAGMA application_id = " + std::to_string(application_id) +
                          "; PRAGMA user_version = " + std::to_string(schema_version()));
}

}  // namespace

std::int64_t schema_version() { return static_cast<std::int64_t>(std::size(steps)); }

Result<void> migrate(Database& database, const std::string& path) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = apply_steps(database, path);
  if (done) done = database.execute("COMMIT");
  if (!done) (void)database.execute("ROLLBACK");
  return done;
}

Result<void> require_schema(Database& database, const std::string& path) {
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version > schema_version()) return newer(path, *version);
  if (*version < schema_version())
    return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead,
                 "the ledger " + path + " has the older schema version " + std::to_string(*version) +
                     ": `fairlead serve` brings it to version " + std::to_string(schema_version()));
  return {};
}

}  // namespace fairlead::sqlite
