// The ledger on a real file: killed at any moment, and with other programs at the same file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <random>
#include <set>

#include "ledger/ledger.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::Folder;
using test::noon;
using test::request_open;
using test::request_settle;

constexpr auto patience = std::chrono::seconds(60);

std::unique_ptr<Store> open_or_throw(const std::string& path) {
  auto store = open_store("sqlite:" + path, StoreMode::write);
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

/// One acknowledgement, small enough to go through a pipe whole.
struct Acknowledged {
  int request = 0;
  char what = 'o';
};

/// The child: opens and settles requests without end, and tells the pipe what became durable. Never returns.
[[noreturn]] void write_until_killed(const std::string& path, int pipe) {
  Ledger ledger(open_or_throw(path));
  std::mutex mutex;
  std::condition_variable changed;
  int in_flight = 0;
  for (int i = 0;; ++i) {
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return in_flight < 16; });
      ++in_flight;
    }
    const std::string id = "r" + std::to_string(i);
    const auto tell = [pipe, i](char what) {
      const Acknowledged ack{i, what};
      if (::write(pipe, &ack, sizeof ack) != sizeof ack) ::_exit(1);
    };
    ledger.write({request_open(id), attempt_open(id)}, [&, id, tell](Result<void> opened) {
      if (!opened) ::_exit(2);
      tell('o');
      ledger.write({attempt_settle(id), request_settle(id)}, [&, tell](Result<void> settled) {
        if (!settled) ::_exit(3);
        tell('s');
        const std::lock_guard lock(mutex);
        --in_flight;
        changed.notify_one();
      });
    });
  }
}

// M14: every line that was acknowledged is there after a kill -9, at whatever moment it comes.
TEST(SqliteLedger, M14_KillLosesNoAcknowledgedRow) {
  std::mt19937 random(20261101);
  for (int round = 0; round < 15; ++round) {
    Folder folder;
    const std::string path = folder.file("ledger.db");
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(path, ends[1]);
    }
    ::close(ends[1]);
    std::set<int> opened, settled;
    const auto take = [&] {
      Acknowledged ack;
      if (::read(ends[0], &ack, sizeof ack) != sizeof ack) return false;
      (ack.what == 'o' ? opened : settled).insert(ack.request);
      return true;
    };
    const int until = std::uniform_int_distribution(1, 400)(random);
    for (int i = 0; i < until; ++i) ASSERT_TRUE(take());
    ::kill(child, SIGKILL);
    while (take()) {
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    auto store = open_or_throw(path);
    const auto interrupted = store->recover(noon);
    ASSERT_TRUE(interrupted) << interrupted.error().detail;
    EXPECT_LE(*interrupted, 16);
    for (const int i : opened) {
      const auto record = store->request("r" + std::to_string(i));
      ASSERT_TRUE(record && *record) << i;
      const RequestRecord& r = **record;
      ASSERT_EQ(r.attempts.size(), 1u);
      EXPECT_NE(r.state, RowState::open);
      EXPECT_EQ(r.state, r.attempts[0].state);
      if (settled.count(i) != 0) {
        EXPECT_EQ(r.state, RowState::settled);
        EXPECT_TRUE(r.settle.usd_pico == request_settle("").usd_pico);
        EXPECT_EQ(r.attempts[0].settle.usage, attempt_settle("").usage);
      }
      EXPECT_NE(r.attempts[0].settle.usage_source, UsageSource::none);
    }
  }
}

/// Tells when a commit has begun.
class Watched final : public Store {
 public:
  Watched(std::unique_ptr<Store> store, std::atomic<int>& begun) : store_(std::move(store)), begun_(begun) {}
  Result<void> commit(std::span<const Write> writes) override {
    begun_.fetch_add(1);
    begun_.notify_all();
    return store_->commit(writes);
  }
  Result<std::int64_t> recover(TimePoint now) override { return store_->recover(now); }
  Result<std::vector<ReportRow>> report(const ReportQuery& query) override { return store_->report(query); }
  Result<std::optional<RequestRecord>> request(std::string_view id) override { return store_->request(id); }

 private:
  std::unique_ptr<Store> store_;
  std::atomic<int>& begun_;
};

// M16: a stranger holds the write lock and another reads an old state while 500 requests come: they wait, and none is refused or
// lost.
TEST(SqliteLedger, M16_WaitsForAnotherProgramsWriteLock) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  std::atomic<int> commits_begun = 0;
  std::atomic<int> acknowledged = 0, refused = 0;
  {
    Ledger ledger(std::make_unique<Watched>(open_or_throw(path), commits_begun));
    sqlite3 *holder = nullptr, *reader = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &holder), SQLITE_OK);
    ASSERT_EQ(sqlite3_open(path.c_str(), &reader), SQLITE_OK);
    const auto run = [](sqlite3* connection, const char* sql) { return sqlite3_exec(connection, sql, nullptr, nullptr, nullptr); };
    ASSERT_EQ(run(reader, "BEGIN; SELECT count(*) FROM requests"), SQLITE_OK);
    ASSERT_EQ(run(holder, "BEGIN IMMEDIATE; UPDATE requests SET team = 'mine'"), SQLITE_OK);
    for (int i = 0; i < 500; ++i) {
      const std::string id = "r" + std::to_string(i);
      ledger.write({request_open(id), attempt_open(id)}, [&](Result<void> opened) { ++(opened ? acknowledged : refused); });
      if (i == 0) commits_begun.wait(0);  // from here on, a commit stands before the lock
    }
    EXPECT_EQ(acknowledged, 0);
    ASSERT_EQ(run(holder, "COMMIT"), SQLITE_OK);
    ASSERT_TRUE(ledger.flush(patience));
    for (int i = 0; i < 500; ++i) {
      const std::string id = "r" + std::to_string(i);
      ledger.write({attempt_settle(id), request_settle(id)}, [&](Result<void> settled) { ++(settled ? acknowledged : refused); });
    }
    ASSERT_TRUE(ledger.flush(patience));
    sqlite3_close(holder);
    sqlite3_close(reader);
  }
  EXPECT_EQ(acknowledged, 1'000);
  EXPECT_EQ(refused, 0);
  const auto rows = open_or_throw(path)->report({});
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).requests, 500);
  EXPECT_EQ(format_decimal(rows->at(0).usd_pico), "0.014336");
}

}  // namespace
}  // namespace fairlead
