// The journal on a disk in memory: cut at every byte, damaged, and with the process dying before any call or the power going.
#include "ledger/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "ledger/journal.h"
#include "ledger/ledger.h"
#include "unit/ledger/memory_books.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::noon;
using test::patience;
using test::request_open;
using test::request_settle;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string prefix = "ledger.db.journal-";

bool nothing_fails(int) { return false; }

/// What outlives a process: files and rows.
struct World {
  test::Faults faults;
  test::MemoryFiles files{faults};
  test::Saved saved;

  Result<Recovered> recover() {
    test::MemoryStore store(faults, saved);
    return recover_journal(store, files, noon);
  }
};

Result<void> append(Journal& journal, const std::vector<Write>& writes) {
  const std::span<const Write> group[] = {writes};
  if (auto written = journal.write(group); !written) return written;
  auto synced = journal.sync();
  synced ? journal.synced(journal.place().end) : journal.drop_unsynced(journal.synced_end());
  return synced;
}

/// Frames of two requests each, one of which ends in the next frame. Gives where each frame ends.
std::vector<std::uint64_t> write_frames(Journal& journal, int frames) {
  std::vector<std::uint64_t> ends;
  for (int i = 0; i < frames; ++i) {
    const std::string a = "a" + std::to_string(i), b = "b" + std::to_string(i), before = "b" + std::to_string(i - 1);
    std::vector<Write> writes = {request_open(a),   attempt_open(a), attempt_settle(a),
                                 request_settle(a), request_open(b), attempt_open(b)};
    if (i > 0) writes.insert(writes.end(), {attempt_settle(before), request_settle(before)});
    EXPECT_TRUE(append(journal, writes));
    ends.push_back(journal.place().end);
  }
  return ends;
}

/// The requests are those of so many frames.
void expect_frames(const test::Saved& saved, int frames) {
  EXPECT_EQ(saved.requests.size(), 2u * static_cast<std::size_t>(frames));
  for (int i = 0; i < frames; ++i) {
    EXPECT_EQ(saved.requests.at("a" + std::to_string(i)).state, RowState::settled);
    EXPECT_EQ(saved.requests.at("b" + std::to_string(i)).state, i + 1 < frames ? RowState::settled : RowState::interrupted);
  }
}

TEST(Recovery, AJournalCutAtAnyByteGivesTheWholeFramesBefore) {
  World world;
  std::vector<std::uint64_t> ends;
  {
    Journal journal(world.files, prefix, 7, 4'096, Sync::disk);
    ends = write_frames(journal, 4);
    ASSERT_EQ(journal.place().sequence, 7u);
  }
  const std::string whole = world.files.contents().at(prefix + "000007");
  for (const char* rest : {"", "zeros", "garbage"}) {
    const bool garbage = rest == std::string("garbage");  // in a version's place it would be a newer version
    for (std::uint64_t cut = garbage ? segment_header_bytes : 0; cut <= ends.back(); ++cut) {
      World after;
      std::string bytes = whole.substr(0, cut);
      if (rest == std::string("zeros")) bytes.resize(whole.size());
      if (garbage) bytes.resize(whole.size(), '\x5a');
      after.files.put_file(prefix + "000007", bytes);
      const auto recovered = after.recover();
      ASSERT_TRUE(recovered) << recovered.error().detail();
      const auto frames =
          cut < segment_header_bytes ? 0 : std::count_if(ends.begin(), ends.end(), [cut](std::uint64_t end) { return end <= cut; });
      ASSERT_EQ(after.saved.durable.size(), 2u * static_cast<std::size_t>(frames)) << cut << rest;
      expect_frames(after.saved, static_cast<int>(frames));
      EXPECT_THAT(after.files.names(), IsEmpty());
      EXPECT_EQ(recovered->next_sequence, 8u);
      EXPECT_EQ(recovered->interrupted_attempts, frames > 0 ? 1 : 0);
    }
  }
}

TEST(Recovery, KeepsEveryFieldOfARow) {
  World world;
  RequestOpen open = request_open("req_0199f3c1a2b40011223344556677889f");
  AttemptOpen attempt = attempt_open(open.id);
  AttemptSettle settle = attempt_settle(open.id);
  settle.usage = {1, 2, 3, 4, 5, 6, 7};
  settle.usage_source = UsageSource::invalid;
  settle.error = "upstream_closed";
  settle.unconfirmed = settle.connection_reused = true;
  settle.usd_pico = -5;
  AttemptOpen unpriced = attempt_open(open.id, 2, "qwen");
  unpriced.reserved_usd_pico = unpriced.estimate_usd_pico = unpriced.estimate_usd_rate = std::nullopt;
  unpriced.estimate_cost = std::nullopt;
  unpriced.price.clear();
  AttemptSettle empty;
  empty.request_id = open.id;
  empty.number = 2;
  {
    Journal journal(world.files, prefix, 1, 4'096, Sync::disk);
    ASSERT_TRUE(append(journal, {open, attempt}));
    ASSERT_TRUE(append(journal, {settle, unpriced}));
    ASSERT_TRUE(append(journal, {empty, request_settle(open.id, 2)}));
  }
  ASSERT_TRUE(world.recover());
  const RequestRecord& r = world.saved.durable.at(open.id);
  EXPECT_EQ(r.open.started_at, noon);
  EXPECT_EQ(r.open.key, "checkout");
  EXPECT_EQ(r.open.team, "payments");
  EXPECT_EQ(r.open.project, "till");
  EXPECT_EQ(r.open.route, "chat");
  EXPECT_EQ(r.open.endpoint, "/v1/chat/completions");
  EXPECT_EQ(r.open.requested_model, "chat");
  EXPECT_TRUE(r.open.stream);
  EXPECT_EQ(r.open.snapshot_hash, "5f1c");
  EXPECT_EQ(r.open.plan, open.plan);
  EXPECT_EQ(r.open.expected, open.expected);
  EXPECT_EQ(r.open.content, open.content);
  EXPECT_EQ(r.open.facts, open.facts);
  EXPECT_EQ(r.settle.id, open.id);
  EXPECT_EQ(r.settle.ended_at, request_settle("").ended_at);
  EXPECT_EQ(r.settle.http_status, 200);
  EXPECT_EQ(r.settle.ended_by, EndedBy::provider);
  EXPECT_EQ(r.settle.phase, Phase::done);
  EXPECT_EQ(r.settle.target, "deepseek/deepseek-chat");
  EXPECT_EQ(r.settle.attempts, 2);
  EXPECT_EQ(r.settle.first_byte_us, 151'000);
  EXPECT_TRUE(r.settle.usd_pico == 28'672'000);
  EXPECT_TRUE(r.settle.charge_usd_pico == 35'840'000);
  ASSERT_EQ(r.attempts.size(), 2u);
  const auto& a = r.attempts[0];
  EXPECT_EQ(a.open.request_id, open.id);
  EXPECT_EQ(a.open.number, 1);
  EXPECT_EQ(a.open.sent_at, noon);
  EXPECT_EQ(a.open.target, attempt.target);
  EXPECT_EQ(a.open.provider, attempt.provider);
  EXPECT_EQ(a.open.model, attempt.model);
  EXPECT_TRUE(a.open.reserved_usd_pico == attempt.reserved_usd_pico);
  EXPECT_EQ(a.open.input_tokens_estimate, 120);
  EXPECT_TRUE(a.open.estimate_cost == attempt.estimate_cost);
  EXPECT_TRUE(a.open.estimate_usd_pico == attempt.estimate_usd_pico);
  EXPECT_TRUE(a.open.estimate_usd_rate == attempt.estimate_usd_rate);
  EXPECT_TRUE(a.open.markup == attempt.markup);
  EXPECT_EQ(a.open.price, attempt.price);
  EXPECT_EQ(a.settle.ended_at, settle.ended_at);
  EXPECT_EQ(a.settle.ended_by, settle.ended_by);
  EXPECT_EQ(a.settle.phase, settle.phase);
  EXPECT_EQ(a.settle.error, "upstream_closed");
  EXPECT_EQ(a.settle.status, 200);
  EXPECT_TRUE(a.settle.unconfirmed && a.settle.connection_reused);
  EXPECT_EQ(a.settle.reported_model, "deepseek-v3.2");
  EXPECT_EQ(a.settle.upstream_id, "chatcmpl-1");
  EXPECT_EQ(a.settle.finish_reason, "stop");
  EXPECT_EQ(a.settle.usage, settle.usage);
  EXPECT_EQ(a.settle.usage_source, UsageSource::invalid);
  EXPECT_TRUE(a.settle.cost == settle.cost && a.settle.usd_pico == settle.usd_pico && a.settle.usd_rate == settle.usd_rate);
  EXPECT_TRUE(a.settle.charge_usd_pico == Int128{35'840'000});
  EXPECT_TRUE(a.settle.reported_usd_pico == Int128{28'000'000});
  EXPECT_EQ(a.settle.price, settle.price);
  EXPECT_EQ(a.settle.connect_us, 20'000);
  EXPECT_EQ(a.settle.first_byte_us, 150'000);
  EXPECT_EQ(a.settle.duration_us, 2'000'000);
  const auto& b = r.attempts[1];
  EXPECT_FALSE(b.open.reserved_usd_pico || b.open.estimate_cost || b.open.estimate_usd_pico || b.open.estimate_usd_rate);
  EXPECT_EQ(b.settle.usage, Usage());
  EXPECT_FALSE(b.settle.cost || b.settle.usd_pico || b.settle.usd_rate || b.settle.connect_us || b.settle.first_byte_us);
}

TEST(Recovery, RefusesAJournalOfANewerVersionAndLeavesItAsItIs) {
  World world;
  {
    Journal journal(world.files, prefix, 1, 4'096, Sync::disk);
    write_frames(journal, 2);
  }
  SegmentHeader newer;
  newer.version = journal_version + 1;
  newer.sequence = 2;
  world.files.put_file(prefix + "000002", encode_header(newer));
  const auto before = world.files.contents();
  const auto recovered = world.recover();
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().kind, ErrorKind::ledger_unavailable);
  EXPECT_THAT(recovered.error().message(), HasSubstr("newer fairlead"));
  EXPECT_EQ(world.files.contents(), before);
  EXPECT_THAT(world.saved.requests, IsEmpty());
}

TEST(Recovery, ReplaysWhatIsSoundOfADamagedJournalAndKeepsTheFile) {
  World world;
  std::uint64_t first_end = 0;
  {
    Journal journal(world.files, prefix, 1, 2'048, Sync::disk);
    first_end = write_frames(journal, 9).front();
    ASSERT_GE(journal.place().sequence, 3u);
  }
  std::string bytes = world.files.contents().at(prefix + "000001");
  bytes[first_end + 20] ^= 1;
  world.files.put_file(prefix + "000001", bytes);
  const auto recovered = world.recover();
  ASSERT_TRUE(recovered);
  ASSERT_FALSE(recovered->notices.empty());
  EXPECT_THAT(recovered->notices.front(), HasSubstr("000001 at byte " + std::to_string(first_end)));
  EXPECT_THAT(world.files.names(), ElementsAre(prefix + "000001.damaged"));
  EXPECT_EQ(world.saved.durable.at("a0").state, RowState::settled);
  EXPECT_EQ(world.saved.durable.at("a8").state, RowState::settled);
  EXPECT_EQ(world.saved.durable.count("a1"), 0u);
}

TEST(Recovery, KeepsEachDamagedFileThoughNumbersBeginAnew) {
  World world;
  const auto damage_one = [&](int frames) {
    {
      Journal journal(world.files, prefix, 1, 1'000'000, Sync::disk);
      write_frames(journal, frames);
    }
    std::string bytes = world.files.contents().at(prefix + "000001");
    bytes[bytes.size() / 2] ^= 1;
    bytes.resize(bytes.size() - 1);
    world.files.put_file(prefix + "000001", bytes);
    SegmentHeader next;
    next.sequence = 2;
    next.previous = 1;
    next.previous_end = bytes.size() + 1;  // all of it was acknowledged
    world.files.put_file(prefix + "000002", encode_header(next));
    const auto recovered = world.recover();
    EXPECT_TRUE(recovered);
    return std::pair(bytes, recovered->notices.front());
  };
  const auto first = damage_one(2);
  const auto second = damage_one(3);
  EXPECT_THAT(first.second, HasSubstr("kept as " + prefix + "000001.damaged"));
  EXPECT_THAT(second.second, HasSubstr("kept as " + prefix + "000001.damaged.2"));
  EXPECT_EQ(world.files.contents().at(prefix + "000001.damaged"), first.first);
  EXPECT_EQ(world.files.contents().at(prefix + "000001.damaged.2"), second.first);
}

TEST(Recovery, WhatFailedToBeWrittenDoesNotComeBack) {
  for (int k = 1; k <= 2; ++k) {  // the write, the sync
    World world;
    Journal journal(world.files, prefix, 1, 4'096, Sync::disk);
    ASSERT_TRUE(append(journal, {request_open("before"), attempt_open("before")}));
    world.faults.set([k](int call) { return call == k; });
    EXPECT_FALSE(append(journal, {request_open("refused"), attempt_open("refused")}));
    world.faults.set(nothing_fails);
    ASSERT_TRUE(append(journal, {request_open("after"), attempt_open("after")}));
    EXPECT_EQ(journal.place().sequence, 2u);
    ASSERT_TRUE(world.recover());
    EXPECT_EQ(world.saved.durable.size(), 2u);
    EXPECT_EQ(world.saved.durable.count("refused"), 0u);
  }
}

TEST(Recovery, AGroupLargerThanASegmentHasOneOfItsOwn) {
  World world;
  Journal journal(world.files, prefix, 1, 1'024, Sync::disk);
  std::vector<Write> writes;
  for (int i = 0; i < 50; ++i) {
    const std::string id = "r" + std::to_string(i);
    writes.insert(writes.end(), {request_open(id), attempt_open(id), attempt_settle(id), request_settle(id)});
  }
  ASSERT_TRUE(append(journal, writes));
  ASSERT_TRUE(append(journal, {request_open("next"), attempt_open("next")}));
  ASSERT_TRUE(world.recover());
  EXPECT_EQ(world.saved.durable.size(), 51u);
}

/// A request whose open row left the journal with its segment is completed from the store.
TEST(Recovery, ASettlementFindsItsOpenRowInTheStore) {
  World world;
  {
    Journal journal(world.files, prefix, 1, 4'096, Sync::disk);
    ASSERT_TRUE(append(journal, {attempt_settle("old"), request_settle("old")}));
    ASSERT_TRUE(append(journal, {attempt_settle("half"), attempt_open("half", 2, "qwen")}));
  }
  {
    test::MemoryStore store(world.faults, world.saved);
    ASSERT_TRUE(test::save(store, {test::record_of(request_open("old"), {test::open_attempt(attempt_open("old"))}),
                                   test::record_of(request_open("half"), {test::open_attempt(attempt_open("half"))})}));
  }
  const auto recovered = world.recover();
  ASSERT_TRUE(recovered);
  EXPECT_THAT(recovered->notices, IsEmpty());
  EXPECT_EQ(world.saved.durable.at("old").state, RowState::settled);
  EXPECT_EQ(world.saved.durable.at("old").attempts.at(0).settle.usage, attempt_settle("").usage);
  EXPECT_EQ(world.saved.durable.at("half").state, RowState::interrupted);
  EXPECT_EQ(world.saved.durable.at("half").attempts.at(0).state, RowState::settled);
  EXPECT_EQ(world.saved.durable.at("half").attempts.at(1).state, RowState::interrupted);
}

/// A process that opens and settles requests one after another until it dies: from call `death` on, nothing it does has an effect.
struct Life {
  std::vector<std::string> opened, settled, refused;

  void live(World& world, int death, int requests) {
    world.faults.set([death](int call) { return call >= death; });
    LedgerLimits limits;
    limits.segment_bytes = 2'048;
    limits.retry_ms_min = limits.retry_ms_max = std::chrono::milliseconds(1);
    limits.close_ms_max = std::chrono::milliseconds(0);
    auto ledger = Ledger::start(std::make_unique<test::MemoryStore>(world.faults, world.saved), noon, limits, world.files);
    if (!ledger) return;
    for (int i = 0; i < requests; ++i) {
      const std::string id = std::to_string(death) + "." + std::to_string(i);
      if (!write(**ledger, {request_open(id), attempt_open(id)})) {
        refused.push_back(id);
        return;
      }
      opened.push_back(id);
      if (i % 5 == 4) continue;  // it stays open
      if (!write(**ledger, {attempt_settle(id), request_settle(id)})) return;
      settled.push_back(id);
    }
  }

 private:
  /// As it ends: a settlement that cannot be written waits until the ledger goes.
  static bool write(Ledger& ledger, std::vector<Write> writes) {
    auto result = std::make_shared<std::atomic<int>>(0);
    if (test::write_at_once(ledger, writes)) return true;
    ledger.write(std::move(writes), [result](Result<void> done) { *result = done ? 1 : 2; });
    const auto until = std::chrono::steady_clock::now() + patience;
    while (*result == 0 && ledger.stats().writable && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return *result == 1;
  }
};

/// What was opened since the last settlement is with the operating system alone.
void expect_books(const World& world, const Life& life, bool power) {
  const auto last =
      life.settled.empty() ? life.opened.begin() : std::find(life.opened.begin(), life.opened.end(), life.settled.back());
  for (auto at = life.opened.begin(); at != life.opened.end(); ++at) {
    const std::string& id = *at;
    if (power && at >= last && world.saved.requests.count(id) == 0) continue;
    ASSERT_EQ(world.saved.requests.count(id), 1u) << id;
    EXPECT_NE(world.saved.requests.at(id).state, RowState::open) << id;
    EXPECT_EQ(world.saved.requests.at(id).attempts.size(), 1u);
  }
  for (const std::string& id : life.settled) {
    EXPECT_EQ(world.saved.requests.at(id).state, RowState::settled) << id;
    EXPECT_EQ(world.saved.requests.at(id).attempts.at(0).state, RowState::settled) << id;
  }
  EXPECT_THAT(world.saved.wrong, IsEmpty());
}

// The process dies before call k, of whatever thread, for every k; then the next one dies before call j of its start; and the third
// lives. Once with what the operating system has, once with what a power loss leaves.
TEST(Recovery, ADeathAtAnyCallLosesNothingThatWasAcknowledged) {
  std::mt19937 random(20261125);
  for (const bool power : {false, true}) {
    for (int death = 1; death <= 130; death += 1) {
      World world;
      const auto die = [&] {
        if (!power) return;
        world.files.lose_power(random);
        world.saved.requests = world.saved.durable;
      };
      Life life;
      life.live(world, death, 25);
      die();
      const int again = static_cast<int>(random() % 40) + 1;
      world.faults.set([again](int call) { return call >= again; });
      (void)world.recover();
      die();
      world.faults.set(nothing_fails);
      const auto recovered = world.recover();
      ASSERT_TRUE(recovered) << recovered.error().detail();
      expect_books(world, life, power);
      EXPECT_THAT(world.files.names(), IsEmpty()) << death;
    }
  }
}

/// Three requests that were acknowledged are in the store, once each, after the calls from a commit on went as `fails` says, the
/// process died at call `death`, and another one began. Of the call `whole`, 0: of none, the disk has all though it failed.
void expect_nothing_lost(LedgerLimits limits, int death, std::function<bool(int)> fails, int whole = 0) {
  World world;
  limits.segment_bytes = 2'048;
  limits.retry_ms_min = limits.retry_ms_max = std::chrono::milliseconds(1);
  limits.at_once_us_max = patience;
  limits.close_ms_max = std::chrono::milliseconds(0);
  auto ledger = Ledger::start(std::make_unique<test::MemoryStore>(world.faults, world.saved), noon, limits, world.files);
  ASSERT_TRUE(ledger);
  for (const char* id : {"r1", "r2", "r3"})
    test::Books::await([&] { return test::write_at_once(**ledger, {request_open(id), attempt_open(id)}); });
  world.faults.whole = whole;
  world.faults.set(std::move(fails));
  (*ledger)->commit();
  test::Books::await([&] {
    const std::uint64_t commits = (*ledger)->stats().commits;
    const std::lock_guard lock(world.faults.mutex);
    return commits > 0 || world.faults.calls >= death;
  });
  ledger->reset();
  world.faults.set(nothing_fails);
  ASSERT_TRUE(world.recover());
  for (const char* id : {"r1", "r2", "r3"}) {
    ASSERT_EQ(world.saved.requests.count(id), 1u) << id;
    EXPECT_EQ(world.saved.requests.at(id).attempts.size(), 1u) << id;
  }
}

// The disk does not take what was acknowledged, and the process dies at call k after that.
TEST(Recovery, ADeathAfterAFailedSyncLosesNothingThatWasAcknowledged) {
  for (const std::size_t writes_max : {1, 100}) {  // of one commit
    for (int death = 2; death <= 30; ++death) {
      SCOPED_TRACE("dead at call " + std::to_string(death));
      LedgerLimits limits;
      limits.commit_writes_max = writes_max;
      expect_nothing_lost(limits, death, [death](int call) { return call == 1 || call >= death; });
    }
  }
}

// The same, and call k fails too before it, of which the disk has a part or all of what was written.
TEST(Recovery, ADeathAfterTwoFailuresLosesNothingThatWasAcknowledged) {
  for (const bool whole : {false, true}) {
    for (int k = 2; k <= 12; ++k) {
      for (int death = k + 1; death <= k + 8; ++death) {
        SCOPED_TRACE("call " + std::to_string(k) + (whole ? " failed whole" : " failed") + ", dead at call " +
                     std::to_string(death));
        expect_nothing_lost(
            {}, death, [k, death](int call) { return call == 1 || call == k || call >= death; }, whole ? k : 0);
      }
    }
  }
}

}  // namespace
}  // namespace fairlead
