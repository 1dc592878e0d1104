// The ledger on a real file: killed at any moment, and with other programs at the same file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "ledger/archive.h"
#include "ledger/ledger.h"
#include "unit/store/full_disk.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::Folder;
using test::FullDisk;
using test::noon;
using test::request_open;
using test::request_settle;

constexpr auto sqlite_patience = std::chrono::seconds(60);

std::unique_ptr<Store> open_or_throw(const std::string& path) {
  auto store = open_store("sqlite:" + path, StoreMode::write);
  if (!store) throw std::runtime_error(store.error().message());
  return std::move(*store);
}

constexpr std::size_t segment_bytes = 32 << 10;  // small, so that many come and go

std::unique_ptr<Ledger> start_or_throw(const std::string& path) {
  LedgerLimits limits;
  limits.segment_bytes = segment_bytes;
  auto ledger = Ledger::start(open_or_throw(path), noon, limits);
  if (!ledger) throw std::runtime_error(ledger.error().message() + ledger.error().detail());
  return std::move(*ledger);
}

/// One acknowledgement, small enough to go through a pipe whole.
struct Acknowledged {
  int request = 0;
  char what = 'o';
};

/// The child: opens and settles requests without end, and tells the pipe what became durable. Never returns.
[[noreturn]] void write_until_killed(const std::string& path, int pipe) {
  const auto ledger = start_or_throw(path);
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
    ledger->write({request_open(id), attempt_open(id)}, [&, id, tell](Result<void> opened) {
      if (!opened) ::_exit(2);
      tell('o');
      ledger->write({attempt_settle(id), request_settle(id)}, [&, tell](Result<void> settled) {
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
    const int until = std::uniform_int_distribution(1, 1'500)(random);
    for (int i = 0; i < until; ++i) ASSERT_TRUE(take());
    ::kill(child, SIGKILL);
    while (take()) {
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    {
      const auto ledger = start_or_throw(path);
      EXPECT_LE(ledger->found().interrupted_attempts, 16);
    }
    auto store = open_or_throw(path);
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

/// Another program with the same file open.
class Stranger {
 public:
  explicit Stranger(const std::string& path) { sqlite3_open(path.c_str(), &connection_); }
  ~Stranger() { sqlite3_close(connection_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  int run(const char* sql) { return sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr); }

 private:
  sqlite3* connection_ = nullptr;
};

// M16: a stranger holds the write lock, and another reads an old state, while 500 requests come and end: none waits, is refused or
// lost.
TEST(SqliteLedger, M16_AnotherProgramsWriteLockStopsNobody) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  std::atomic<int> acknowledged = 0, refused = 0;
  {
    const auto ledger = start_or_throw(path);
    Stranger holder(path), reader(path);
    ASSERT_EQ(reader.run("BEGIN; SELECT count(*) FROM requests"), SQLITE_OK);
    ASSERT_EQ(holder.run("BEGIN IMMEDIATE; UPDATE asks SET team = 'mine'"), SQLITE_OK);
    const auto count = [&](Result<void> result) { ++(result ? acknowledged : refused); };
    for (int i = 0; i < 500; ++i) {
      const std::string id = "r" + std::to_string(i);
      ledger->write({request_open(id), attempt_open(id)}, count);
    }
    ASSERT_TRUE(ledger->flush(sqlite_patience));
    for (int i = 0; i < 500; ++i) {
      const std::string id = "r" + std::to_string(i);
      ledger->write({attempt_settle(id), request_settle(id)}, count);
    }
    ASSERT_TRUE(ledger->flush(sqlite_patience));
    EXPECT_EQ(acknowledged, 1'000);
    EXPECT_EQ(ledger->stats().unfed_rows, 2'000u);
    EXPECT_TRUE(ledger->stats().writable);
    const auto until = std::chrono::steady_clock::now() + sqlite_patience;
    while (ledger->stats().failed_saves == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_GT(ledger->stats().failed_saves, 0u);
    ASSERT_EQ(holder.run("COMMIT"), SQLITE_OK);
    while (ledger->stats().unfed_rows > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_EQ(ledger->stats().unfed_rows, 0u);
    const auto segments = [&folder] {
      const std::filesystem::directory_iterator files(folder.file(""));
      return std::count_if(begin(files), end(files),
                           [](const auto& file) { return file.path().string().find(".journal-") != std::string::npos; });
    };
    while (segments() > 1 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_EQ(segments(), 1);  // what is fed is let go, also beside the reader
  }
  EXPECT_EQ(refused, 0);
  const auto rows = open_or_throw(path)->report({});
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).requests, 500);
  EXPECT_EQ(format_decimal(rows->at(0).usd_pico), "0.014336");
}

// The disk is full for everybody: opens are refused, settlements wait, and all is well again when there is room.
TEST(SqliteLedger, AFullDiskRefusesOpensAndLosesNothing) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  int opened = 0;
  {
    const auto ledger = start_or_throw(path);
    std::atomic<int> settled = 0;
    {
      const FullDisk full(segment_bytes - 1);  // the segment that there is has its room; there is none for another
      for (bool going = true; going;) {
        const std::string id = "r" + std::to_string(opened);
        std::atomic<int> result = 0;
        ledger->write({request_open(id), attempt_open(id)}, [&](Result<void> done) {
          result = done ? 1 : 2;
          result.notify_one();
        });
        result.wait(0);
        going = result == 1;
        if (going) ++opened;
        ASSERT_LT(opened, 10'000);
      }
      EXPECT_GT(opened, 10);
      EXPECT_FALSE(ledger->stats().writable);
      for (int i = 0; i < opened; ++i) {
        const std::string id = "r" + std::to_string(i);
        ledger->write({attempt_settle(id), request_settle(id)}, [&](Result<void> done) { settled += done ? 1 : 0; });
      }
      EXPECT_FALSE(ledger->flush(std::chrono::milliseconds(0)));
      EXPECT_EQ(settled, 0);
    }
    ASSERT_TRUE(ledger->flush(sqlite_patience));
    EXPECT_EQ(settled, opened);
    EXPECT_TRUE(ledger->stats().writable);
  }
  const auto rows = open_or_throw(path)->report({});
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).requests, opened);
  EXPECT_EQ(rows->at(0).usage.output, 40 * opened);
}

// Somebody puts a copy of the day before in its place while it is written.
TEST(SqliteLedger, WhatCameMeanwhileIsInTheJournalForAFileThatWasPutInItsPlace) {
  Folder folder;
  const std::string path = folder.file("ledger.db"), copy = folder.file("copy.db"), moved = folder.file("moved.db");
  const auto settled = [](Ledger& ledger, const std::string& id) {
    ledger.write({request_open(id), attempt_open(id), attempt_settle(id), request_settle(id)},
                 [](Result<void> done) { EXPECT_TRUE(done); });
    ASSERT_TRUE(ledger.flush(sqlite_patience));
  };
  settled(*start_or_throw(path), "before");
  std::filesystem::copy_file(path, copy);
  for (int i = 0; i < 10; ++i) settled(*start_or_throw(path), "since" + std::to_string(i));
  {
    const auto ledger = start_or_throw(path);
    std::filesystem::rename(path, moved);
    std::filesystem::rename(copy, path);
    settled(*ledger, "after");
    const auto until = std::chrono::steady_clock::now() + sqlite_patience;
    while (ledger->stats().failed_saves == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_THAT(ledger->why_save_failed(), testing::HasSubstr("another file was put in its place"));
  }
  (void)start_or_throw(path);
  const auto expect_whole = [](const std::string& file, std::int64_t requests, bool has_after) {
    const auto store = open_store("sqlite:" + file, StoreMode::read);
    const auto after = (*store)->request("after");
    EXPECT_EQ(after && *after, has_after) << file;
    const auto check = (*store)->check_chain({});
    ASSERT_TRUE(check) << check.error().detail() << ", in " << file;
    EXPECT_EQ(check->sealed, requests) << file;
    EXPECT_EQ(check->findings_count, 0) << check->findings.at(0).what << ", in " << file;
  };
  expect_whole(path, 2, true);
  expect_whole(moved, 11, false);
}

// The rows look old, as the clock was behind when they were written. What is killed is a copy of its files.
TEST(SqliteLedger, WhatTheJournalHasStaysHoweverOldItLooks) {
  const TimePoint behind = noon - std::chrono::days(50);
  const auto let_go = [](const std::string& path) {
    const auto books = open_bookkeeper("sqlite:" + path);
    const auto gone = let_old_rows_go(**books, "", std::chrono::floor<std::chrono::days>(noon) - std::chrono::days(40), noon,
                                      [](std::chrono::milliseconds) { return true; });
    return gone ? gone->requests : -1;
  };
  Folder folder, killed;
  const std::string path = folder.file("ledger.db");
  {
    const auto ledger = start_or_throw(path);
    for (const char* id : {"r1", "r2", "r3"})
      ledger->write({request_open(id, behind), attempt_open(id, 1, "deepseek", behind), attempt_settle(id), request_settle(id)},
                    [](Result<void> done) { EXPECT_TRUE(done); });
    ASSERT_TRUE(ledger->flush(sqlite_patience));
    const auto until = std::chrono::steady_clock::now() + sqlite_patience;
    while (ledger->stats().unfed_rows > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_EQ(let_go(path), 0);
    for (const auto& file : std::filesystem::directory_iterator(folder.file("")))
      std::filesystem::copy(file.path(), killed.file(file.path().filename()));
  }
  EXPECT_EQ(let_go(path), 2) << "all but the newest, once the journal is gone";
  (void)start_or_throw(killed.file("ledger.db"));
  const auto rows = open_or_throw(killed.file("ledger.db"))->report({});
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->at(0).requests, 3);
  EXPECT_EQ(let_go(killed.file("ledger.db")), 2);
}

}  // namespace
}  // namespace fairlead
