#include <fairlead/budget_store.h>
#include <fairlead/store.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "unit/store/failing_sync.h"
#include "unit/store/full_disk.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::Folder;
using test::FullDisk;
using test::noon;
using test::open_attempt;
using test::record_of;
using test::request_open;
using test::request_settle;
using test::settled_attempt;
using testing::HasSubstr;
using testing::Not;

constexpr Currency cny{{'C', 'N', 'Y'}};

std::unique_ptr<Store> open_or_fail(const std::string& path, StoreMode mode = StoreMode::write) {
  auto store = open_store("sqlite:" + path, mode);
  if (!store) throw std::runtime_error(store.error().message());
  return std::move(*store);
}

Error refusal(const std::string& path, StoreMode mode = StoreMode::write) {
  auto store = open_store("sqlite:" + path, mode);
  return store ? Error() : store.error();
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Another program with the same file open.
class Stranger {
 public:
  explicit Stranger(const std::string& path) { sqlite3_open(path.c_str(), &connection_); }
  ~Stranger() { sqlite3_close(connection_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  int run(const std::string& sql) { return sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr); }
  /// One column of all rows.
  std::string texts(const std::string& sql, int column) {
    std::string all;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
    while (sqlite3_step(statement) == SQLITE_ROW)
      all.append(reinterpret_cast<const char*>(sqlite3_column_text(statement, column))).append("; ");
    sqlite3_finalize(statement);
    return all;
  }
  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
    std::string value = sqlite3_errmsg(connection_);
    if (sqlite3_step(statement) == SQLITE_ROW) {
      const unsigned char* bytes = sqlite3_column_text(statement, 0);
      value = bytes == nullptr ? "NULL" : reinterpret_cast<const char*>(bytes);
    }
    sqlite3_finalize(statement);
    return value;
  }

 private:
  sqlite3* connection_ = nullptr;
};

void save(Store& store, const std::vector<RequestRecord>& records) {
  const auto done = test::save(store, records);
  ASSERT_TRUE(done) << done.error().message() << " " << done.error().detail();
}

/// Its first attempt went to the provider; the request is settled.
RequestRecord whole(const std::string& id, const std::string& provider, AttemptSettle settle, TimePoint at = noon) {
  return record_of(request_open(id, at), {settled_attempt(attempt_open(id, 1, provider, at), std::move(settle))},
                   request_settle(id));
}
RequestRecord whole(const std::string& id) { return whole(id, "deepseek", attempt_settle(id)); }
RequestRecord under_way(const std::string& id) { return record_of(request_open(id), {open_attempt(attempt_open(id))}); }

std::vector<ReportRow> report(Store& store, ReportQuery query) {
  auto rows = store.report(query);
  if (!rows) throw std::runtime_error(rows.error().message() + rows.error().detail());
  return std::move(*rows);
}

TEST(Sqlite, KeepsEveryFieldOfARow) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  AttemptSettle settle = attempt_settle("r1");
  settle.error = "upstream_closed";
  settle.unconfirmed = settle.connection_reused = true;
  settle.usage = {1, 2, 3, 4, 5, 6, 7};
  settle.usage_source = UsageSource::invalid;
  AttemptSettle other = settle;
  other.number = 2;
  other.usage.input = 11;
  save(*store, {record_of(request_open("r1"),
                          {settled_attempt(attempt_open("r1"), settle), settled_attempt(attempt_open("r1", 2, "qwen"), other)},
                          request_settle("r1"))});

  const auto record = store->request("r1");
  ASSERT_TRUE(record && *record);
  const RequestRecord& r = **record;
  EXPECT_EQ(r.state, RowState::settled);
  EXPECT_EQ(r.open.id, "r1");
  EXPECT_EQ(r.open.started_at, noon);
  EXPECT_EQ(r.open.key, "checkout");
  EXPECT_EQ(r.open.team, "payments");
  EXPECT_EQ(r.open.route, "chat");
  EXPECT_EQ(r.open.endpoint, "/v1/chat/completions");
  EXPECT_EQ(r.open.requested_model, "chat");
  EXPECT_TRUE(r.open.stream);
  EXPECT_EQ(r.open.snapshot_hash, "5f1c");
  EXPECT_EQ(r.open.plan, request_open("r1").plan);
  EXPECT_EQ(r.open.expected, request_open("r1").expected);
  EXPECT_EQ(r.open.content, request_open("r1").content);
  EXPECT_EQ(r.settle.ended_at, noon + std::chrono::seconds(2));
  EXPECT_EQ(r.settle.http_status, 200);
  EXPECT_EQ(r.settle.ended_by, EndedBy::provider);
  EXPECT_EQ(r.settle.phase, Phase::done);
  EXPECT_EQ(r.settle.error, "");
  EXPECT_EQ(r.settle.target, "deepseek/deepseek-chat");
  EXPECT_EQ(r.settle.attempts, 1);
  EXPECT_EQ(r.settle.first_byte_us, 151'000);
  EXPECT_TRUE(r.settle.usd_pico == 28'672'000);

  ASSERT_EQ(r.attempts.size(), 2u);
  EXPECT_EQ(r.attempts[1].open.number, 2);
  EXPECT_EQ(r.attempts[1].open.provider, "qwen");
  EXPECT_EQ(r.attempts[1].settle.usage, other.usage);
  EXPECT_EQ(r.attempts[1].settle.price, settle.price);
  const RequestRecord::Attempt& a = r.attempts[0];
  EXPECT_EQ(a.state, RowState::settled);
  EXPECT_EQ(a.open.request_id, "r1");
  EXPECT_EQ(a.open.number, 1);
  EXPECT_EQ(a.open.sent_at, noon);
  EXPECT_EQ(a.open.provider, "deepseek");
  EXPECT_EQ(a.open.model, "deepseek-chat");
  EXPECT_EQ(a.open.target, "deepseek/deepseek-chat");
  EXPECT_TRUE(a.open.reserved_usd_pico == Int128{9'000'000'000});
  EXPECT_EQ(a.open.input_tokens_estimate, 120);
  EXPECT_TRUE(a.open.estimate_cost == (Money{240'000'000, cny}));
  EXPECT_TRUE(a.open.estimate_usd_pico == Int128{33'600'000});
  EXPECT_TRUE(a.open.estimate_usd_rate == Int128{140'000'000'000});
  EXPECT_EQ(a.settle.ended_at, settle.ended_at);
  EXPECT_EQ(a.settle.ended_by, EndedBy::provider);
  EXPECT_EQ(a.settle.phase, Phase::done);
  EXPECT_EQ(a.settle.error, "upstream_closed");
  EXPECT_EQ(a.settle.status, 200);
  EXPECT_TRUE(a.settle.unconfirmed);
  EXPECT_TRUE(a.settle.connection_reused);
  EXPECT_EQ(a.settle.reported_model, "deepseek-v3.2");
  EXPECT_EQ(a.settle.upstream_id, "chatcmpl-1");
  EXPECT_EQ(a.settle.finish_reason, "stop");
  EXPECT_EQ(a.settle.usage, settle.usage);
  EXPECT_EQ(a.settle.usage_source, UsageSource::invalid);
  EXPECT_TRUE(a.settle.cost == settle.cost);
  EXPECT_TRUE(a.settle.usd_pico == settle.usd_pico);
  EXPECT_TRUE(a.settle.usd_rate == settle.usd_rate);
  EXPECT_TRUE(a.open.markup == Int128{250'000'000'000});
  EXPECT_TRUE(a.settle.charge_usd_pico == Int128{35'840'000});
  EXPECT_TRUE(a.settle.reported_usd_pico == Int128{28'000'000});
  EXPECT_EQ(a.settle.price, settle.price);
  EXPECT_EQ(a.settle.connect_us, 20'000);
  EXPECT_EQ(a.settle.first_byte_us, 150'000);
  EXPECT_EQ(a.settle.duration_us, 2'000'000);
}

TEST(Sqlite, WhatIsEmptyStaysEmpty) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  AttemptOpen open = attempt_open("r1");
  open.reserved_usd_pico = open.estimate_usd_pico = open.estimate_usd_rate = std::nullopt;
  open.estimate_cost = std::nullopt;
  AttemptSettle settle;
  settle.request_id = "r1";
  save(*store, {record_of(request_open("r1"), {settled_attempt(open, settle)})});
  const auto record = store->request("last");
  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->state, RowState::open);
  const auto& a = (*record)->attempts.at(0);
  EXPECT_EQ(a.settle.usage, Usage());
  EXPECT_FALSE(a.settle.cost || a.settle.usd_pico || a.settle.usd_rate || a.settle.connect_us || a.settle.first_byte_us);
  EXPECT_FALSE(a.open.reserved_usd_pico || a.open.estimate_cost || a.open.estimate_usd_pico || a.open.estimate_usd_rate);
}

TEST(Sqlite, LastIsTheNewestRequestAndAnUnknownIdIsNone) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  EXPECT_FALSE(store->request("last")->has_value());
  save(*store, {record_of(request_open("b"))});
  save(*store, {record_of(request_open("a"))});
  EXPECT_EQ((*store->request("last"))->open.id, "a");
  EXPECT_FALSE(store->request("c")->has_value());
  save(*store, {record_of(request_open("older", noon - std::chrono::seconds(1)))});  // it took longer
  EXPECT_EQ((*store->request("last"))->open.id, "a");
}

TEST(Sqlite, SavingIsAllOrNothing) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  RequestRecord wrong = whole("r3");
  wrong.settle.usd_pico = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
  const auto done = test::save(*store, {whole("r2"), wrong});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::internal) << done.error().detail();
  EXPECT_FALSE(store->request("r2")->has_value());
  save(*store, {whole("r2")});  // also what the line refers to
  EXPECT_EQ((*store->request("r2"))->open.plan, request_open("").plan);
  EXPECT_EQ((*store->request("r2"))->attempts.at(0).open.target, "deepseek/deepseek-chat");
}

TEST(Sqlite, AnAmountBeyond64BitsIsAnErrorAndNotARow) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  save(*store, {under_way("r1")});
  AttemptSettle settle = attempt_settle("r1");
  settle.cost->pico = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
  const auto done = test::save(*store, {whole("r1", "deepseek", settle)});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::internal);
  EXPECT_THAT(done.error().detail(), HasSubstr("9223372.036854775808"));
  settle.cost->pico -= 1;
  save(*store, {whole("r1", "deepseek", settle)});
  EXPECT_EQ((*store->request("r1"))->state, RowState::settled);
}

TEST(Sqlite, AnOpenRequestIsReplacedAsItGoesOn) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  save(*store, {record_of(request_open("r1"))});
  save(*store, {under_way("r1")});
  EXPECT_EQ((*store->request("r1"))->attempts.at(0).state, RowState::open);
  save(*store, {record_of(request_open("r1"), {settled_attempt(attempt_open("r1"), attempt_settle("r1")),
                                               open_attempt(attempt_open("r1", 2, "qwen"))})});
  EXPECT_EQ((*store->request("r1"))->attempts.at(1).state, RowState::open);
  const auto second = settled_attempt(attempt_open("r1", 2, "qwen"), attempt_settle("r1", 2));
  save(*store, {record_of(request_open("r1"), {settled_attempt(attempt_open("r1"), attempt_settle("r1")), second},
                          request_settle("r1", 2))});
  const RequestRecord r = **store->request("r1");
  EXPECT_EQ(r.state, RowState::settled);
  ASSERT_EQ(r.attempts.size(), 2u);
  for (const auto& attempt : r.attempts) EXPECT_EQ(attempt.state, RowState::settled);
  EXPECT_EQ(report(*store, {}).at(0).attempts, 2);
}

TEST(Sqlite, WhatEndedIsNeverChangedAndSavingItAgainSucceeds) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  save(*store, {whole("r1"), under_way("r2")});
  ASSERT_EQ(*store->recover(noon), 1);
  AttemptSettle other = attempt_settle("r1");
  other.cost->pico = 1;
  RequestRecord again = whole("r1", "deepseek", other);
  again.settle.attempts = 7;
  save(*store, {again, under_way("r1"), whole("r2"), under_way("r2")});
  const auto record = store->request("r1");
  EXPECT_TRUE((*record)->attempts[0].settle.cost->pico == 204'800'000);
  EXPECT_EQ((*record)->settle.attempts, 1);
  EXPECT_EQ((*store->request("r2"))->state, RowState::interrupted);
  EXPECT_EQ((*store->request("r2"))->attempts.at(0).state, RowState::interrupted);
}

TEST(Sqlite, SyncSucceedsWhileSomebodyReads) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = open_or_fail(path);
  EXPECT_TRUE(store->sync());
  Stranger reader(path);
  ASSERT_EQ(reader.run("BEGIN; SELECT count(*) FROM requests"), SQLITE_OK);
  for (int i = 0; i < 50; ++i) {
    save(*store, {whole("r" + std::to_string(i))});
    const auto synced = store->sync();
    ASSERT_TRUE(synced) << synced.error().detail();
  }
  EXPECT_EQ(reader.text("SELECT count(*) FROM requests"), "0");
}

/// How many requests there are without the write-ahead log.
std::string requests_of_the_file_alone(const Folder& folder) {
  const std::string copy = folder.file("copy.db");
  std::filesystem::copy_file(folder.file("ledger.db"), copy, std::filesystem::copy_options::overwrite_existing);
  return Stranger(copy).text("SELECT count(*) FROM requests");
}

// The system tells of a failed sync once, whoever asked for it. What the log held is then in the file itself, and synced there.
TEST(Sqlite, AFailedSyncOfTheLogIsMadeGoodByTheFile) {
  const test::FailingSync log;
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  save(*store, {whole("r0")});  // begins the log, with a sync of its header
  log.fail_next();
  EXPECT_FALSE(store->sync());
  EXPECT_EQ(requests_of_the_file_alone(folder), "0");
  EXPECT_TRUE(store->sync());
  EXPECT_EQ(requests_of_the_file_alone(folder), "1");
  save(*store, {whole("r1")});  // begins it anew
  log.fail_next();
  int requests = 2;
  for (; !log.has_failed(); ++requests) save(*store, {whole("r" + std::to_string(requests))});  // until a commit copies the log
  ASSERT_LT(requests, 10'000);
  EXPECT_TRUE(store->sync());
  EXPECT_EQ(requests_of_the_file_alone(folder), std::to_string(requests));
}

// The log was synced before anything of it was to be copied, so it has all that was saved.
TEST(Sqlite, AFullDiskLeavesNoDoubtOfTheLog) {
  const test::FailingSync disk;
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  disk.fill(true);
  int requests = 0;
  for (; disk.refused_writes() == 0; ++requests) save(*store, {whole("r" + std::to_string(requests))});
  const auto synced = store->sync();
  EXPECT_TRUE(synced) << synced.error().detail();
  disk.fill(false);
  EXPECT_EQ(Stranger(folder.file("ledger.db")).text("SELECT count(*) FROM requests"), std::to_string(requests));
}

TEST(Sqlite, DeletingARequestTakesItsAttempts) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = open_or_fail(path);
  const auto second = settled_attempt(attempt_open("r1", 2, "qwen"), attempt_settle("r1", 2));
  save(*store,
       {record_of(request_open("r1"), {settled_attempt(attempt_open("r1"), attempt_settle("r1")), second}, request_settle("r1", 2)),
        whole("r2", "deepseek", attempt_settle("r2"), noon + std::chrono::hours(1))});
  Stranger sql(path);
  EXPECT_EQ(sql.text("SELECT count(*) FROM attempts"), "3");
  EXPECT_EQ(sql.run("DELETE FROM requests WHERE started_at <= 1793534400000000"), SQLITE_OK);
  EXPECT_EQ(sql.text("SELECT group_concat(request_id) FROM attempts"), "r2");
}

TEST(Sqlite, ARequestAndAPeriodAreFoundByAnIndex) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  open_or_fail(path);
  Stranger sql(path);
  const auto plan_of = [&sql](const std::string& query) { return sql.texts("EXPLAIN QUERY PLAN " + query, 3); };
  EXPECT_THAT(plan_of("SELECT * FROM requests WHERE id = 'r1'"), Not(HasSubstr("SCAN")));
  EXPECT_THAT(plan_of("SELECT * FROM attempts WHERE request_id = 'r1' ORDER BY number"), Not(HasSubstr("SCAN l")));
  EXPECT_THAT(
      plan_of("SELECT r.team, count(*) FROM attempts a JOIN requests r ON r.id = a.request_id WHERE a.sent_at >= 5 GROUP BY 1"),
      testing::AllOf(HasSubstr("lines_by_time (sent_at>?)"), HasSubstr("retries_by_time (sent_at>?)"), Not(HasSubstr("SCAN l"))));
}

TEST(Sqlite, RecoveryInterruptsOpenRowsWithTheirEstimate) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  {
    auto store = open_or_fail(path);
    save(*store, {whole("done")});
    save(*store, {record_of(request_open("cut"), {settled_attempt(attempt_open("cut"), attempt_settle("cut")),
                                                  open_attempt(attempt_open("cut", 2, "qwen"))})});
    AttemptOpen unpriced = attempt_open("unpriced");
    unpriced.estimate_cost.reset();
    unpriced.estimate_usd_pico = unpriced.estimate_usd_rate = std::nullopt;
    save(*store, {record_of(request_open("unpriced"), {open_attempt(unpriced)})});
    save(*store, {record_of(request_open("broke"), {open_attempt(attempt_open("broke"))}, request_settle("broke"))});
  }
  auto store = open_or_fail(path);
  const TimePoint now = noon + std::chrono::hours(1);
  EXPECT_EQ(*store->recover(now), 3);
  EXPECT_EQ(*store->recover(now), 0);

  const RequestRecord done = **store->request("done");
  EXPECT_EQ(done.state, RowState::settled);
  EXPECT_EQ(done.attempts[0].state, RowState::settled);

  const RequestRecord broke = **store->request("broke");
  EXPECT_EQ(broke.state, RowState::settled) << "it ended by itself, and its attempt did not";
  EXPECT_EQ(broke.attempts[0].state, RowState::interrupted);
  EXPECT_EQ(broke.settle.usd_pico, broke.attempts[0].settle.usd_pico.value());
  EXPECT_EQ(broke.settle.charge_usd_pico, broke.attempts[0].settle.charge_usd_pico.value());

  const RequestRecord cut = **store->request("cut");
  EXPECT_EQ(cut.state, RowState::interrupted);
  EXPECT_EQ(cut.settle.error, "interrupted");
  EXPECT_EQ(cut.settle.ended_by, EndedBy::fairlead);
  EXPECT_EQ(cut.settle.ended_at, now);
  EXPECT_EQ(cut.settle.attempts, 2);
  EXPECT_TRUE(cut.settle.usd_pico == 28'672'000 + 33'600'000);
  EXPECT_EQ(cut.attempts[0].state, RowState::settled);
  const auto& second = cut.attempts[1];
  EXPECT_EQ(second.state, RowState::interrupted);
  EXPECT_EQ(second.settle.usage.input, 120);
  EXPECT_EQ(second.settle.usage.output, std::nullopt);
  EXPECT_EQ(second.settle.usage_source, UsageSource::estimated);
  EXPECT_TRUE(second.settle.cost == (Money{240'000'000, cny}));
  EXPECT_TRUE(second.settle.usd_pico == Int128{33'600'000});
  EXPECT_TRUE(second.settle.usd_rate == Int128{140'000'000'000});
  EXPECT_EQ(second.settle.price, attempt_open("").price);
  EXPECT_TRUE(second.settle.unconfirmed);

  const RequestRecord unpriced = **store->request("unpriced");
  EXPECT_EQ(unpriced.attempts[0].settle.usage.input, 120);
  EXPECT_FALSE(unpriced.attempts[0].settle.cost);
}

// What a line refers to was taken away by somebody: nothing can be told of it, and nothing else is kept from being told.
TEST(Sqlite, RecoveryPassesOverALineThatCannotBeReadAnyMore) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  RequestRecord other = under_way("r2");
  other.open.key = "other";
  save(*open_or_fail(path), {under_way("r1"), other});
  Stranger(path).run("DELETE FROM asks WHERE key = 'checkout'");
  const auto store = open_or_fail(path);
  const auto interrupted = store->recover(noon);
  ASSERT_TRUE(interrupted) << interrupted.error().detail();
  EXPECT_EQ(*interrupted, 1);
}

TEST(SqliteReport, GroupsAndKeepsWhatWasNeverReportedEmpty) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  AttemptSettle failed = attempt_settle("r1");
  failed.error = "upstream_closed";
  failed.usage_source = UsageSource::estimated;
  AttemptSettle second = attempt_settle("r1", 2);
  second.cost = Money{1'000'000, {}};
  second.usd_pico = 1'000'000;
  second.usage = {};
  second.usage.input = 5;
  second.usage.reasoning = 9;
  save(*store, {record_of(request_open("r1"),
                          {settled_attempt(attempt_open("r1"), failed), settled_attempt(attempt_open("r1", 2, "openai"), second)},
                          request_settle("r1", 2))});
  AttemptSettle unpriced = attempt_settle("r2");
  unpriced.cost.reset();
  unpriced.usd_pico = unpriced.usd_rate = std::nullopt;
  save(*store, {whole("r2", "deepseek", unpriced), under_way("r3")});

  const auto by_provider = report(*store, {{"provider"}, {}, {}});
  ASSERT_EQ(by_provider.size(), 2u);
  const ReportRow& deepseek = by_provider[0];
  EXPECT_EQ(deepseek.group, std::vector<std::string>{"deepseek"});
  EXPECT_EQ(deepseek.requests, 2);  // the last attempt of r1 went elsewhere
  EXPECT_EQ(deepseek.attempts, 3);
  EXPECT_EQ(deepseek.failed_attempts, 1);
  EXPECT_EQ(deepseek.usage.input, 72);
  EXPECT_EQ(deepseek.usage.cached_input, 128);
  EXPECT_EQ(deepseek.usage.cache_write, std::nullopt);
  EXPECT_EQ(deepseek.usage.reasoning, std::nullopt);
  EXPECT_EQ(deepseek.estimated_attempts, 1);
  EXPECT_EQ(deepseek.unpriced_attempts, 1);
  ASSERT_EQ(deepseek.cost.size(), 1u);
  EXPECT_TRUE(deepseek.cost[0] == (Money{204'800'000, cny}));
  EXPECT_TRUE(deepseek.usd_pico == 28'672'000);
  EXPECT_EQ(by_provider[1].usage.reasoning, 9);

  const auto all = report(*store, {});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].requests, 3);  // r1 went to two providers and is one request
  EXPECT_EQ(all[0].attempts, 4);
  ASSERT_EQ(all[0].cost.size(), 2u);
  EXPECT_EQ(all[0].cost[0].currency.view(), "CNY");
  EXPECT_EQ(all[0].cost[1].currency.view(), "USD");
  EXPECT_TRUE(all[0].usd_pico == 29'672'000);

  const auto by_all = report(*store, {{"day", "team", "key", "route", "model", "target"}, {}, {}});
  ASSERT_EQ(by_all.size(), 2u);
  EXPECT_EQ(by_all[0].group,
            (std::vector<std::string>{"2026-11-01", "payments", "checkout", "chat", "deepseek-chat", "deepseek/deepseek-chat"}));
}

TEST(SqliteReport, TakesAPeriodByTheTimeOfSending) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  const std::chrono::microseconds tick(1);
  save(*store, {whole("r1", "deepseek", attempt_settle("r1"), noon - tick), whole("r2"),
                whole("r3", "deepseek", attempt_settle("r3"), noon + tick)});
  EXPECT_EQ(report(*store, {{}, noon, {}}).at(0).requests, 2);
  EXPECT_EQ(report(*store, {{}, {}, noon}).at(0).requests, 1);
  EXPECT_EQ(report(*store, {{}, noon, noon + tick}).at(0).requests, 1);
  EXPECT_TRUE(report(*store, {{}, noon + 2 * tick, {}}).empty());
}

TEST(SqliteReport, TotalsAreExactBeyond64Bits) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  constexpr Int128 largest = std::numeric_limits<std::int64_t>::max();
  constexpr int count = 1'000;
  std::vector<RequestRecord> records;
  for (int i = 0; i < count; ++i) {
    const std::string id = "r" + std::to_string(i);
    AttemptSettle settle = attempt_settle(id);
    settle.cost->pico = settle.usd_pico.emplace(largest);
    records.push_back(whole(id, "deepseek", settle));
  }
  save(*store, records);
  for (const auto& by : {std::vector<std::string>{}, {"team"}}) {
    const auto rows = report(*store, {by, {}, {}});
    EXPECT_EQ(format_decimal(rows.at(0).usd_pico), "9223372036.854775807");
    EXPECT_TRUE(rows.at(0).cost.at(0).pico == largest * count);
  }
}

TEST(SqliteReport, NamesTheDimensionsThatThereAre) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  const auto rows = store->report({{"team; DROP TABLE requests"}, {}, {}});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::config);
  EXPECT_THAT(rows.error().message(),
              HasSubstr("provider, model, target, route, key, team, project, usage_source, currency, month, week, day, hour"));
}

TEST(SqliteReport, ReadsWhileTheDaemonWrites) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto writer = open_or_fail(path);
  save(*writer, {whole("r1")});
  auto reader = open_or_fail(path, StoreMode::read);
  EXPECT_EQ(report(*reader, {}).at(0).requests, 1);
  save(*writer, {whole("r2")});
  EXPECT_EQ(report(*reader, {}).at(0).requests, 2);
  EXPECT_EQ((*reader->request("last"))->open.id, "r2");
  EXPECT_FALSE(test::save(*reader, {whole("r3")}));
  EXPECT_FALSE(reader->sync());
  EXPECT_FALSE(reader->recover(noon));
}

TEST(SqliteFile, IsPrivateAndDurable) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = open_or_fail(path);
  save(*store, {whole("r1")});
  for (const char* end : {"", "-wal", "-shm", ".lock"}) {
    struct stat status {};
    ASSERT_EQ(::stat((path + end).c_str(), &status), 0) << end;
    EXPECT_EQ(status.st_mode & 0777, 0600) << end;
  }
  Stranger sql(path);
  EXPECT_EQ(sql.text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(sql.text("PRAGMA user_version"), "6");
  EXPECT_EQ(sql.text("PRAGMA application_id"), "1716282482");
}

TEST(SqliteFile, APathIsAlwaysAPath) {
  Folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.file(""));
  for (const char* path : {":memory:", "file:x?mode=memory", "ledger.db"}) {
    save(*open_or_fail(path), {whole("r1")});
    EXPECT_TRUE(open_or_fail(path)->request("r1")->has_value()) << path;
  }
  std::filesystem::current_path(before);
}

TEST(SqliteFile, RefusesWhatItCannotOpenInPlainWords) {
  Folder folder;
  std::filesystem::create_directory(folder.file("folder"));
  struct Case {
    std::string url;
    StoreMode mode;
    ErrorKind kind;
    std::string text;
  };
  const Case cases[] = {
      {"sqlite:" + folder.file("missing/ledger.db"), StoreMode::write, ErrorKind::ledger_unavailable, "missing/ does not exist"},
      {"sqlite:" + folder.file("folder"), StoreMode::write, ErrorKind::ledger_unavailable, "is not a file"},
      {"sqlite:" + folder.file("none.db"), StoreMode::read, ErrorKind::ledger_unavailable, "there is no ledger at"},
      {"sqlite:", StoreMode::write, ErrorKind::config, "no path"},
      {"oracle:x", StoreMode::write, ErrorKind::config, "sqlite:"},
      {"ledger.db", StoreMode::write, ErrorKind::config, "'ledger.db' is not a ledger"},
  };
  for (const Case& c : cases) {
    const auto store = open_store(c.url, c.mode);
    ASSERT_FALSE(store) << c.url;
    EXPECT_EQ(store.error().kind, c.kind) << c.url;
    EXPECT_THAT(store.error().message(), HasSubstr(c.text));
  }
  EXPECT_FALSE(std::filesystem::exists(folder.file("none.db")));
}

TEST(SqliteFile, TouchesNoFileOfAnotherProgram) {
  Folder folder;
  const std::string text = folder.file("notes.txt"), short_text = folder.file("short"), database = folder.file("other.db");
  std::ofstream(text) << std::string(5'000, 'x');
  std::ofstream(short_text) << "x";
  Stranger(database).run("PRAGMA journal_mode = WAL; CREATE TABLE requests (id TEXT); INSERT INTO requests VALUES ('mine')");
  for (const std::string& path : {text, short_text, database}) {
    const std::string before = bytes_of(path);
    for (const StoreMode mode : {StoreMode::write, StoreMode::read}) {
      const Error error = refusal(path, mode);
      EXPECT_EQ(error.kind, ErrorKind::ledger_unavailable) << path;
      EXPECT_THAT(error.message(), HasSubstr("is not a ledger"));
    }
    EXPECT_EQ(bytes_of(path), before);
    for (const char* end : {"-wal", "-shm", ".lock"}) EXPECT_FALSE(std::filesystem::exists(path + end)) << path << end;
  }
}

TEST(SqliteFile, RefusesANewerSchemaAndLeavesItAsItIs) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  open_or_fail(path);
  Stranger(path).run("PRAGMA user_version = 99");
  for (const StoreMode mode : {StoreMode::write, StoreMode::read})
    EXPECT_THAT(refusal(path, mode).message(), HasSubstr("schema version 99"));
  EXPECT_EQ(Stranger(path).text("PRAGMA user_version"), "99");
}

/// What a step of the schema made, to take it away again: of the second to the newest.
constexpr const char* made_by_step[] = {
    "DROP TABLE sum_groups; DROP TABLE hour_sums; DROP TABLE day_sums; DROP TABLE closings; DROP TABLE late; DROP TABLE "
    "corrections; "
    "DROP TABLE let_go; DROP INDEX lines_unsent; DROP TRIGGER closed_line_update; DROP TRIGGER closed_line_delete; "
    "DROP TRIGGER closed_retry_update; DROP TRIGGER closed_retry_delete; ",
    "DROP TABLE six_hour_sums; ", "DROP TABLE sweeps; ", "DELETE FROM chain WHERE lines = 0; ", "DROP TABLE journaled; "};

TEST(SqliteFile, AnOlderSchemaBecomesNewerAtOnceOrNotAtAllAndWhatIsOthersStays) {  // M65
  for (std::size_t version = 1; version <= std::size(made_by_step); ++version) {
    SCOPED_TRACE("version " + std::to_string(version));
    Folder folder;
    const std::string path = folder.file("ledger.db");
    save(*open_or_fail(path), {whole("r1")});
    ASSERT_TRUE((*open_budget_store("sqlite:" + path, 1'000))->add({BudgetOf::key, "checkout", 1, noon, "a credit"}));
    {  // as that version left it, with a table of somebody's own
      Stranger older(path);
      ASSERT_EQ(older.text("PRAGMA user_version"), std::to_string(std::size(made_by_step) + 1)) << "a new step wants a line above";
      std::string script;
      for (std::size_t step = std::size(made_by_step); step >= version; --step) script += made_by_step[step - 1];
      ASSERT_EQ(older.run(script + "PRAGMA user_version = " + std::to_string(version) +
                          "; CREATE TABLE notes (note TEXT); INSERT INTO notes VALUES ('mine'); PRAGMA wal_checkpoint(TRUNCATE)"),
                SQLITE_OK);
    }
    const auto seen = [&] {
      Stranger stranger(path);
      return stranger.text("PRAGMA user_version") + stranger.text("SELECT note FROM notes") +
             stranger.text("SELECT id FROM requests") +
             stranger.text("SELECT count(*) FROM sqlite_master WHERE name = 'journaled'");
    };
    int failed = 0;
    for (std::size_t room = 4'096; room < (1U << 20); room += 8'192) {
      const std::string said = [&] {
        const FullDisk full(room);
        return refusal(path).message();
      }();
      if (said.empty()) break;
      ++failed;
      ASSERT_EQ(seen(), std::to_string(version) + "miner10") << "after it failed with " << room << " bytes of room: " << said;
    }
    EXPECT_GT(failed, 0);
    EXPECT_EQ(seen(), "6miner11");
    const auto store = open_or_fail(path);
    EXPECT_TRUE(store->request("r1")->has_value());
    const auto chain = store->check_chain({});
    ASSERT_TRUE(chain);
    EXPECT_EQ(chain->findings_count, 0) << chain->findings.at(0).what;
    EXPECT_EQ(chain->entries, 1);
  }
}

TEST(SqliteFile, ADamagedLedgerIsAnErrorAndNotACrash) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  save(*open_or_fail(path), {under_way("r1")});
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file << std::string(std::filesystem::file_size(path) - 100, '\xff');
  file.close();
  EXPECT_EQ(refusal(path).kind, ErrorKind::ledger_unavailable);
  EXPECT_THAT(refusal(path).message(), HasSubstr(path));
}

TEST(SqliteFile, ATouchedEmptyFileBecomesALedger) {
  Folder folder;
  std::ofstream(folder.file("ledger.db")).flush();
  save(*open_or_fail(folder.file("ledger.db")), {whole("r1")});
}

TEST(SqliteFile, ASecondWriterIsRefusedUntilTheFirstEnds) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto first = open_or_fail(path);
  EXPECT_THAT(refusal(path).message(), HasSubstr("another fairlead (process " + std::to_string(::getpid()) + ")"));
  first.reset();
  open_or_fail(path);
}

TEST(SqliteFile, ALinkNamesTheSameLedger) {
  Folder folder;
  std::filesystem::create_directory(folder.file("real"));
  const std::string real = folder.file("real/ledger.db"), link = folder.file("link.db");
  std::filesystem::create_symlink("real/ledger.db", link);
  auto first = open_or_fail(link);  // creates what the link leads to
  const std::string journal = first->journal();
  EXPECT_EQ(journal, std::filesystem::canonical(real).string() + ".journal-");
  EXPECT_THAT(refusal(real).message(), HasSubstr("another fairlead"));
  first.reset();
  first = open_or_fail(real);
  EXPECT_EQ(first->journal(), journal);
  EXPECT_THAT(refusal(link).message(), HasSubstr("another fairlead"));
}

TEST(SqliteFile, AFullDiskKeepsReadersOutAndTheySayWhy) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  save(*open_or_fail(path), {under_way("r1")});
  const FullDisk full(4'096);  // for the log's shared memory, which whoever comes first makes
  const auto store = open_store("sqlite:" + path, StoreMode::read);
  const Error error = store ? (*store)->request("r1").error() : store.error();
  EXPECT_EQ(error.kind, ErrorKind::ledger_unavailable);
  EXPECT_THAT(error.message() + error.detail(), HasSubstr("the disk of the ledger is full"));
}

TEST(SqliteFile, AFullDiskFailsSavingAndProbesUntilThereIsRoom) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = open_or_fail(path);
  save(*store, {under_way("r1")});
  {
    const FullDisk full(std::filesystem::file_size(path + "-wal"));
    const auto done = test::save(*store, {whole("r1")});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::ledger_unavailable) << done.error().detail();
    EXPECT_FALSE(test::save(*store, {}));
    EXPECT_EQ((*store->request("r1"))->state, RowState::open);
  }
  EXPECT_TRUE(test::save(*store, {}));
  save(*store, {whole("r1")});
  EXPECT_EQ((*store->request("r1"))->attempts[0].state, RowState::settled);
}

/// 0: who may not write in this folder finds r1 in the ledger at `path`. 1: it is not there; 2: the ledger cannot be opened.
int read_without_writing(const std::string& path, const std::string& folder) {
  std::filesystem::permissions(folder, std::filesystem::perms(0555));
  const pid_t reader = ::fork();
  if (reader == 0) {
    // Root may write wherever it likes, but for these.
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
    if (::syscall(SYS_capset, &header, none) != 0 || ::access(folder.c_str(), W_OK) == 0) ::_exit(3);
    const auto store = open_store("sqlite:" + path, StoreMode::read);
    if (!store) ::_exit(2);
    const auto request = (*store)->request("r1");
    ::_exit(request && *request ? 0 : 1);
  }
  int status = 0;
  const bool ended = ::waitpid(reader, &status, 0) == reader && WIFEXITED(status);
  std::filesystem::permissions(folder, std::filesystem::perms(0755));  // so that it can be removed
  return ended ? WEXITSTATUS(status) : -1;
}

TEST(SqliteStore, ACopyWhereNothingMayBeWrittenIsRead) {
  const Folder folder;
  const std::string copies = folder.file("100% #1?"), copy = copies + "/ledger.db";
  save(*open_or_fail(folder.file("ledger.db")), {whole("r1")});
  std::filesystem::create_directory(copies);
  std::filesystem::copy_file(folder.file("ledger.db"), copy);
  std::filesystem::permissions(copy, std::filesystem::perms(0444));
  EXPECT_EQ(read_without_writing(copy, copies), 0);
}

TEST(SqliteStore, ALinkWhereNothingMayBeWrittenLeadsToTheLogOfALedgerThatIsWritten) {
  const Folder folder;
  const std::string links = folder.file("links");
  const auto store = open_or_fail(folder.file("ledger.db"));
  save(*store, {whole("r1")});
  std::filesystem::create_directory(links);
  std::filesystem::create_symlink("../ledger.db", links + "/ledger.db");
  EXPECT_EQ(read_without_writing(links + "/ledger.db", links), 0);
}

}  // namespace
}  // namespace fairlead
