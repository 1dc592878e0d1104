#include "store/sqlite/schema.h"

#include "store/sqlite/entries.h"
#include "store/sqlite/report_tables.h"

#include <iterator>
#include <map>
#include <string>

namespace fairlead::sqlite {
namespace {

constexpr std::string_view row_tables = R"sql(
-- What people read are the views `requests` and `attempts`, at the end; the tables below them say the same in less room.
-- Times are microseconds since 1970-01-01 UTC (_at) or durations in microseconds (_us). Amounts (_pico) are 10^-12 of a unit.
-- state: open -> settled, or interrupted if the process died in between.

-- What recurs together is stored once, and lines refer to it. The same may be stored twice, which harms nothing.
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;  -- plans, prices and what prompts hold, JSON
CREATE TABLE asks (                   -- who asked for what
  id              INTEGER PRIMARY KEY,
  key             TEXT    NOT NULL,   -- the name of the key, never the key
  team            TEXT    NOT NULL,
  project         TEXT    NOT NULL,
  route           TEXT    NOT NULL,
  endpoint        TEXT    NOT NULL,
  requested_model TEXT    NOT NULL,
  stream          INTEGER NOT NULL,   -- 0 or 1
  snapshot_hash   TEXT    NOT NULL,   -- of the configuration that it ran under
  plan            INTEGER NOT NULL    -- texts: strategy, candidates, rejections with reasons
) STRICT;
CREATE TABLE endings (                -- how a request ended
  id          INTEGER PRIMARY KEY,    -- 0: not yet
  state       TEXT NOT NULL,
  http_status INTEGER,                -- what the app got; 0: nothing
  ended_by    TEXT,                   -- none, app, fairlead, provider
  phase       TEXT,                   -- none, plan, connect, send, wait, relay, done
  error       TEXT,                   -- empty: success
  target      TEXT,                   -- that answered; empty: none
  attempts    INTEGER
) STRICT;
CREATE TABLE terms (                  -- where an attempt went, and at what price
  id                     INTEGER PRIMARY KEY,
  provider               TEXT    NOT NULL,
  model                  TEXT    NOT NULL,
  target                 TEXT    NOT NULL,
  estimate_cost_currency TEXT,
  estimate_usd_rate_pico INTEGER,
  markup_pico            INTEGER NOT NULL,  -- of the team, a share of the cost
  price                  INTEGER NOT NULL   -- texts: of the price in force; empty: none
) STRICT;
CREATE TABLE outcomes (               -- how an attempt ended
  id                INTEGER PRIMARY KEY,    -- 0: not yet
  state             TEXT NOT NULL,
  ended_by          TEXT,
  phase             TEXT,
  error             TEXT,             -- empty: success
  status            INTEGER,          -- the provider's HTTP status; 0: none came
  unconfirmed       INTEGER,          -- 1: sent, no answer: it may be billed
  connection_reused INTEGER,
  reported_model    TEXT,             -- as the provider said
  finish_reason     TEXT,
  usage_source      TEXT,             -- none, reported, estimated, invalid
  cost_currency     TEXT,
  usd_rate_pico     INTEGER,          -- USD per unit of cost_currency
  price             INTEGER           -- texts: in the place of the terms' price
) STRICT;
INSERT INTO texts VALUES (0, '');
INSERT INTO endings (id, state) VALUES (0, 'open');
INSERT INTO outcomes (id, state) VALUES (0, 'open');

-- One line per request, with its first attempt, since most have no other.
CREATE TABLE lines (
  n                     INTEGER PRIMARY KEY,
  id                    TEXT    NOT NULL UNIQUE,  -- what the app got as x-request-id
  ask                   INTEGER NOT NULL,
  started_at            INTEGER NOT NULL,
  expected              TEXT    NOT NULL,         -- JSON: what is this request's alone in its plan
  content               INTEGER NOT NULL,         -- texts: class and count of what was looked for in the prompt; empty: nothing was
  facts                 INTEGER NOT NULL,         -- texts: what else routing knew of it; empty: nothing that a rule asks for
  ending                INTEGER NOT NULL,
  ended_at              INTEGER,
  first_byte_us         INTEGER,                  -- from started_at to the first byte to the app
  usd_pico              INTEGER,                  -- sum of the attempts' usd_pico
  charge_usd_pico       INTEGER,                  -- what the team is charged for them
  terms                 INTEGER,                  -- NULL, as all that follows: no attempt was made
  sent_at               INTEGER,
  reserved_usd_pico     INTEGER,                  -- the worst that it could cost; NULL: no price
  input_tokens_estimate INTEGER,
  estimate_cost_pico    INTEGER,                  -- of input_tokens_estimate: taken if the process dies
  estimate_usd_pico     INTEGER,
  outcome               INTEGER,
  attempt_ended_at      INTEGER,
  upstream_id           TEXT,
  input_tokens          INTEGER,                  -- the kinds are disjoint; NULL: not reported, which is not 0
  cached_input_tokens   INTEGER,
  cache_write_tokens    INTEGER,
  output_tokens         INTEGER,                  -- without reasoning
  reasoning_tokens      INTEGER,
  audio_tokens          INTEGER,                  -- a part of the above
  image_tokens          INTEGER,                  -- a part of the above
  cost_pico             INTEGER,                  -- NULL: unknown, which is not 0
  attempt_usd_pico      INTEGER,
  attempt_charge_usd_pico INTEGER,                -- usd_pico and the markup
  reported_usd_pico     INTEGER,                  -- what the provider said that it costs; NULL: it did not
  connect_us            INTEGER,
  attempt_first_byte_us INTEGER,
  duration_us           INTEGER,
  batch                 INTEGER,                  -- chain.n; NULL: the request or one of its attempts is open
  seal                  INTEGER                   -- the first 48 bits of the SHA-256 of what the line and its retries say
) STRICT;
CREATE INDEX lines_by_time ON lines (sent_at);  -- for reports of a period
CREATE INDEX lines_open ON lines (n) WHERE batch IS NULL;  -- for recovery; as small as what is in flight
CREATE INDEX lines_with_facts ON lines (ended_at) WHERE facts <> 0;  -- for what a new process must know of the one before

-- The attempts after the first.
CREATE TABLE retries (
  line                  INTEGER NOT NULL,  -- lines.n; a foreign key would make each insert of a line a good deal dearer
  number                INTEGER NOT NULL,  -- from 2
  terms                 INTEGER NOT NULL,
  sent_at               INTEGER NOT NULL,
  reserved_usd_pico     INTEGER,
  input_tokens_estimate INTEGER NOT NULL,
  estimate_cost_pico    INTEGER,
  estimate_usd_pico     INTEGER,
  outcome               INTEGER NOT NULL,
  attempt_ended_at      INTEGER,
  upstream_id           TEXT,
  input_tokens          INTEGER,
  cached_input_tokens   INTEGER,
  cache_write_tokens    INTEGER,
  output_tokens         INTEGER,
  reasoning_tokens      INTEGER,
  audio_tokens          INTEGER,
  image_tokens          INTEGER,
  cost_pico             INTEGER,
  attempt_usd_pico      INTEGER,
  attempt_charge_usd_pico INTEGER,
  reported_usd_pico     INTEGER,
  connect_us            INTEGER,
  attempt_first_byte_us INTEGER,
  duration_us           INTEGER,
  PRIMARY KEY (line, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX retries_by_time ON retries (sent_at);

-- What each transaction sealed, what was taken away with a record of it, and what people booked: each link carries the hash of the one before.
CREATE TABLE chain (
  n     INTEGER PRIMARY KEY,  -- from 1, without a gap
  lines INTEGER NOT NULL,     -- how many were sealed, or taken away; 0: it is what somebody booked
  note  TEXT,                 -- that; or where those went that were taken away; NULL: it seals
  hash  BLOB NOT NULL         -- SHA-256
) STRICT;
CREATE TABLE removals (
  link        INTEGER NOT NULL,  -- chain.n
  first_batch INTEGER NOT NULL,  -- whole batches from here
  last_batch  INTEGER NOT NULL,  -- to here
  line        INTEGER,           -- or of one batch this line alone,
  digest      BLOB               -- which said this
) STRICT;
CREATE INDEX removals_in_part ON removals (first_batch) WHERE line IS NOT NULL;

-- What was put into the credit of a key or team.
CREATE TABLE credits (
  n        INTEGER PRIMARY KEY,
  whose    TEXT    NOT NULL,  -- key or team
  name     TEXT    NOT NULL,
  usd_pico INTEGER NOT NULL,  -- negative: taken back
  at       INTEGER NOT NULL,
  note     TEXT    NOT NULL
) STRICT;

-- Keys made at run time: one row per secret, which stays when it has ended.
CREATE TABLE keys (
  n               INTEGER PRIMARY KEY,
  name            TEXT    NOT NULL,
  hash            TEXT    NOT NULL UNIQUE,  -- "sha256:..." of the secret, which is nowhere
  options         TEXT    NOT NULL,         -- JSON: as under a key of the configuration, but for name and hash
  created_at      INTEGER NOT NULL,
  created_by      TEXT    NOT NULL,
  note            TEXT    NOT NULL,
  replaced_at     INTEGER,                  -- by another secret of the same name
  ends_at         INTEGER,                  -- replaced, it is good until then
  revoked_at      INTEGER,
  revoked_by      TEXT,
  revoked_because TEXT
) STRICT;
CREATE UNIQUE INDEX keys_current ON keys (name) WHERE replaced_at IS NULL AND revoked_at IS NULL;
CREATE TABLE key_changes (n INTEGER NOT NULL) STRICT;  -- one row: by it the daemon sees that a key has changed
INSERT INTO key_changes VALUES (0);
CREATE TRIGGER keys_insert AFTER INSERT ON keys BEGIN UPDATE key_changes SET n = n + 1; END;
CREATE TRIGGER keys_update AFTER UPDATE ON keys BEGIN UPDATE key_changes SET n = n + 1; END;
CREATE TRIGGER keys_delete AFTER DELETE ON keys BEGIN UPDATE key_changes SET n = n + 1; END;

-- One row per request of an app.
CREATE VIEW requests AS
SELECT l.id AS id, e.state AS state, l.started_at AS started_at, a.key AS key, a.team AS team, a.project AS project, a.route AS route,
       a.endpoint AS endpoint, a.requested_model AS requested_model, a.stream AS stream, a.snapshot_hash AS snapshot_hash,
       (SELECT text FROM texts WHERE texts.id = a.plan) AS plan, l.expected AS expected,
       (SELECT text FROM texts WHERE texts.id = l.content) AS content,
       (SELECT text FROM texts WHERE texts.id = l.facts) AS facts, l.ended_at AS ended_at,
       e.http_status AS http_status, e.ended_by AS ended_by, e.phase AS phase, e.error AS error, e.target AS target,
       e.attempts AS attempts, l.first_byte_us AS first_byte_us, l.usd_pico AS usd_pico,
       l.charge_usd_pico AS charge_usd_pico
FROM lines l JOIN asks a ON a.id = l.ask JOIN endings e ON e.id = l.ending;

-- One row per try at one target.
CREATE VIEW attempts AS
SELECT l.id AS request_id, 1 AS number, o.state AS state, l.sent_at AS sent_at, t.provider AS provider, t.model AS model,
       t.target AS target, l.reserved_usd_pico AS reserved_usd_pico, l.input_tokens_estimate AS input_tokens_estimate,
       l.estimate_cost_pico AS estimate_cost_pico, t.estimate_cost_currency AS estimate_cost_currency,
       l.estimate_usd_pico AS estimate_usd_pico, t.estimate_usd_rate_pico AS estimate_usd_rate_pico,
       t.markup_pico AS markup_pico, (SELECT text FROM texts WHERE texts.id = coalesce(o.price, t.price)) AS price, l.attempt_ended_at AS ended_at,
       o.ended_by AS ended_by, o.phase AS phase, o.error AS error, o.status AS status, o.unconfirmed AS unconfirmed,
       o.connection_reused AS connection_reused, o.reported_model AS reported_model, l.upstream_id AS upstream_id,
       o.finish_reason AS finish_reason, l.input_tokens AS input_tokens, l.cached_input_tokens AS cached_input_tokens,
       l.cache_write_tokens AS cache_write_tokens, l.output_tokens AS output_tokens, l.reasoning_tokens AS reasoning_tokens,
       l.audio_tokens AS audio_tokens, l.image_tokens AS image_tokens, o.usage_source AS usage_source,
       l.cost_pico AS cost_pico, o.cost_currency AS cost_currency, l.attempt_usd_pico AS usd_pico,
       l.attempt_charge_usd_pico AS charge_usd_pico, l.reported_usd_pico AS reported_usd_pico,
       o.usd_rate_pico AS usd_rate_pico, l.connect_us AS connect_us, l.attempt_first_byte_us AS first_byte_us,
       l.duration_us AS duration_us
FROM lines l JOIN terms t ON t.id = l.terms JOIN outcomes o ON o.id = l.outcome
UNION ALL
SELECT l.id AS request_id, r.number AS number, o.state AS state, r.sent_at AS sent_at, t.provider AS provider,
       t.model AS model, t.target AS target, r.reserved_usd_pico AS reserved_usd_pico,
       r.input_tokens_estimate AS input_tokens_estimate, r.estimate_cost_pico AS estimate_cost_pico,
       t.estimate_cost_currency AS estimate_cost_currency, r.estimate_usd_pico AS estimate_usd_pico,
       t.estimate_usd_rate_pico AS estimate_usd_rate_pico, t.markup_pico AS markup_pico,
       (SELECT text FROM texts WHERE texts.id = coalesce(o.price, t.price)) AS price, r.attempt_ended_at AS ended_at,
       o.ended_by AS ended_by, o.phase AS phase, o.error AS error, o.status AS status, o.unconfirmed AS unconfirmed,
       o.connection_reused AS connection_reused, o.reported_model AS reported_model, r.upstream_id AS upstream_id,
       o.finish_reason AS finish_reason, r.input_tokens AS input_tokens, r.cached_input_tokens AS cached_input_tokens,
       r.cache_write_tokens AS cache_write_tokens, r.output_tokens AS output_tokens, r.reasoning_tokens AS reasoning_tokens,
       r.audio_tokens AS audio_tokens, r.image_tokens AS image_tokens, o.usage_source AS usage_source,
       r.cost_pico AS cost_pico, o.cost_currency AS cost_currency, r.attempt_usd_pico AS usd_pico,
       r.attempt_charge_usd_pico AS charge_usd_pico, r.reported_usd_pico AS reported_usd_pico,
       o.usd_rate_pico AS usd_rate_pico, r.connect_us AS connect_us, r.attempt_first_byte_us AS first_byte_us,
       r.duration_us AS duration_us
FROM retries r JOIN lines l ON l.n = r.line JOIN terms t ON t.id = r.terms JOIN outcomes o ON o.id = r.outcome;

-- DELETE FROM requests takes the attempts along.
CREATE TRIGGER requests_delete INSTEAD OF DELETE ON requests BEGIN
  DELETE FROM retries WHERE line = (SELECT n FROM lines WHERE id = old.id);
  DELETE FROM lines WHERE id = old.id;
END;
)sql";

/// How many sweeps have begun (sweep.h).
constexpr std::string_view sweeps_table = "CREATE TABLE sweeps (n INTEGER NOT NULL) STRICT; INSERT INTO sweeps VALUES (0);";

/// Lines from this number on may be in the journal too (Store::keep_from).
constexpr std::string_view journaled_table =
    "CREATE TABLE journaled (n INTEGER NOT NULL) STRICT; INSERT INTO journaled VALUES (9223372036854775807);";

// Step i brings version i to version i + 1. A step that was released is never changed: a change of the schema is a new step.
using Step = Result<void> (*)(Database&);
constexpr Step steps[] = {[](Database& database) { return database.execute(std::string(row_tables)); },
                          [](Database& database) { return database.execute(report_tables()); },
                          [](Database& database) { return database.execute(six_hour_table()); },
                          [](Database& database) { return database.execute(std::string(sweeps_table)); },
                          seal_all,
                          [](Database& database) { return database.execute(std::string(journaled_table)); }};

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
    if (auto done = steps[step](database); !done) return done;
  if (*version == schema_version()) return {};
  return database.execute("PRAGMA application_id = " + std::to_string(application_id) +
                          "; PRAGMA user_version = " + std::to_string(schema_version()));
}

/// The SQL of each view, trigger and index, by what it is and its name; that of a table is left out.
Result<std::map<std::string, std::string>> parts_of(Database& database) {
  Statement rows(database.handle(),
                 "SELECT type || ' ' || name, iif(type = 'table', '', sql) FROM sqlite_master WHERE sql IS NOT NULL");
  std::map<std::string, std::string> parts;
  for (;;) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return parts;
    parts.emplace(rows.text(0), rows.text(1));
  }
}

}  // namespace

std::int64_t schema_version() { return static_cast<std::int64_t>(std::size(steps)); }

Result<void> migrate(Database& database, const std::string& path) {
  return database.writing([&] { return apply_steps(database, path); });
}

Result<std::vector<std::string>> schema_differences(Database& database) {
  auto made = Database::open(":memory:", SQLITE_OPEN_READWRITE);
  if (!made) return made.error();
  for (const Step step : steps)
    if (auto done = step(*made); !done) return done.error();
  const auto right = parts_of(*made), there = parts_of(database);
  if (!right || !there) return right ? there.error() : right.error();
  std::vector<std::string> differences;
  for (const auto& [name, sql] : *right) {
    const auto same = there->find(name);
    if (same == there->end())
      differences.push_back("the " + name + " is missing");
    else if (same->second != sql)
      differences.push_back("the " + name + " is not as fairlead makes it");
  }
  for (const auto& [name, sql] : *there)
    if (name.starts_with("trigger ") && !right->contains(name)) differences.push_back("the " + name + " is none of fairlead's");
  return differences;
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
