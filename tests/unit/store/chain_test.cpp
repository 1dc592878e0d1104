// The chain of hashes: whatever is changed, added or taken away behind the ledger's back is seen, and nothing else is.
#include "store/sqlite/chain.h"

#include <fairlead/bookkeeper.h>
#include <fairlead/budget_store.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::Folder;
using test::noon;
using test::open_attempt;
using test::record_of;
using test::Records;
using test::request_open;
using test::request_settle;
using test::settled_attempt;
using testing::HasSubstr;

std::unique_ptr<Store> opened(const std::string& path, StoreMode mode = StoreMode::write) {
  auto store = open_store("sqlite:" + path, mode);
  if (!store) throw std::runtime_error(store.error().message());
  return std::move(*store);
}

RequestRecord ended(const std::string& id) {
  return record_of(request_open(id), {settled_attempt(attempt_open(id), attempt_settle(id))}, request_settle(id));
}
RequestRecord with_retry(const std::string& id) {
  AttemptSettle second = attempt_settle(id, 2);
  second.upstream_id = "chatcmpl-2";
  return record_of(request_open(id),
                   {settled_attempt(attempt_open(id), attempt_settle(id)), settled_attempt(attempt_open(id, 2, "qwen"), second)},
                   request_settle(id, 2));
}
RequestRecord still_open(const std::string& id) { return record_of(request_open(id), {open_attempt(attempt_open(id))}); }
RequestRecord turned_away(const std::string& id) { return record_of(request_open(id), {}, request_settle(id, 0)); }

void must_save(Store& store, const std::vector<RequestRecord>& records) {
  const auto done = test::save(store, records);
  ASSERT_TRUE(done) << done.error().message() << " " << done.error().detail();
}

ChainCheck checked(Store& store, const std::vector<ChainLink>& anchors = {}) {
  auto check = store.check_chain(anchors);
  if (!check) throw std::runtime_error(check.error().message() + check.error().detail());
  return std::move(*check);
}

/// "r1, link 1: what; " of each finding.
std::string told(const ChainCheck& check) {
  std::string text;
  for (const auto& f : check.findings) text += f.request + ", link " + std::to_string(f.link) + ": " + f.what + "; ";
  return text;
}

void tamper(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  sqlite3_open(path.c_str(), &connection);
  ASSERT_EQ(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(connection) << ": " << sql;
  ASSERT_GT(sqlite3_total_changes(connection), 0) << sql << " changes nothing";
  sqlite3_close(connection);
}

/// Five requests in three batches; one was open at first, and one still is.
ChainLink fill(const std::string& path) {
  auto store = opened(path);
  must_save(*store, {ended("r1"), still_open("r2")});
  must_save(*store, {with_retry("r3"), turned_away("r4")});
  must_save(*store, {ended("r2"), ended("r5"), still_open("r6")});
  return checked(*store).head;
}

TEST(Chain, HoldsOverWhatTheDaemonItselfDid) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  const ChainLink head = fill(path);
  auto store = opened(path);
  ChainCheck check = checked(*store, {head});
  EXPECT_EQ(told(check), "");
  EXPECT_EQ(check.sealed, 5);
  EXPECT_EQ(check.open, 1);
  EXPECT_EQ(check.head.number, 3);
  EXPECT_EQ(check.head.hash.size(), 64U);

  // As after a crash: the journal is replayed, and what was open becomes interrupted.
  must_save(*store, {ended("r1"), with_retry("r3"), ended("r5")});
  EXPECT_EQ(checked(*store).head.hash, head.hash) << "what was saved twice is sealed once";
  ASSERT_TRUE(store->recover(noon));
  check = checked(*store, {head});
  EXPECT_EQ(told(check), "");
  EXPECT_EQ(check.sealed, 6);
  EXPECT_EQ(check.open, 0);
  EXPECT_EQ(check.head.number, 4);

  store.reset();
  store = opened(path);
  must_save(*store, {ended("r7")});
  EXPECT_EQ(told(checked(*store, {head, check.head})), "") << "another process goes on where the last one ended";
}

TEST(Chain, AFailedTransactionLeavesNoLink) {
  Folder folder;
  auto store = opened(folder.file("ledger.db"));
  must_save(*store, {ended("r1")});
  RequestRecord too_large = ended("r3");
  too_large.settle.usd_pico = Int128{10'000'000} * pico_per_unit;
  EXPECT_FALSE(test::save(*store, {ended("r2"), too_large}));
  EXPECT_EQ(checked(*store).head.number, 1);
  must_save(*store, {ended("r2")});
  const ChainCheck check = checked(*store);
  EXPECT_EQ(told(check), "");
  EXPECT_EQ(check.head.number, 2);
}

TEST(Chain, ShowsWhateverWasDoneBehindItsBack) {
  const struct {
    const char* sql;
    const char* told;
  } cases[] = {
      {"UPDATE lines SET cost_pico = 1 WHERE id = 'r1'", "r1, link 1: it says something else than what was sealed"},
      {"UPDATE lines SET input_tokens = input_tokens - 1 WHERE id = 'r2'", "r2, link 3: it says something else"},
      {"UPDATE lines SET upstream_id = NULL WHERE id = 'r5'", "r5, link 3: it says something else"},
      {"UPDATE lines SET reported_usd_pico = 1 WHERE id = 'r5'", "r5, link 3: it says something else"},
      {"UPDATE lines SET audio_tokens = 0 WHERE id = 'r5'", "r5, link 3: it says something else"},
      {"UPDATE lines SET id = 'r9' WHERE id = 'r5'", "r9, link 3: it says something else"},
      {"UPDATE lines SET seal = seal + 1 WHERE id = 'r4'", "r4, link 2: it says something else"},
      {"UPDATE lines SET batch = NULL WHERE id = 'r4'", "r4, link 0: it has ended, and was never sealed"},
      {"UPDATE lines SET batch = 2 WHERE id = 'r5'", "link 3: of 2 requests sealed there, 1 are not there any more"},
      {"UPDATE lines SET batch = 2 WHERE id = 'r5'", "r5, link 2: it was added"},
      {"UPDATE lines SET batch = 99 WHERE id = 'r5'", "link 99: 1 request say that it sealed them, and it is not there"},
      {"UPDATE retries SET output_tokens = 1", "r3, link 2: it says something else"},
      {"DELETE FROM retries", "r3, link 2: it says something else"},
      {"INSERT INTO retries SELECT line, 3, terms, sent_at, reserved_usd_pico, input_tokens_estimate, estimate_cost_pico, "
       "estimate_usd_pico, outcome, attempt_ended_at, upstream_id, input_tokens, cached_input_tokens, cache_write_tokens, "
       "output_tokens, "
       "reasoning_tokens, audio_tokens, image_tokens, cost_pico, attempt_usd_pico, attempt_charge_usd_pico, reported_usd_pico, "
       "connect_us, "
       "attempt_first_byte_us, duration_us FROM retries",
       "r3, link 2: it says something else"},
      {"UPDATE retries SET line = 99", "there are attempts of line 99, which is not there"},
      {"UPDATE texts SET text = replace(text, '\"2\"', '\"1\"') WHERE text LIKE '%cached_input%'",
       "r1, link 1: it says something else"},
      {"UPDATE asks SET team = 'treasury'", "r5, link 3: it says something else"},
      {"UPDATE terms SET provider = 'openai' WHERE provider = 'qwen'", "r3, link 2: it says something else"},
      {"UPDATE outcomes SET usage_source = 'none' WHERE id > 0", "r1, link 1: it says something else"},
      {"UPDATE outcomes SET ended_by = 'nobody' WHERE id > 0", "r1, link 1: it says something else"},
      {"UPDATE endings SET error = 'x' WHERE attempts = 0", "r4, link 2: it says something else"},
      {"DELETE FROM asks", "r1, link 1: it says something else"},
      {"DELETE FROM requests WHERE id = 'r4'", "link 2: of 2 requests sealed there, 1 are not there any more"},
      {"DELETE FROM requests", "link 1: of 1 request sealed there, 1 are not there any more"},
      {"INSERT INTO lines (id, ask, started_at, expected, content, facts, ending, batch) SELECT 'r8', ask, started_at, expected, "
       "content, "
       "facts, ending, 2 FROM lines WHERE id = 'r4'",
       "r8, link 2: it was added"},
      {"INSERT INTO lines (id, ask, started_at, expected, content, facts, ending) SELECT 'r8', ask, started_at, expected, content, "
       "facts, ending FROM lines WHERE id = 'r4'",
       "r8, link 0: it has ended, and was never sealed"},
      {"UPDATE lines SET n = 99 WHERE id = 'r4'", "link 2: its requests, or the link itself, are not what was sealed"},
      {"UPDATE lines SET n = -n", "link 3: its requests, or the link itself, are not what was sealed"},
      {"UPDATE chain SET hash = zeroblob(32) WHERE n = 2", "link 2: its requests, or the link itself, are not what was sealed"},
      {"UPDATE chain SET lines = 1 WHERE n = 2", "r4, link 2: it was added"},
      {"DELETE FROM chain WHERE n = 2", "link 2: it is missing"},
      {"DELETE FROM chain WHERE n = 1", "link 1: it is missing"},
      {"UPDATE chain SET n = 7 WHERE n = 3", "link 3: links up to 6 are missing"},
      {"UPDATE chain SET note = 'archived' WHERE n = 2", "link 2: the record of what was archived is not what it was"},
      {"INSERT INTO chain VALUES (4, 1, 'archived', zeroblob(32)); INSERT INTO removals VALUES (4, 1, 1, NULL, NULL); DELETE FROM "
       "requests WHERE id = 'r1'",
       "link 1: of 1 request sealed there, 1 are not there any more"},
  };
  for (const auto& c : cases) {
    Folder folder;
    fill(folder.file("ledger.db"));
    tamper(folder.file("ledger.db"), c.sql);
    auto store = opened(folder.file("ledger.db"), StoreMode::read);
    const ChainCheck check = checked(*store);
    EXPECT_THAT(told(check), HasSubstr(c.told)) << c.sql;
    EXPECT_EQ(check.findings_count, static_cast<std::int64_t>(check.findings.size()));
  }
}

TEST(Chain, ShowsViewsTriggersAndIndicesThatAreNotAsTheyWereMade) {
  const struct {
    const char* sql;
    const char* told;
  } cases[] = {
      {"DROP VIEW requests; CREATE VIEW requests AS SELECT id, 'other' AS team FROM lines", "the view requests is not as fairlead"},
      {"DROP VIEW attempts; CREATE TABLE attempts (request_id TEXT)", "the view attempts is missing"},
      {"DROP TRIGGER closed_line_update", "the trigger closed_line_update is missing"},
      {"DROP TRIGGER closing_update; CREATE TRIGGER closing_update BEFORE UPDATE ON closings BEGIN SELECT 1; END",
       "the trigger closing_update is not as fairlead makes it"},
      {"CREATE TRIGGER mine AFTER INSERT ON hour_sums BEGIN DELETE FROM day_sums; END", "the trigger mine is none of fairlead's"},
      {"DROP INDEX lines_by_time", "the index lines_by_time is missing"},
  };
  for (const auto& c : cases) {
    Folder folder;
    fill(folder.file("ledger.db"));
    tamper(folder.file("ledger.db"), std::string(c.sql) + "; UPDATE sweeps SET n = n");
    EXPECT_THAT(told(checked(*opened(folder.file("ledger.db"), StoreMode::read))), HasSubstr(c.told)) << c.sql;
  }
  Folder folder;
  fill(folder.file("ledger.db"));
  tamper(folder.file("ledger.db"),
         "CREATE VIEW mine AS SELECT id FROM requests; CREATE INDEX mine_by_upstream ON lines (upstream_id); ANALYZE; "
         "UPDATE sweeps SET n = n");
  EXPECT_EQ(told(checked(*opened(folder.file("ledger.db"), StoreMode::read))), "") << "nobody is kept from looking";
}

TEST(Chain, WhatOneRowDidIsToldOfOneRequest) {
  Folder folder;
  fill(folder.file("ledger.db"));
  tamper(folder.file("ledger.db"), "UPDATE lines SET cost_pico = 1 WHERE id = 'r2'");
  auto store = opened(folder.file("ledger.db"), StoreMode::read);
  EXPECT_EQ(told(checked(*store)), "r2, link 3: it says something else than what was sealed; ");
}

TEST(Chain, OnlyAnAnchorShowsThatTheEndWasTakenAway) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  const ChainLink head = fill(path);
  tamper(path, "DELETE FROM requests WHERE id IN ('r2', 'r5'); DELETE FROM chain WHERE n = 3");
  auto store = opened(path);
  EXPECT_EQ(told(checked(*store)), "");
  EXPECT_EQ(told(checked(*store, {head})), ", link 3: an anchor names it, and the chain ends at 2: its end was taken away; ");
  must_save(*store, {ended("r7")});
  EXPECT_THAT(told(checked(*store, {head})), HasSubstr("link 3: its hash is not the anchor's"));
}

/// Of links that have one, a line each.
std::string notes(const std::string& path) {
  auto database = sqlite::Database::open(path, SQLITE_OPEN_READONLY);
  sqlite::Statement rows(database->handle(), "SELECT note FROM chain WHERE note IS NOT NULL ORDER BY n");
  std::string text;
  while (*rows.step()) text += rows.text(0) + "\n";
  return text;
}

/// A correction, a credit and a closed month, between requests.
void book(const std::string& path) {
  const std::string url = "sqlite:" + path;
  auto store = opened(path);
  must_save(*store, {ended("r1")});
  auto books = open_bookkeeper(url);
  auto budgets = open_budget_store(url, 1'000);
  ASSERT_TRUE(books && budgets);
  Correction correction;
  correction.booked_at = noon + std::chrono::days(40);
  correction.reason = "a \"credit note\"";
  correction.request_id = "r1";
  correction.amount = {-7, {}};
  correction.usd_pico = -7;
  ASSERT_TRUE((*books)->correct(correction));
  ASSERT_TRUE((*budgets)->add({BudgetOf::team, "payments", 5 * pico_per_unit, noon, "topped up"}));
  must_save(*store, {ended("r2")});
  ASSERT_TRUE((*books)->close_month(*parse_month("2026-10"), noon));
}

TEST(Chain, HoldsWhatPeopleBook) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  book(path);
  const ChainCheck check = checked(*opened(path));
  EXPECT_EQ(told(check), "");
  EXPECT_EQ(check.entries, 3);
  EXPECT_EQ(check.sealed, 2);
  EXPECT_EQ(check.head.number, 5);

  // Ledgers hold these texts.
  EXPECT_EQ(
      notes(path),
      R"({"correction":1,"booked_at":1796990400000000,"reason":"a \"credit note\"","request_id":"r1","day":null,"cost_pico":-7,)"
      R"("usd_pico":-7,"charge_usd_pico":0,"key":"checkout","team":"payments","project":"till","route":"chat",)"
      R"("provider":"deepseek","model":"deepseek-chat","target":"deepseek/deepseek-chat","usage_source":"","currency":"USD"})"
      "\n"
      R"({"credit":1,"whose":"team","name":"payments","usd_pico":5000000000000,"at":1793534400000000,"note":"topped up"})"
      "\n"
      R"({"closing":"2026-10","until":1793491200000000,"closed_at":1793534400000000,"attempts":0,"usd_milli":0,)"
      R"("usd_rest_pico":0,"charge_milli":0,"charge_rest_pico":0})"
      "\n");

  const struct {
    const char* sql;
    const char* told;
  } cases[] = {
      {"UPDATE corrections SET usd_pico = -8", "link 2: what was booked is not there, or says something else: {\"correction\":1,"},
      {"UPDATE corrections SET usd_pico = -8", "link 0: it was not booked, or not so: {\"correction\":1,"},
      {"UPDATE corrections SET reason = 'none'", "link 2: what was booked is not there"},
      {"UPDATE sum_groups SET team = 'treasury'", "link 2: what was booked is not there"},
      {"DELETE FROM sum_groups", "link 2: what was booked is not there"},
      {"DELETE FROM corrections", "link 2: what was booked is not there"},
      {"INSERT INTO corrections SELECT 2, booked_at, sum_group, reason, request_id, day, cost_pico, usd_pico, charge_usd_pico FROM "
       "corrections",
       "link 0: it was not booked, or not so: {\"correction\":2,"},
      {"UPDATE credits SET usd_pico = 2 * usd_pico", "link 3: what was booked is not there"},
      {"UPDATE credits SET name = 'treasury'", "link 3: what was booked is not there"},
      {"DELETE FROM credits", "link 3: what was booked is not there"},
      {"INSERT INTO credits (whose, name, usd_pico, at, note) VALUES ('key', 'mine', 1, 1, '')", "it was not booked, or not so"},
      {"UPDATE closings SET attempts = 7", "link 5: what was booked is not there"},
      {"DELETE FROM closings", "link 5: what was booked is not there"},
      {"UPDATE chain SET note = replace(note, ':-7', ':-8') WHERE n = 2",
       "link 2: the record of what was booked is not what it was"},
      {"DELETE FROM credits; DELETE FROM chain WHERE n = 3", "link 3: it is missing"},
      {"UPDATE chain SET lines = 0, note = 'none' WHERE n = 1", "link 1: the record of what was booked is not what it was"},
      {"UPDATE chain SET lines = 1 WHERE n = 3", "link 3: the record of what was archived is not what it was"},
  };
  for (const auto& c : cases) {
    Folder other;
    book(other.file("ledger.db"));
    tamper(other.file("ledger.db"),
           std::string("DROP TRIGGER correction_update; DROP TRIGGER correction_delete; DROP TRIGGER closing_update; "
                       "DROP TRIGGER closing_delete; ") +
               c.sql);
    auto store = opened(other.file("ledger.db"), StoreMode::read);
    EXPECT_THAT(told(checked(*store)), HasSubstr(c.told)) << c.sql;
  }
}

TEST(Chain, WhatWasBookedBeforeThereWereLinksOfItIsSealedOnce) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  {
    (void)opened(path);
    auto budgets = open_budget_store("sqlite:" + path, 1'000);
    ASSERT_TRUE(budgets && (*budgets)->add({BudgetOf::key, "checkout", 1, noon, ""}) &&
                (*budgets)->add({BudgetOf::key, "checkout", 2, noon, ""}));
  }
  tamper(path, "DELETE FROM chain; DROP TABLE journaled; PRAGMA user_version = 4");
  for (int start = 0; start < 2; ++start) {
    const ChainCheck check = checked(*opened(path));
    EXPECT_EQ(told(check), "");
    EXPECT_EQ(check.entries, 2);
    EXPECT_EQ(check.head.number, 2);
  }
}

/// In the caller's transaction, as retention does: what may go of noon's day. Returns how many.
std::int64_t let_go(sqlite::Database& database, const std::string& where, int part, const std::string& file) {
  const std::int64_t day = std::chrono::floor<std::chrono::days>(noon).time_since_epoch() / std::chrono::microseconds(1);
  const std::string which = std::to_string(day) + ", " + std::to_string(part);
  const auto inserted = database.execute("INSERT INTO let_go SELECT " + which + ", min(n), max(n), count(*), '" + file +
                                         "', 0, 0 FROM lines WHERE batch IS NOT NULL AND " + where + " HAVING count(*) > 0");
  const auto recorded = sqlite::record_removal(database, where, day, part);
  if (!inserted || !recorded) throw std::runtime_error("not recorded");
  return *recorded;
}

TEST(Chain, SeveralMayAddToIt) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = opened(path);
  must_save(*store, {ended("r1"), ended("r2")});
  {
    auto database = sqlite::Database::open(path, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(database);
    EXPECT_EQ(let_go(*database, "id = 'r1'", 1, "elsewhere"), 1);
  }
  must_save(*store, {ended("r3")});
  const ChainCheck check = checked(*store);
  EXPECT_EQ(told(check), "");
  EXPECT_EQ(check.head.number, 3);
}

TEST(Chain, WhatWasArchivedIsNoTamperingAndTheRestIsStillVerified) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  const ChainLink head = fill(path);
  const auto remove = [&](const std::string& where, int part) {
    auto database = sqlite::Database::open(path, SQLITE_OPEN_READWRITE);
    if (!database->execute("BEGIN IMMEDIATE")) throw std::runtime_error("busy");
    const std::int64_t recorded = let_go(*database, where, part, "to november.csv.gz");
    if (!database->execute("COMMIT")) throw std::runtime_error("not recorded");
    EXPECT_EQ(told(checked(*opened(path, StoreMode::read))), "") << "what may go can still be there";
    if (!database->execute("DELETE FROM requests WHERE id <> 'r6' AND " + where + "; UPDATE let_go SET removed = 1"))
      throw std::runtime_error("not removed");
    return recorded;
  };
  // A whole batch, a part of another, and what has not ended, which stays.
  EXPECT_EQ(remove("id IN ('r1', 'r3', 'r6')", 1), 2);
  auto store = opened(path);
  ChainCheck check = checked(*store, {head});
  EXPECT_EQ(told(check), "");
  EXPECT_EQ(check.sealed, 3);
  EXPECT_EQ(check.open, 1);
  EXPECT_EQ(check.head.number, 4);
  ASSERT_EQ(check.removals.size(), 1U);
  EXPECT_EQ(check.removals[0].requests, 2);
  EXPECT_EQ(check.removals[0].note, "to november.csv.gz");
  EXPECT_EQ(remove("id = 'none'", 2), 0);

  must_save(*store, {ended("r7")});
  store.reset();
  EXPECT_EQ(remove("id IN ('r4', 'r5')", 2), 2);  // the rest of batch 2, and a part of batch 3
  store = opened(path);
  check = checked(*store, {head});
  EXPECT_EQ(told(check), "");
  EXPECT_EQ(check.sealed, 2);
  EXPECT_EQ(check.head.number, 6);

  const struct {
    const char* sql;
    const char* told;
  } cases[] = {
      {"UPDATE lines SET cost_pico = 1 WHERE id = 'r2'", "r2, link 3: it says something else"},
      {"DELETE FROM requests WHERE id = 'r2'", "link 3: of 2 requests sealed there, 1 are not there any more"},
      {"UPDATE removals SET last_batch = 3 WHERE first_batch = 1", "link 4: the record of what was archived is not what it was"},
      {"UPDATE chain SET note = 'to nowhere' WHERE n = 6", "link 6: the record of what was archived is not what it was"},
      {"DELETE FROM removals WHERE line IS NOT NULL", "link 4: the record of what was archived is not what it was"},
  };
  store.reset();
  const std::string kept = folder.file("kept.db");
  for (const auto& c : cases) {
    std::filesystem::copy_file(path, kept, std::filesystem::copy_options::overwrite_existing);
    tamper(kept, c.sql);
    EXPECT_THAT(told(checked(*opened(kept, StoreMode::read))), HasSubstr(c.told)) << c.sql;
  }
}

/// As links were whose note is the file alone: there are ledgers with such.
TEST(Chain, ArchivedWithAnOlderNoteIsVerifiedAsFarAsThatTells) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  fill(path);
  auto store = opened(path);
  const auto archive_as_before = [&](std::int64_t link, std::int64_t batch, int lines) {
    auto database = sqlite::Database::open(path, SQLITE_OPEN_READWRITE);
    sqlite::Statement last(database->handle(), "SELECT hash FROM chain ORDER BY n DESC LIMIT 1");
    ASSERT_TRUE(*last.step());
    sqlite::Digest before{};
    std::copy_n(last.text(0).begin(), before.size(), before.begin());
    last.reset();
    sqlite::Sha256 sha;
    const auto hash = sqlite::removal_hash(sha, before, link, "a.csv.gz", {{batch, batch, {}}});
    ASSERT_TRUE(sqlite::Statement(database->handle(), "INSERT INTO chain VALUES (?, ?, 'a.csv.gz', ?)")
                    .run(link, lines, sqlite::Blob{sqlite::bytes_of(hash)}));
    ASSERT_TRUE(sqlite::Statement(database->handle(), "INSERT INTO removals VALUES (?, ?2, ?2, NULL, NULL)").run(link, batch));
  };
  const std::string day =
      std::to_string(std::chrono::floor<std::chrono::days>(noon).time_since_epoch() / std::chrono::microseconds(1));
  archive_as_before(4, 1, 1);
  archive_as_before(5, 2, 2);
  tamper(path, "INSERT INTO let_go VALUES (" + day + ", 1, 1, 1, 1, 'a.csv.gz', 7, 1), (" + day +
                   ", 2, 3, 4, 2, 'a.csv.gz', 8, 0); " + "DELETE FROM requests WHERE id IN ('r1', 'r3')");
  ASSERT_EQ(told(checked(*store)), "") << "r4 may go, and is there";
  tamper(path, "UPDATE let_go SET removed = 1");
  EXPECT_THAT(told(checked(*store)), HasSubstr("r4, link 2: it was added"));
  tamper(path, "DELETE FROM requests WHERE id = 'r4'");
  ASSERT_EQ(told(checked(*store)), "");

  const std::string kept = folder.file("kept.db");
  tamper(path, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE let_go SET removed = 1");
  store.reset();
  const struct {
    const char* sql;
    const char* told;
  } cases[] = {
      {"INSERT INTO let_go VALUES (0, 1, 1, 1, 1, 'a.csv.gz', 7, 1)", "link 0: the table let_go says that rows of"},
      {"DELETE FROM let_go WHERE part = 2", "link 5: what was let go is not in the table let_go"},
      {"UPDATE let_go SET requests = 9 WHERE part = 1", "link 4: what was let go is not in the table let_go"},
      {"UPDATE let_go SET file = ''", "link 4: what was let go is not in the table let_go"},
      {"UPDATE chain SET lines = 3 WHERE n = 5", "link 5: it says that 3 were archived, and the links that it names had 2"},
      {"UPDATE chain SET lines = 3 WHERE n = 2", "link 5: it says that 2 were archived, and the links that it names had 3"},
  };
  for (const auto& c : cases) {
    std::filesystem::copy_file(path, kept, std::filesystem::copy_options::overwrite_existing);
    tamper(kept, c.sql);
    EXPECT_THAT(told(checked(*opened(kept, StoreMode::read))), HasSubstr(c.told)) << c.sql;
  }
}

}  // namespace
}  // namespace fairlead
