#include <fairlead/store.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <limits>

#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::Folder;
using test::noon;
using test::request_open;
using test::request_settle;
using testing::HasSubstr;

constexpr Currency cny{{'C', 'N', 'Y'}};

std::unique_ptr<Store> open_or_fail(const std::string& path, StoreMode mode = StoreMode::write) {
  auto store = open_store("sqlite:" + path, mode);
  if (!store) throw std::runtime_error(store.error().message);
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

void commit(Store& store, const std::vector<Write>& writes) {
  const auto done = store.commit(writes);
  ASSERT_TRUE(done) << done.error().message << " " << done.error().detail;
}

void commit_whole(Store& store, const std::string& id, const std::string& provider, AttemptSettle settle, TimePoint at = noon) {
  commit(store, {request_open(id, at), attempt_open(id, 1, provider, at)});
  commit(store, {std::move(settle), request_settle(id)});
}

std::vector<ReportRow> report(Store& store, ReportQuery query) {
  auto rows = store.report(query);
  if (!rows) throw std::runtime_error(rows.error().message + rows.error().detail);
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
  commit(*store, {request_open("r1"), attempt_open("r1")});
  commit(*store, {settle, request_settle("r1")});

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
  EXPECT_EQ(r.settle.ended_at, noon + std::chrono::seconds(2));
  EXPECT_EQ(r.settle.http_status, 200);
  EXPECT_EQ(r.settle.ended_by, EndedBy::provider);
  EXPECT_EQ(r.settle.phase, Phase::done);
  EXPECT_EQ(r.settle.error, "");
  EXPECT_EQ(r.settle.target, "deepseek/deepseek-chat");
  EXPECT_EQ(r.settle.attempts, 1);
  EXPECT_EQ(r.settle.first_byte_us, 151'000);
  EXPECT_TRUE(r.settle.usd_pico == 28'672'000);

  ASSERT_EQ(r.attempts.size(), 1u);
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
  commit(*store, {request_open("r1"), open, settle});
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
  commit(*store, {request_open("b")});
  commit(*store, {request_open("a")});
  EXPECT_EQ((*store->request("last"))->open.id, "a");
  EXPECT_FALSE(store->request("c")->has_value());
}

TEST(Sqlite, ACommitIsAllOrNothing) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  commit(*store, {request_open("r1")});
  const std::vector<Write> cases[] = {
      {request_open("r2"), request_open("r1")},       // the id exists
      {request_open("r2"), attempt_open("nowhere")},  // an attempt of no request
      {request_open("r2"), attempt_settle("r2")},     // no open row
      {request_open("r2"), request_settle("nowhere")},
  };
  for (const auto& writes : cases) {
    const auto done = store->commit(writes);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::internal) << done.error().detail;
    EXPECT_FALSE(store->request("r2")->has_value());
  }
  commit(*store, {request_open("r2")});
}

TEST(Sqlite, AnAmountBeyond64BitsIsAnErrorAndNotARow) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  commit(*store, {request_open("r1"), attempt_open("r1")});
  AttemptSettle settle = attempt_settle("r1");
  settle.cost->pico = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
  const auto done = store->commit(std::vector<Write>{settle});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::internal);
  EXPECT_THAT(done.error().detail, HasSubstr("9223372.036854775808"));
  settle.cost->pico -= 1;
  commit(*store, {settle});
}

TEST(Sqlite, ASettledRowIsNeverChangedAndSettlingItAgainSucceeds) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  commit_whole(*store, "r1", "deepseek", attempt_settle("r1"));
  AttemptSettle other = attempt_settle("r1");
  other.cost->pico = 1;
  commit(*store, {other, request_settle("r1", 7)});
  const auto record = store->request("r1");
  EXPECT_TRUE((*record)->attempts[0].settle.cost->pico == 204'800'000);
  EXPECT_EQ((*record)->settle.attempts, 1);
}

TEST(Sqlite, RecoveryInterruptsOpenRowsWithTheirEstimate) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  {
    auto store = open_or_fail(path);
    commit_whole(*store, "done", "deepseek", attempt_settle("done"));
    commit(*store, {request_open("cut"), attempt_open("cut")});
    commit(*store, {attempt_settle("cut"), attempt_open("cut", 2, "qwen")});
    AttemptOpen unpriced = attempt_open("unpriced");
    unpriced.estimate_cost.reset();
    unpriced.estimate_usd_pico = unpriced.estimate_usd_rate = std::nullopt;
    commit(*store, {request_open("unpriced"), unpriced});
  }
  auto store = open_or_fail(path);
  const TimePoint now = noon + std::chrono::hours(1);
  EXPECT_EQ(*store->recover(now), 2);
  EXPECT_EQ(*store->recover(now), 0);

  const RequestRecord done = **store->request("done");
  EXPECT_EQ(done.state, RowState::settled);
  EXPECT_EQ(done.attempts[0].state, RowState::settled);

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

TEST(SqliteReport, GroupsAndKeepsWhatWasNeverReportedEmpty) {
  Folder folder;
  auto store = open_or_fail(folder.file("ledger.db"));
  commit(*store, {request_open("r1"), attempt_open("r1")});
  AttemptSettle failed = attempt_settle("r1");
  failed.error = "upstream_closed";
  failed.usage_source = UsageSource::estimated;
  commit(*store, {failed, attempt_open("r1", 2, "openai")});
  AttemptSettle second = attempt_settle("r1", 2);
  second.cost = Money{1'000'000, {}};
  second.usd_pico = 1'000'000;
  second.usage = {};
  second.usage.input = 5;
  second.usage.reasoning = 9;
  commit(*store, {second, request_settle("r1", 2)});
  AttemptSettle unpriced = attempt_settle("r2");
  unpriced.cost.reset();
  unpriced.usd_pico = unpriced.usd_rate = std::nullopt;
  commit_whole(*store, "r2", "deepseek", unpriced);
  commit(*store, {request_open("r3"), attempt_open("r3")});  // still open

  const auto by_provider = report(*store, {{"provider"}, {}, {}});
  ASSERT_EQ(by_provider.size(), 2u);
  const ReportRow& deepseek = by_provider[0];
  EXPECT_EQ(deepseek.group, std::vector<std::string>{"deepseek"});
  EXPECT_EQ(deepseek.requests, 3);
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
  commit_whole(*store, "r1", "deepseek", attempt_settle("r1"), noon - tick);
  commit_whole(*store, "r2", "deepseek", attempt_settle("r2"), noon);
  commit_whole(*store, "r3", "deepseek", attempt_settle("r3"), noon + tick);
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
  std::vector<Write> writes;
  for (int i = 0; i < count; ++i) {
    const std::string id = "r" + std::to_string(i);
    AttemptSettle settle = attempt_settle(id);
    settle.cost->pico = settle.usd_pico.emplace(largest);
    writes.insert(writes.end(), {request_open(id), attempt_open(id), settle});
  }
  commit(*store, writes);
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
  EXPECT_THAT(rows.error().message, HasSubstr("provider, model, target, route, key, team, day"));
}

TEST(SqliteReport, ReadsWhileTheDaemonWrites) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto writer = open_or_fail(path);
  commit_whole(*writer, "r1", "deepseek", attempt_settle("r1"));
  auto reader = open_or_fail(path, StoreMode::read);
  EXPECT_EQ(report(*reader, {}).at(0).requests, 1);
  commit_whole(*writer, "r2", "deepseek", attempt_settle("r2"));
  EXPECT_EQ(report(*reader, {}).at(0).requests, 2);
  EXPECT_EQ((*reader->request("last"))->open.id, "r2");
  EXPECT_FALSE(reader->commit(std::vector<Write>{request_open("r3")}));
  EXPECT_FALSE(reader->recover(noon));
}

TEST(SqliteFile, IsPrivateAndDurable) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = open_or_fail(path);
  commit(*store, {request_open("r1")});
  for (const char* end : {"", "-wal", "-shm", ".lock"}) {
    struct stat status {};
    ASSERT_EQ(::stat((path + end).c_str(), &status), 0) << end;
    EXPECT_EQ(status.st_mode & 0777, 0600) << end;
  }
  Stranger sql(path);
  EXPECT_EQ(sql.text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(sql.text("PRAGMA user_version"), "1");
  EXPECT_EQ(sql.text("PRAGMA application_id"), "1716282482");
}

TEST(SqliteFile, APathIsAlwaysAPath) {
  Folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.file(""));
  for (const char* path : {":memory:", "file:x?mode=memory", "ledger.db"}) {
    commit(*open_or_fail(path), {request_open("r1")});
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
    EXPECT_THAT(store.error().message, HasSubstr(c.text));
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
      EXPECT_THAT(error.message, HasSubstr("is not a ledger"));
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
    EXPECT_THAT(refusal(path, mode).message, HasSubstr("schema version 99"));
  EXPECT_EQ(Stranger(path).text("PRAGMA user_version"), "99");
}

TEST(SqliteFile, ADamagedLedgerIsAnErrorAndNotACrash) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  commit(*open_or_fail(path), {request_open("r1"), attempt_open("r1")});
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file << std::string(std::filesystem::file_size(path) - 100, '\xff');
  file.close();
  EXPECT_EQ(refusal(path).kind, ErrorKind::ledger_unavailable);
  EXPECT_THAT(refusal(path).message, HasSubstr(path));
}

TEST(SqliteFile, ATouchedEmptyFileBecomesALedger) {
  Folder folder;
  std::ofstream(folder.file("ledger.db")).flush();
  commit(*open_or_fail(folder.file("ledger.db")), {request_open("r1")});
}

TEST(SqliteFile, ASecondWriterIsRefusedUntilTheFirstEnds) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto first = open_or_fail(path);
  EXPECT_THAT(refusal(path).message, HasSubstr("another fairlead (process " + std::to_string(::getpid()) + ")"));
  first.reset();
  open_or_fail(path);
}

/// No file of this process grows beyond `bytes`, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(std::size_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  void (*signal_)(int);
  rlimit before_{};
};

TEST(SqliteFile, AFullDiskFailsCommitsAndProbesUntilThereIsRoom) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = open_or_fail(path);
  commit(*store, {request_open("r1"), attempt_open("r1")});
  {
    const FullDisk full(std::filesystem::file_size(path + "-wal"));
    const auto done = store->commit(std::vector<Write>{attempt_settle("r1"), request_settle("r1")});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::ledger_unavailable) << done.error().detail;
    EXPECT_FALSE(store->commit({}));
    EXPECT_EQ((*store->request("r1"))->state, RowState::open);
  }
  EXPECT_TRUE(store->commit({}));
  commit(*store, {attempt_settle("r1"), request_settle("r1")});
  EXPECT_EQ((*store->request("r1"))->attempts[0].state, RowState::settled);
}

}  // namespace
}  // namespace fairlead
