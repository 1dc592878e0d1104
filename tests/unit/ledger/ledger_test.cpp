#include "ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <limits>
#include <random>
#include <thread>

#include "ledger/segment.h"
#include "unit/ledger/memory_books.h"

namespace fairlead {
namespace {

using namespace std::chrono_literals;
using test::always;
using test::attempt_open;
using test::attempt_settle;
using test::Books;
using test::never;
using test::noon;
using test::patience;
using test::quick;
using test::request_open;
using test::request_settle;
using test::with;

TEST(Ledger, AcknowledgesWhatIsDurableAndFeedsTheStore) {
  Books books;
  books.open("r1");
  EXPECT_EQ(books.answers.of("open r1"), true);
  books.settle("r1");
  EXPECT_EQ(books.answers.of("settle r1"), true);
  EXPECT_TRUE(books.ledger->flush(patience));
  books.await_fed();  // at once, since there is no load
  const LedgerStats stats = books.ledger->stats();
  EXPECT_EQ(stats.commits, 2u);
  EXPECT_EQ(stats.rows, 4u);
  EXPECT_EQ(stats.queued, 0u);
  EXPECT_TRUE(stats.writable);
  books.close();
  EXPECT_EQ(books.state("r1"), RowState::settled);
  EXPECT_EQ(books.attempt_state("r1"), RowState::settled);
  EXPECT_EQ(books.saved.durable.size(), 1u);
}

TEST(Ledger, CommitsInGroupsWhatCameMeanwhile) {
  Books books(with([](LedgerLimits& limits) { limits.commit_writes_max = 20; }));
  books.hold_commit();
  for (int i = 0; i < 25; ++i) books.open("r" + std::to_string(i));
  EXPECT_EQ(books.ledger->stats().queued, 50u);
  EXPECT_FALSE(books.ledger->flush(0ms));
  books.files.release();
  EXPECT_TRUE(books.ledger->flush(patience));
  EXPECT_EQ(books.ledger->stats().commits, 4u);  // 2, 20, 20, 10
}

TEST(Ledger, WritesAtOnceWhatNobodySeesTheEndOf) {
  Books books;
  const auto at_once = [&](std::vector<Write> writes) { return test::write_at_once(*books.ledger, std::move(writes)); };
  EXPECT_TRUE(at_once({request_open("r1"), attempt_open("r1")}));
  EXPECT_TRUE(at_once({attempt_settle("r1"), attempt_open("r1", 2, "qwen")}));
  EXPECT_FALSE(at_once({attempt_settle("r1", 2), request_settle("r1", 2)}));  // it waits for the disk
  EXPECT_EQ(books.ledger->stats().unfed_rows, 0u);
  books.ledger->commit();
  ASSERT_TRUE(books.ledger->flush(patience));
  EXPECT_EQ(books.ledger->stats().commits, 1u);
  EXPECT_EQ(books.ledger->stats().rows, 4u);
  books.hold_commit();
  EXPECT_TRUE(at_once({request_open("r2"), attempt_open("r2")}));  // while the disk is slow too
  books.files.release();
  books.close();
  EXPECT_EQ(books.attempt_state("r1", 1), RowState::settled);
  EXPECT_EQ(books.attempt_state("r1", 2), RowState::open);
  EXPECT_EQ(books.attempt_state("r2"), RowState::open);
}

TEST(Ledger, WithoutTheDiskAllIsWrittenAtOnce) {
  Books books(with([](LedgerLimits& limits) { limits.sync = Sync::os; }));
  for (const std::vector<Write>& writes :
       {std::vector<Write>{request_open("r1"), attempt_open("r1")}, {attempt_settle("r1"), request_settle("r1")}})
    EXPECT_TRUE(test::write_at_once(*books.ledger, writes));
  books.await_fed();
  EXPECT_EQ(books.ledger->stats().rows, 4u);
  books.close();
  EXPECT_EQ(books.state("r1"), RowState::settled);
}

// The disk fails after rows were acknowledged: they are written again before anything that follows from them.
TEST(Ledger, WhatWasAcknowledgedAndDidNotReachTheDiskIsWrittenAgain) {
  Books books;
  books.hold_commit();
  books.at_once = true;
  for (int i = 0; i < 8; ++i) books.open("r" + std::to_string(i));
  for (int i = 0; i < 8; ++i) books.settle("r" + std::to_string(i));
  books.disk.set([](int number) { return number == 1; });  // the sync that is held
  books.files.release();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(books.answers.of("settle r" + std::to_string(i)), true);
  books.close();
  EXPECT_EQ(books.saved.durable.size(), 9u);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(books.attempt_state("r" + std::to_string(i)), RowState::settled);
  EXPECT_EQ(books.state("held"), RowState::open);
  EXPECT_THAT(books.saved.wrong, testing::IsEmpty());
}

// Of two syncs at a time the system tells one alone that the disk failed: the other is that of a caller whose write failed.
TEST(Ledger, WhatTheDiskDidNotTakeIsWrittenAgainThoughASyncBesideItSucceeded) {
  Books books(with([](LedgerLimits& limits) { limits.close_ms_max = 1ms; }));
  books.store_faults.set(always);  // all there is of a row is in the journal
  books.hold_commit();
  EXPECT_TRUE(test::write_at_once(*books.ledger, {request_open("r1"), attempt_open("r1")}));
  books.disk.set([](int number) { return number == 1 || number == 3; });  // the write of r2, and the sync that is held
  std::thread caller([&] { EXPECT_FALSE(test::write_at_once(*books.ledger, {request_open("r2"), attempt_open("r2")})); });
  books.files.await_sync(2);
  books.files.release();
  caller.join();
  books.await([&] { return books.ledger->stats().failed_commits == 1; });
  ASSERT_TRUE(books.ledger->flush(patience));
  books.disk.set(always);
  books.ledger.reset();
  std::mt19937 random(1);
  books.files.lose_power(random);
  books.disk.set(never);
  books.store_faults.set(never);
  const auto again =
      Ledger::start(std::make_unique<test::MemoryStore>(books.store_faults, books.saved), noon, quick(), books.files);
  ASSERT_TRUE(again);
  EXPECT_TRUE(books.has("held"));
  EXPECT_TRUE(books.has("r1"));
  EXPECT_FALSE(books.has("r2"));
}

/// As after a death: the next start takes what the files have, with a disk and a store that are sound.
std::unique_ptr<Ledger> start_again(Books& books) {
  books.disk.set(always);
  books.ledger.reset();
  books.disk.set(never);
  books.store_faults.set(never);
  auto again = Ledger::start(std::make_unique<test::MemoryStore>(books.store_faults, books.saved), noon, quick(), books.files);
  EXPECT_TRUE(again);
  return again ? std::move(*again) : nullptr;
}

// Files that follow can be begun, and take no frame.
TEST(Ledger, TheFileThatHasWhatWasDroppedStaysUntilThatIsWrittenAgain) {
  Books books(with([](LedgerLimits& limits) { limits.close_ms_max = 0ms; }));
  for (const char* id : {"r1", "r2", "r3"}) EXPECT_TRUE(test::write_at_once(*books.ledger, {request_open(id), attempt_open(id)}));
  const std::string first = books.files.names().front();
  books.files.refuse_frames();
  books.disk.set([](int number) { return number == 1; });
  books.ledger->commit();
  books.await([&] { return books.ledger->stats().failed_commits >= 50 || books.files.names().front() != first; });
  EXPECT_EQ(books.files.names().front(), first);
  const auto again = start_again(books);
  for (const char* id : {"r1", "r2", "r3"}) EXPECT_TRUE(books.has(id)) << id;
}

// A write that took long: for a while no caller waits for the disk.
TEST(Ledger, ASlowDiskSendsAllThroughTheQueue) {
  Books books(with([](LedgerLimits& limits) { limits.at_once_us_max = std::chrono::microseconds(-1); }));
  EXPECT_TRUE(test::write_at_once(*books.ledger, {request_open("r1")}));
  EXPECT_FALSE(test::write_at_once(*books.ledger, {request_open("r2")}));
}

TEST(Ledger, ARequestUnderWayIsInTheStoreAfterAWhile) {
  Books books(with([](LedgerLimits& limits) { limits.open_ms_max = limits.feed_ms_max = 1ms; }));
  books.open_durably("r1");
  books.await_fed();
  books.write("second", {attempt_settle("r1"), attempt_open("r1", 2, "qwen")});
  EXPECT_EQ(books.answers.of("second"), true);
  ASSERT_TRUE(books.ledger->flush(patience));
  books.await_fed();
  books.write("end", {attempt_settle("r1", 2), request_settle("r1", 2)});
  EXPECT_EQ(books.answers.of("end"), true);
  books.await_fed();
  EXPECT_GE(books.saved.saves, 3);
  books.close();
  EXPECT_EQ(books.state("r1"), RowState::settled);
  EXPECT_EQ(books.attempt_state("r1", 2), RowState::settled);
}

// M15: call k of n fails, for each k, and so do those after it. Every settlement is there once, every open is there or was refused.
TEST(Ledger, M15_LosesAndDoublesNoRowWhicheverCallFails) {
  constexpr int requests = 12;
  for (int k = 1; k <= 4 * requests; ++k) {
    for (const int failures : {1, 3, 8, -1, -3, -8}) {
      Books books(with([](LedgerLimits& limits) { limits.segment_bytes = 2'048; }));
      books.at_once = failures < 0;
      const auto rule = [=](int number) { return number >= k && number < k + std::abs(failures); };
      books.disk.set(rule);
      books.store_faults.set(rule);
      std::vector<std::string> opened, refused;
      for (int i = 0; i < requests; ++i) {
        const std::string id = "r" + std::to_string(i);
        books.open(id);
        if (i % 3 != 0) {  // now and then two entries share a commit
          const auto answer = books.answers.of("open " + id);
          ASSERT_TRUE(answer.has_value());
          if (*answer) books.settle(id);
          (*answer ? opened : refused).push_back(id);
        }
      }
      ASSERT_TRUE(books.ledger->flush(patience));
      for (const std::string& id : opened) EXPECT_EQ(books.answers.of("settle " + id), true);
      books.disk.set(never);
      books.store_faults.set(never);
      books.close();
      for (const std::string& id : opened) {
        ASSERT_TRUE(books.has(id)) << id << " with call " << k << " failing, " << failures;
        EXPECT_EQ(books.state(id), RowState::settled);
        EXPECT_EQ(books.attempt_state(id), RowState::settled);
      }
      for (const std::string& id : refused) EXPECT_FALSE(books.has(id)) << id << " with call " << k << " failing";
      EXPECT_THAT(books.saved.wrong, testing::IsEmpty()) << "with call " << k << " failing";
    }
  }
}

TEST(Ledger, SplitsAFailedGroupIntoRefusedOpensAndKeptSettlements) {
  Books books;
  books.open_durably("r1");
  books.open_durably("r2");
  books.hold_commit();
  books.disk.set(always);
  books.settle("r1");
  books.open("r3");
  books.write("retry r2", {attempt_settle("r2", 1), attempt_open("r2", 2, "qwen")});
  books.write("refused r4", {request_open("r4"), request_settle("r4", 0)});
  books.files.release();
  EXPECT_EQ(books.answers.of("open held"), true);  // before the disk failed
  EXPECT_EQ(books.answers.of("open r3"), false);
  EXPECT_EQ(books.answers.of("retry r2"), false);
  EXPECT_EQ(books.answers.of("refused r4"), false);
  books.disk.set(never);
  EXPECT_EQ(books.answers.of("settle r1"), true);
  ASSERT_TRUE(books.ledger->flush(patience));
  books.write("end of r2", {request_settle("r2", 2)});
  EXPECT_EQ(books.answers.of("end of r2"), true);
  books.close();
  EXPECT_EQ(books.state("r1"), RowState::settled);
  EXPECT_EQ(books.attempt_state("r2"), RowState::settled);
  EXPECT_EQ(books.saved.requests.at("r2").attempts.size(), 1u);
  EXPECT_EQ(books.state("held"), RowState::open);
  EXPECT_FALSE(books.has("r3"));
  EXPECT_FALSE(books.has("r4"));
}

TEST(Ledger, RefusesOpensWhileTheJournalCannotBeWrittenAndComesBackByItself) {
  Books books;
  books.open_durably("r1");
  books.disk.set(always);
  books.open("r2");
  EXPECT_EQ(books.answers.of("open r2"), false);
  EXPECT_FALSE(books.ledger->stats().writable);
  books.settle("r1");
  books.open("r3");
  EXPECT_EQ(books.answers.of("open r3"), false);
  EXPECT_EQ(books.answers.calls("settle r1"), 0);  // kept
  EXPECT_EQ(books.ledger->stats().queued, 2u);

  books.disk.set(never);
  EXPECT_EQ(books.answers.of("settle r1"), true);
  EXPECT_TRUE(books.ledger->stats().writable);
  books.open_durably("r4");
}

TEST(Ledger, AProbeBringsItBackWithoutTraffic) {
  Books books;
  books.disk.set([](int number) { return number <= 8; });
  books.open("r1");
  EXPECT_EQ(books.answers.of("open r1"), false);
  books.await([&] { return books.ledger->stats().writable; });
  ASSERT_TRUE(books.ledger->flush(patience));
  books.open_durably("r2");
}

TEST(Ledger, AStoreThatIsAwayStopsNoTraffic) {
  Books books(with([](LedgerLimits& limits) { limits.segment_bytes = 2'048; }));
  books.store_faults.set(always);
  for (int i = 0; i < 50; ++i) {
    books.open_durably("r" + std::to_string(i));
    books.settle("r" + std::to_string(i));
  }
  ASSERT_TRUE(books.ledger->flush(patience));
  books.await([&] { return books.ledger->stats().failed_saves > 3; });
  LedgerStats stats = books.ledger->stats();
  EXPECT_TRUE(stats.writable);
  EXPECT_EQ(stats.unfed_rows, 200u);
  EXPECT_EQ(stats.rows, 200u);
  EXPECT_EQ(stats.refused_rows, 0u);
  EXPECT_GT(stats.journal_bytes, 3 * 2'048u);
  EXPECT_EQ(books.ledger->why_save_failed(), "locked");
  books.store_faults.set(never);
  books.await_fed();
  books.await([&] { return books.ledger->stats().journal_bytes == 2'048; });  // what the store has is let go
  books.close();
  EXPECT_EQ(books.saved.durable.size(), 50u);
}

TEST(Ledger, AFullJournalRefusesOpensUntilTheStoreIsBack) {
  Books books(with([](LedgerLimits& limits) {
    limits.segment_bytes = 2'048;
    limits.journal_bytes_max = 6'144;
  }));
  books.open_durably("r");
  books.store_faults.set(always);
  int opened = 0;
  for (bool going = true; going; ++opened) {
    const std::string id = "r" + std::to_string(opened);
    books.open(id);
    const auto answer = books.answers.of("open " + id);
    ASSERT_TRUE(answer.has_value());
    going = *answer;
    ASSERT_LT(opened, 1'000);
  }
  EXPECT_FALSE(books.ledger->stats().writable);
  books.settle("r");
  EXPECT_EQ(books.answers.of("settle r"), true);  // settlements are always taken
  books.store_faults.set(never);
  books.await([&] { return books.ledger->stats().writable; });
  books.open_durably("again");
  books.close();
  EXPECT_EQ(books.saved.durable.size(), 1u + static_cast<std::size_t>(opened));  // `again`, and all but the refused one
}

TEST(Ledger, ASettlementBesideAnOpenThatIsRefusedIsKept) {
  Books queue(with([](LedgerLimits& limits) { limits.queue_writes_max = 2; }));
  queue.open_durably("r1");
  queue.hold_commit();
  queue.open("r3");
  queue.write("second", {attempt_settle("r1"), attempt_open("r1", 2, "qwen")});
  EXPECT_EQ(queue.answers.of("second"), false);
  queue.files.release();
  ASSERT_TRUE(queue.ledger->flush(patience));
  queue.close();
  EXPECT_EQ(queue.attempt_state("r1"), RowState::settled);

  Books journal(with([](LedgerLimits& limits) {
    limits.segment_bytes = 2'048;
    limits.journal_bytes_max = 6'144;
  }));
  journal.open_durably("r1");
  journal.store_faults.set(always);
  for (int opened = 0;; ++opened) {
    const std::string id = "other" + std::to_string(opened);
    journal.open(id);
    if (journal.answers.of("open " + id) == false) break;
    ASSERT_LT(opened, 1'000);
  }
  journal.write("second", {attempt_settle("r1"), attempt_open("r1", 2, "qwen")});
  EXPECT_EQ(journal.answers.of("second"), false);
  journal.store_faults.set(never);
  journal.close();
  EXPECT_EQ(journal.attempt_state("r1"), RowState::settled);
}

/// No number of the journal holds such a sum.
std::vector<Write> poison() {
  AttemptOpen dear = attempt_open("poison");
  dear.reserved_usd_pico = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
  return {request_open("poison"), dear};
}

TEST(Ledger, ARowThatCanNeverBeWrittenHurtsNoOther) {
  Books books;
  books.open_durably("r1");
  books.hold_commit();
  books.settle("r1");
  books.write("open poison", poison());
  books.open("r3");
  books.files.release();
  EXPECT_EQ(books.answers.of("settle r1"), true);
  EXPECT_EQ(books.answers.of("open poison"), false);
  EXPECT_EQ(books.answers.of("open r3"), true);
  ASSERT_TRUE(books.ledger->flush(patience));
  const LedgerStats stats = books.ledger->stats();
  EXPECT_TRUE(stats.writable);
  EXPECT_EQ(stats.refused_rows, 2u);
  EXPECT_EQ(stats.queued, 0u);
  books.close();
  EXPECT_FALSE(books.has("poison"));
  EXPECT_TRUE(books.has("r3"));
}

// The process dies at call k after a sync that failed, with a row beside what was dropped that can never be written.
TEST(Ledger, ARowThatCanNeverBeWrittenTearsNothingApartThatWasDropped) {
  for (int death = 2; death <= 30; ++death) {
    Books books(with([](LedgerLimits& limits) { limits.close_ms_max = 0ms; }));
    books.store_faults.set(always);  // all there is of a row is in the journal
    books.hold_commit();
    for (const char* id : {"r1", "r2", "r3"}) EXPECT_TRUE(test::write_at_once(*books.ledger, {request_open(id), attempt_open(id)}));
    AttemptSettle dear = attempt_settle("held");
    dear.charge_usd_pico = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
    books.write("settle held", {dear, request_settle("held")});
    books.disk.set([death](int call) { return call == 1 || call >= death; });
    books.files.release();
    books.await([&] {
      const bool refused = books.answers.calls("settle held") > 0;
      const std::lock_guard lock(books.disk.mutex);
      return refused || books.disk.calls >= death;
    });
    const auto again = start_again(books);
    for (const char* id : {"held", "r1", "r2", "r3"}) EXPECT_TRUE(books.has(id)) << id << ", dead at call " << death;
  }
}

TEST(Ledger, WhatTheStoreRefusesForGoodIsCountedAndStopsNoOther) {
  Books books;
  books.saved.refused = {"r3"};
  books.store_faults.set(always);  // so that all go in one transaction
  for (int i = 0; i < 8; ++i) {
    books.open_durably("r" + std::to_string(i));
    books.settle("r" + std::to_string(i));
  }
  books.write("of nobody", {attempt_settle("nobody"), request_settle("nobody")});
  EXPECT_EQ(books.answers.of("of nobody"), true);
  books.store_faults.set(never);
  books.await_fed();
  EXPECT_EQ(books.ledger->stats().refused_rows, 6u);
  books.close();
  EXPECT_EQ(books.saved.requests.size(), 7u);
  EXPECT_FALSE(books.has("nobody"));
}

TEST(Ledger, AFullQueueRefusesOpensAtOnceAndTakesSettlements) {
  Books books(with([](LedgerLimits& limits) { limits.queue_writes_max = 2; }));
  books.open_durably("r1");
  books.hold_commit();
  books.open("r3");
  books.open("r4");
  EXPECT_EQ(books.answers.calls("open r4"), 1);  // at once, on this thread
  EXPECT_EQ(books.answers.of("open r4"), false);
  books.settle("r1");
  books.files.release();
  EXPECT_EQ(books.answers.of("open r3"), true);
  EXPECT_EQ(books.answers.of("settle r1"), true);
}

TEST(Ledger, ADiskThatHangsRefusesOpensUntilItAnswers) {
  Books books(with([](LedgerLimits& limits) { limits.commit_ms_max = 100ms; }));
  books.open_durably("r1");
  books.hold_commit();
  books.await([&] { return !books.ledger->stats().writable; });
  EXPECT_FALSE(test::write_at_once(*books.ledger, {request_open("r2"), attempt_open("r2")}));
  books.open("r3");
  EXPECT_EQ(books.answers.calls("open r3"), 1);  // at once, on this thread
  EXPECT_EQ(books.answers.of("open r3"), false);
  books.settle("r1");
  EXPECT_EQ(books.answers.calls("settle r1"), 0);  // kept
  books.files.release();
  EXPECT_EQ(books.answers.of("settle r1"), true);
  books.await([&] { return books.ledger->stats().writable; });
  books.open_durably("r4");
}

TEST(Ledger, ADiskThatHangsWhileASegmentBeginsHoldsUpNobodyWhoAsks) {
  Books books(with([](LedgerLimits& limits) { limits.commit_ms_max = 100ms; }));
  books.open_durably("r1");
  books.files.hold();
  std::vector<Write> many;  // more than the segment has room for
  for (int i = 0; i < 500; ++i) many.push_back(request_open("m" + std::to_string(i)));
  books.write("many", std::move(many));
  books.files.await_sync();
  auto asked = std::async(std::launch::async, [&] { books.await([&] { return !books.ledger->stats().writable; }); });
  EXPECT_EQ(asked.wait_for(test::patience / 2), std::future_status::ready);
  books.files.release();
}

// Else what was removed from the store, as it was old, would come back after a crash, and count again.
TEST(Ledger, ASegmentIsFollowedByAnotherInTimeThoughNothingComes) {
  Books books(with([](LedgerLimits& limits) { limits.segment_ms_max = limits.close_ms_max = 1ms; }));
  books.open("r1");
  books.settle("r1");
  books.open("r2");  // under way
  EXPECT_EQ(books.answers.of("settle r1"), true);
  EXPECT_EQ(books.answers.of("open r2"), true);
  books.await([&] {
    const auto files = books.files.contents();
    return files.size() == 1 && files.begin()->second.find_first_not_of('\0', segment_header_bytes) == std::string::npos;
  });
  books.disk.set(always);  // it is killed
  books.ledger.reset();
  books.disk.set(never);
  ASSERT_EQ(books.saved.durable.erase("r1"), 1u);
  books.saved.requests.erase("r1");
  const auto again =
      Ledger::start(std::make_unique<test::MemoryStore>(books.store_faults, books.saved), noon, quick(), books.files);
  ASSERT_TRUE(again);
  EXPECT_FALSE(books.has("r1"));
  EXPECT_TRUE(books.has("r2"));
}

// M14: a shutdown loses nothing that waits in memory, also if the disk fails just then.
TEST(Ledger, M14_WritesWhatIsQueuedBeforeItEnds) {
  Books books;
  books.open_durably("r1");
  books.hold_commit();
  books.settle("r1");
  books.open("r2");
  books.disk.set([](int number) { return number == 2; });
  books.files.release();
  books.close();
  EXPECT_EQ(books.state("r1"), RowState::settled);
  EXPECT_EQ(books.answers.calls("settle r1"), 1);
  EXPECT_EQ(books.answers.calls("open r2"), 1);
}

// The last commit of all is that of a row which can never be written: what was written at once is on the disk all the same.
TEST(Ledger, WhatWasWrittenAtOnceIsKeptThoughTheLastRowIsRefused) {
  Books books;
  books.hold_commit();
  EXPECT_TRUE(test::write_at_once(*books.ledger, {request_open("r1"), attempt_open("r1")}));
  books.write("open poison", poison());
  std::thread closing([&] { books.ledger.reset(); });
  books.files.release();
  closing.join();
  EXPECT_EQ(books.answers.of("open poison"), false);
  EXPECT_TRUE(books.has("r1"));
}

TEST(Ledger, EndsInBoundedTimeWithoutADisk) {
  Books books(with([](LedgerLimits& limits) { limits.close_ms_max = 20ms; }));
  books.open_durably("r1");
  books.disk.set(always);
  books.settle("r1");
  books.ledger.reset();
  EXPECT_EQ(books.answers.of("settle r1"), false);
}

TEST(Ledger, EndsInBoundedTimeWithoutAStoreAndTheJournalWaitsForTheNextStart) {
  Books books(with([](LedgerLimits& limits) { limits.close_ms_max = 20ms; }));
  books.store_faults.set(always);
  books.open_durably("r1");
  books.open_durably("r2");
  books.settle("r1");
  EXPECT_EQ(books.answers.of("settle r1"), true);
  books.ledger.reset();
  EXPECT_THAT(books.saved.requests, testing::IsEmpty());
  books.store_faults.set(never);
  const auto again =
      Ledger::start(std::make_unique<test::MemoryStore>(books.store_faults, books.saved), noon, quick(), books.files);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->found().interrupted_attempts, 1);
  EXPECT_EQ((*again)->found().replayed_rows, 6u);
  EXPECT_EQ(books.state("r1"), RowState::settled);
  EXPECT_EQ(books.state("r2"), RowState::interrupted);
}

class ManyThreads : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Ledger, ManyThreads, testing::Bool(),
                         [](const auto& at_once) { return at_once.param ? "AtOnce" : "Queued"; });

TEST_P(ManyThreads, LoseAndDoubleNoRow) {
  Books books;
  books.at_once = GetParam();
  books.disk.set([](int number) { return number % 17 == 0; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&books, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string id = std::to_string(t) + "." + std::to_string(i);
        books.open(id);
        if (books.answers.of("open " + id) == true) books.settle(id);
      }
    });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(books.ledger->flush(patience));
  books.disk.set(never);
  books.close();
  EXPECT_THAT(books.saved.wrong, testing::IsEmpty());
  for (const auto& [id, request] : books.saved.requests) EXPECT_EQ(request.state, RowState::settled) << id;
}

}  // namespace
}  // namespace fairlead
