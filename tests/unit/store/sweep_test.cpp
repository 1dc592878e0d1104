// What recurs in lines goes when no line has it any more, and never before, whoever writes meanwhile.
#include "store/sqlite/sweep.h"

#include <fairlead/bookkeeper.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "unit/store/full_disk.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

using std::chrono::days;
using test::Folder;
using test::noon;

constexpr const char* refers[][3] = {
    {"lines", "ask", "asks"},         {"lines", "ending", "endings"},     {"lines", "terms", "terms"},
    {"lines", "outcome", "outcomes"}, {"lines", "content", "texts"},      {"lines", "facts", "texts"},
    {"retries", "terms", "terms"},    {"retries", "outcome", "outcomes"}, {"asks", "plan", "texts"},
    {"terms", "price", "texts"},      {"outcomes", "price", "texts"}};

/// A request of which much is one of `kinds`.
RequestRecord request_of_kind(const std::string& id, TimePoint at, int kind, bool ended = true, bool retried = false) {
  const std::string text = std::to_string(kind);
  RequestOpen open = test::request_open(id, at);
  open.key = "key-" + text;
  open.plan = "plan-" + text;
  open.content = kind % 3 == 0 ? "" : "content-" + text;
  open.facts = kind % 2 == 0 ? "" : "facts-" + text;
  std::vector<RequestRecord::Attempt> attempts;
  for (int number = 1; number <= (retried ? 2 : 1); ++number) {
    AttemptOpen sent = test::attempt_open(id, number, "provider-" + std::to_string(kind + number), at);
    sent.price = "price-" + std::to_string(kind + number);
    AttemptSettle settle = test::attempt_settle(id, number);
    settle.price = "billed-" + text;
    settle.reported_model = "model-" + text;
    attempts.push_back(ended || number == 1 ? test::settled_attempt(sent, settle) : test::open_attempt(sent));
  }
  RequestSettle settle = test::request_settle(id, static_cast<int>(attempts.size()));
  settle.target = "target-" + text;
  return ended ? test::record_of(open, attempts, settle) : test::record_of(open, attempts);
}

/// All that rows of dictionaries say of a request.
std::string told_of(const RequestRecord& record) {
  std::string text = record.open.id + " " + record.open.key + " " + record.open.plan + " " + record.open.content + " " +
                     record.open.facts + " " + record.settle.target;
  for (const auto& attempt : record.attempts)
    text += " " + attempt.open.provider + " " + (attempt.state == RowState::open ? attempt.open.price : attempt.settle.price) +
            " " + attempt.settle.reported_model;
  return text;
}

class SweepTest : public testing::Test {
 protected:
  SweepTest() { open(); }

  void open() {
    store_.reset();
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    store_ = std::move(*store);
  }
  std::string path() const { return folder_.file("ledger.db"); }
  std::string url() const { return "sqlite:" + path(); }
  std::unique_ptr<Bookkeeper> books() const { return std::move(*open_bookkeeper(url())); }

  void save(const RequestRecord& record) {
    const auto saved = test::save(*store_, {record});
    ASSERT_TRUE(saved) << saved.error().message() << saved.error().detail();
    saved_.insert_or_assign(record.open.id, told_of(record));
  }
  /// Rows of all days that ended before.
  void remove_before(Bookkeeper& books, TimePoint until) {
    for (auto rows = books.old_rows(until); rows && *rows; rows = books.old_rows(until)) {
      ASSERT_TRUE(books.let_go(**rows, "", until));
      for (auto removed = books.remove(1'000); removed && *removed > 0;) removed = books.remove(1'000);
    }
  }
  static Result<void> sweep_all(Bookkeeper& books, std::int64_t rows_max = 3) {
    for (;;) {
      const auto more = books.sweep(rows_max);
      if (!more) return more.error();
      if (!*more) return {};
    }
  }
  std::int64_t count(const std::string& query) const {
    auto database = sqlite::Database::open(path(), SQLITE_OPEN_READWRITE);
    const auto number = database->integer("SELECT count(*) FROM " + query);
    return number ? *number : -1;
  }
  /// Nothing refers to what is not there, and each request that is there says what it said.
  void verify() {
    for (const auto& [from, column, to] : refers)
      ASSERT_EQ(count(std::string(from) + " WHERE " + column + " > 0 AND " + column + " NOT IN (SELECT id FROM " + to + ")"), 0)
          << from << "." << column;
    for (auto next = saved_.begin(); next != saved_.end();) {
      const auto request = store_->request(next->first);
      ASSERT_TRUE(request);
      if (*request) {
        ASSERT_EQ(told_of(**request), next->second);
      }
      next = *request ? std::next(next) : saved_.erase(next);  // it was removed
    }
    ASSERT_EQ(static_cast<std::int64_t>(saved_.size()), count("requests"));
    const auto check = store_->check_chain({});
    ASSERT_TRUE(check);
    ASSERT_EQ(check->findings_count, 0) << check->findings.at(0).what;
  }
  std::int64_t rows_of_dictionaries() const {
    return count("asks") + count("endings") + count("terms") + count("outcomes") + count("texts");
  }

  Folder folder_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::string> saved_;
};

TEST_F(SweepTest, TakesWhatOnlyRemovedLinesHad) {
  for (int i = 0; i < 20; ++i) save(request_of_kind("old-" + std::to_string(i), noon - days(50), i, true, i % 4 == 0));
  for (int i = 0; i < 5; ++i) save(request_of_kind("new-" + std::to_string(i), noon, i));
  save(request_of_kind("open", noon, 9, false, true));
  save(request_of_kind("last", noon, 30));
  const auto books = this->books();
  const std::int64_t before = rows_of_dictionaries();
  ASSERT_TRUE(sweep_all(*books));
  EXPECT_EQ(rows_of_dictionaries(), before) << "all of it has a line";
  const auto report = store_->report({{"key", "target"}, {}, {}})->size();
  remove_before(*books, noon);
  EXPECT_EQ(rows_of_dictionaries(), before);
  ASSERT_TRUE(sweep_all(*books));
  EXPECT_EQ(count("asks"), 7);
  EXPECT_EQ(count("asks WHERE key IN ('key-0', 'key-4', 'key-9', 'key-30')"), 4);
  EXPECT_EQ(count("terms"), 8);
  EXPECT_EQ(count("texts WHERE text LIKE 'plan-%'"), 7);
  EXPECT_EQ(count("texts WHERE text = 'price-11'"), 1) << "of the open retry";
  EXPECT_EQ(count("texts WHERE text = 'price-14'"), 0);
  EXPECT_EQ(count("endings WHERE id = 0") + count("outcomes WHERE id = 0"), 2) << "which say that something is open";
  EXPECT_EQ(store_->report({{"key", "target"}, {}, {}})->size(), report);
  verify();
}

/// The store has stored these values before, and remembers where. They are gone with their lines, so it must store them again.
TEST_F(SweepTest, AWriterRefersToNothingThatItTook) {
  const auto books = this->books();
  for (int round = 0; round < 6; ++round) {
    const TimePoint at = noon + days(2 * round);
    for (int kind = 0; kind < 3; ++kind) save(request_of_kind("r" + std::to_string(10 * round + kind), at, kind));
    save(request_of_kind("other" + std::to_string(round), at + days(1), 90));
    verify();
    remove_before(*books, at + days(1));
    ASSERT_TRUE(sweep_all(*books));
    EXPECT_EQ(count("asks WHERE key LIKE 'key-_'"), 0);
    verify();
  }
}

TEST_F(SweepTest, ASweepEndsThoughAnotherTookTheLastRowThatItWasToLookAt) {
  for (int i = 0; i < 5; ++i) save(request_of_kind("old-" + std::to_string(i), noon - days(50), i));
  const auto one = books(), other = books();
  ASSERT_TRUE(*one->sweep(3));  // has looked how far it will go
  save(request_of_kind("new", noon, 30));
  remove_before(*other, noon);
  ASSERT_TRUE(sweep_all(*other));
  int steps = 0;
  for (auto more = one->sweep(3); more && *more; more = one->sweep(3)) ASSERT_LT(++steps, 100);
  EXPECT_EQ(count("asks"), 1);
  verify();
}

TEST_F(SweepTest, WhateverIsDoneMeanwhileEachRequestSaysWhatItSaid) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    std::mt19937 random(seed);
    const auto one_of = [&](int count) { return std::uniform_int_distribution<int>(0, count - 1)(random); };
    const std::string name = "s" + std::to_string(seed) + "-";
    std::array<std::unique_ptr<Bookkeeper>, 2> both{books(), books()};
    std::map<std::string, std::pair<TimePoint, int>> open_ones;
    TimePoint clock = noon + days(100 * seed);
    int swept = 0;
    std::int64_t rows_before = 0;
    for (int step = 0; step < 400; ++step) {
      clock += std::chrono::minutes(one_of(300));
      if (const int what = one_of(10); what < 4) {
        const std::string id = name + std::to_string(step);
        const int kind = one_of(12);
        const bool ended = one_of(10) > 0;
        save(request_of_kind(id, clock, kind, ended, one_of(4) == 0));
        if (!ended) open_ones[id] = {clock, kind};
      } else if (what == 4 && !open_ones.empty()) {
        const auto [id, begun] = *open_ones.begin();
        save(request_of_kind(id, begun.first, begun.second, true, true));
        open_ones.erase(open_ones.begin());
      } else if (what == 5) {
        RequestRecord impossible = request_of_kind("impossible", clock, 50 + step);
        impossible.attempts.at(0).settle.usd_pico = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
        EXPECT_FALSE(test::save(*store_, {impossible}));
      } else if (what == 6) {
        remove_before(*both.at(0), clock - days(1));
      } else if (what == 7 && one_of(20) == 0) {
        open();
      } else {
        for (int steps = one_of(8); steps > 0; --steps) ASSERT_TRUE(both.at(static_cast<std::size_t>(one_of(2)))->sweep(20));
      }
      const std::int64_t rows = rows_of_dictionaries();
      swept += rows < rows_before;
      rows_before = rows;
      if (step % 20 == 0) verify();
    }
    for (const auto& [id, begun] : open_ones) save(request_of_kind(id, begun.first, begun.second));
    save(request_of_kind(name + "last", clock + days(10), 1));
    remove_before(*both.at(0), clock + days(9));
    ASSERT_TRUE(sweep_all(*books()));
    EXPECT_GT(swept, 20);
    EXPECT_LE(count("asks"), 2) << "one that has a line, and the last, if it is another";
    verify();
  }
}

TEST_F(SweepTest, WhereverItFailsNothingIsLostAndTheNextOneDoesAll) {
  for (int i = 0; i < 300; ++i) save(request_of_kind("old-" + std::to_string(i), noon - days(50), i));
  for (int i = 0; i < 3; ++i) save(request_of_kind("new-" + std::to_string(i), noon, i));
  remove_before(*books(), noon);
  int failed = 0;
  for (std::size_t room = 4'096;; room += 4'096) {
    {  // an empty log, which is all that grows
      auto database = sqlite::Database::open(path(), SQLITE_OPEN_READWRITE);
      ASSERT_TRUE(database->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
    const bool done = [&] {
      const test::FullDisk full(room);
      return sweep_all(*books(), 40).has_value();
    }();
    verify();
    if (done) break;
    ++failed;
    ASSERT_LT(failed, 200);
  }
  EXPECT_GT(failed, 3);
  EXPECT_EQ(count("asks"), 4) << "three that have lines, and the last";
}

}  // namespace
}  // namespace fairlead
