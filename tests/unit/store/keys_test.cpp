#include <fairlead/key_store.h>
#include <fairlead/store.h>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::Folder;
using test::noon;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::hours an_hour{1};

struct StoredKeys : ::testing::Test {
  Folder folder;
  std::string url = "sqlite:" + folder.file("ledger.db");
  std::unique_ptr<Store> daemon;  ///< a daemon that runs meanwhile
  StoredKeys() {
    auto opened = open_store(url, StoreMode::write);
    if (!opened) throw std::runtime_error(opened.error().message());
    daemon = std::move(*opened);
  }
  std::unique_ptr<KeyStore> open(int busy_ms_max = 100) const {
    auto store = open_key_store(url, busy_ms_max);
    if (!store) throw std::runtime_error(store.error().message());
    return std::move(*store);
  }
};

StoredKey a_key(const std::string& name, char digit, TimePoint at = noon) {
  StoredKey key;
  key.name = name;
  key.hash = "sha256:" + std::string(64, digit);
  key.options = R"({"routes":["chat"]})";
  key.created_at = at;
  key.created_by = "ann";
  key.note = "for the shop";
  return key;
}

std::string hashes_that_hold(KeyStore& store, TimePoint at) {
  std::string digits;
  for (const StoredKey& key : *store.all())
    if (holds(key, at)) digits += key.hash.back();
  return digits;
}

TEST_F(StoredKeys, AreThereForWhoeverOpensTheLedger) {
  ASSERT_TRUE(open()->add(a_key("shop", '1')));
  const auto rows = *open()->all();
  ASSERT_EQ(rows.size(), 1U);
  const StoredKey& key = rows.front();
  EXPECT_EQ(key.name, "shop");
  EXPECT_EQ(key.hash, "sha256:" + std::string(64, '1'));
  EXPECT_EQ(key.options, R"({"routes":["chat"]})");
  EXPECT_EQ(key.created_at, noon);
  EXPECT_EQ(key.created_by + "/" + key.note, "ann/for the shop");
  EXPECT_TRUE(holds(key, noon));
}

TEST_F(StoredKeys, TellOfAChangeByWhomever) {
  const auto watcher = open(), other = open();
  std::int64_t seen = *watcher->version();
  EXPECT_EQ(*watcher->version(), seen);
  const auto expect_change = [&](const char* what) {
    EXPECT_NE(*watcher->version(), seen) << what;
    seen = *watcher->version();
  };
  ASSERT_TRUE(other->add(a_key("shop", '1')));
  expect_change("add");
  ASSERT_TRUE(other->replace(a_key("shop", '2'), noon + an_hour));
  expect_change("replace");
  ASSERT_TRUE(other->revoke("shop", noon, "ben", "lost"));
  expect_change("revoke");
  sqlite3* stranger = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file("ledger.db").c_str(), &stranger), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(stranger, "DELETE FROM keys", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(stranger);
  expect_change("a person's own SQL");
}

TEST_F(StoredKeys, HaveOneCurrentSecretAName) {
  const auto store = open();
  ASSERT_TRUE(store->add(a_key("shop", '1')));
  const auto again = store->add(a_key("shop", '2'));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::bad_request);
  EXPECT_THAT(again.error().message(), HasSubstr("'shop'"));
  EXPECT_EQ(hashes_that_hold(*store, noon), "1");
}

TEST_F(StoredKeys, HoldForTheirGraceAfterTheyWereReplaced) {
  const auto store = open();
  ASSERT_TRUE(store->add(a_key("shop", '1')));
  StoredKey fresh = a_key("shop", '2');
  fresh.options = "";  // it gets those of the one before
  ASSERT_TRUE(store->replace(fresh, noon + an_hour));
  EXPECT_EQ(hashes_that_hold(*store, noon), "12");
  EXPECT_EQ(hashes_that_hold(*store, noon + an_hour), "2");
  EXPECT_EQ(store->all()->back().options, R"({"routes":["chat"]})");
  EXPECT_EQ(store->replace(a_key("none", '3'), noon).error().kind, ErrorKind::not_found);
}

TEST_F(StoredKeys, OutliveNoSecretThatCameAfterThem) {
  const auto store = open();
  ASSERT_TRUE(store->add(a_key("shop", '1')));
  ASSERT_TRUE(store->replace(a_key("shop", '2'), noon + 24 * an_hour));
  ASSERT_TRUE(store->replace(a_key("shop", '3'), noon + an_hour));
  EXPECT_EQ(hashes_that_hold(*store, noon), "123");
  EXPECT_EQ(hashes_that_hold(*store, noon + an_hour), "3");
  ASSERT_TRUE(store->replace(a_key("shop", '4'), noon));  // without a grace
  EXPECT_EQ(hashes_that_hold(*store, noon), "4");
  EXPECT_EQ(store->all()->front().replaced_at, noon);
}

TEST_F(StoredKeys, HaveNotesThatFitALine) {
  const auto store = open();
  StoredKey key = a_key("shop", '1');
  key.note = std::string(501, 'x');
  const auto added = store->add(key);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::bad_request);
  EXPECT_THAT(added.error().message(), HasSubstr("the note has 501 bytes, and may have 500"));
  key.note.pop_back();
  ASSERT_TRUE(store->add(key));
  key = a_key("shop", '2');
  key.note = std::string(501, 'x');
  EXPECT_FALSE(store->replace(key, noon));
  EXPECT_FALSE(store->revoke("shop", noon, "ben", std::string(501, 'x')));
  EXPECT_EQ(hashes_that_hold(*store, noon), "1");
}

TEST_F(StoredKeys, EndAtOnceWhenTheyAreRevokedTheirFormerSecretsToo) {
  const auto store = open();
  ASSERT_TRUE(store->add(a_key("shop", '1')));
  ASSERT_TRUE(store->replace(a_key("shop", '2'), noon + an_hour));
  ASSERT_TRUE(store->add(a_key("other", '3')));
  ASSERT_TRUE(store->revoke("shop", noon, "ben", "lost"));
  EXPECT_EQ(hashes_that_hold(*open(), noon), "3");
  EXPECT_EQ(store->revoke("shop", noon, "ben", "").error().kind, ErrorKind::not_found);
  EXPECT_EQ(store->revoke("none", noon, "ben", "").error().kind, ErrorKind::not_found);
}

TEST_F(StoredKeys, StayAsTheirOwnAuditTrailAndANameCanBeUsedAgain) {
  const auto store = open();
  ASSERT_TRUE(store->add(a_key("shop", '1')));
  ASSERT_TRUE(store->revoke("shop", noon + an_hour, "ben", "lost"));
  ASSERT_TRUE(store->add(a_key("shop", '2', noon + 2 * an_hour)));
  const auto rows = *store->all();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].revoked_at, noon + an_hour);
  EXPECT_EQ(rows[0].revoked_by + "/" + rows[0].revoked_because, "ben/lost");
  EXPECT_FALSE(rows[1].revoked_at);
  EXPECT_EQ(hashes_that_hold(*store, noon + 2 * an_hour), "2");
}

TEST_F(StoredKeys, AreReadWhileAnotherProgramHoldsTheWriteLock) {
  const auto store = open();
  ASSERT_TRUE(store->add(a_key("shop", '1')));
  sqlite3* stranger = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file("ledger.db").c_str(), &stranger), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(stranger, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(store->version());
  EXPECT_EQ(hashes_that_hold(*store, noon), "1");
  EXPECT_EQ(store->revoke("shop", noon, "ben", "").error().kind, ErrorKind::ledger_unavailable);
  sqlite3_exec(stranger, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(stranger);
  EXPECT_TRUE(store->revoke("shop", noon, "ben", ""));
}

TEST_F(StoredKeys, KnowWhenTheyWereUsedLast) {
  RequestRecord first, last;
  first.open = test::request_open("r1", noon);
  last.open = test::request_open("r2", noon + an_hour);
  struct Source final : RecordSource {
    std::vector<const RequestRecord*> records;
    std::size_t at = 0;
    const RequestRecord* next() override { return at < records.size() ? records[at++] : nullptr; }
  } source;
  source.records = {&first, &last};
  ASSERT_TRUE(daemon->save(source));
  const auto used = *open()->last_used();
  EXPECT_THAT(used, ElementsAre(std::pair(std::string("checkout"), noon + an_hour)));
}

/// What another process finds there: SQLite's lock of connections on a database in WAL mode, at its byte for shared locks.
bool others_see_a_lock(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000 + 2;
    lock.l_len = 510;
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ::_exit(file >= 0 && ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

// Else the next program that closes the ledger takes itself for the last one, and removes the write-ahead log under the daemon.
TEST_F(StoredKeys, AndReadersInTheDaemonsOwnProcessLeaveItsLocksAlone) {
  ASSERT_TRUE(daemon->request("last"));  // the lock is taken with the first look, and kept
  ASSERT_TRUE(others_see_a_lock(folder.file("ledger.db")));
  const auto keys = open();
  EXPECT_TRUE(others_see_a_lock(folder.file("ledger.db")));
  ASSERT_TRUE(open_store(url, StoreMode::read));
  EXPECT_TRUE(others_see_a_lock(folder.file("ledger.db")));
  ASSERT_FALSE(open_store(url, StoreMode::write));
  EXPECT_TRUE(others_see_a_lock(folder.file("ledger.db")));
}

TEST(StoredKeysOfNoLedger, AreRefusedAndNothingIsCreated) {
  Folder folder;
  const auto store = open_key_store("sqlite:" + folder.file("none.db"), 100);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message(), HasSubstr("none.db"));
  EXPECT_FALSE(std::filesystem::exists(folder.file("none.db")));
  EXPECT_EQ(open_key_store("redis:x", 100).error().kind, ErrorKind::config);
}

}  // namespace
}  // namespace fairlead
