#include "ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "unit/store/rows.h"

namespace fairlead {
namespace {

using namespace std::chrono_literals;
using test::attempt_open;
using test::attempt_settle;
using test::request_open;
using test::request_settle;

constexpr auto patience = 20s;  // for a test that is about to fail
constexpr LedgerLimits quick{100'000, 1'024, 1ms, 4ms, 5s};

Error unavailable() { return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "disk full"}; }

std::string name_of(const Write& write) {
  struct Name {
    std::string operator()(const RequestOpen& r) const { return r.id; }
    std::string operator()(const RequestSettle& r) const { return r.id; }
    std::string operator()(const AttemptOpen& r) const { return r.request_id + "#" + std::to_string(r.number); }
    std::string operator()(const AttemptSettle& r) const { return r.request_id + "#" + std::to_string(r.number); }
  };
  return std::visit(Name{}, write);
}

bool is_open(const Write& write) {
  return std::holds_alternative<RequestOpen>(write) || std::holds_alternative<AttemptOpen>(write);
}

/// The world behind a store in memory: what is durable, and which commits fail. Outlives the ledger.
struct Disk {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, RowState> rows;
  std::vector<std::string> wrong;    ///< what a ledger must not do: open or settle twice, settle what is not open
  std::vector<std::size_t> commits;  ///< the sizes of the tries
  std::function<bool(int)> fails = [](int) { return false; };  ///< by the number of the try, from 1
  bool held = false;                                           ///< a commit waits until it is released
  int waiting = 0;

  void set(std::function<bool(int)> rule) {
    const std::lock_guard lock(mutex);
    fails = std::move(rule);
  }
  void hold() {
    const std::lock_guard lock(mutex);
    held = true;
  }
  void await_commit() {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, patience, [&] { return waiting > 0; }));
  }
  void release() {
    const std::lock_guard lock(mutex);
    held = false;
    changed.notify_all();
  }
  RowState state(const std::string& name) {
    const std::lock_guard lock(mutex);
    return rows.at(name);
  }
  bool has(const std::string& name) {
    const std::lock_guard lock(mutex);
    return rows.count(name) != 0;
  }
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(Disk& disk) : disk_(disk) {}
  Result<void> commit(std::span<const Write> writes) override {
    std::unique_lock lock(disk_.mutex);
    ++disk_.waiting;
    disk_.changed.notify_all();
    disk_.changed.wait(lock, [&] { return !disk_.held; });
    --disk_.waiting;
    disk_.commits.push_back(writes.size());
    disk_.changed.notify_all();
    if (disk_.fails(static_cast<int>(disk_.commits.size()))) return unavailable();
    for (const Write& write : writes)
      if (name_of(write).find("poison") != std::string::npos) return Error(ErrorKind::internal, ErrorOrigin::fairlead, "poison");
    for (const Write& write : writes) apply(write);
    return {};
  }
  Result<std::int64_t> recover(TimePoint) override { return 0; }
  Result<std::vector<ReportRow>> report(const ReportQuery&) override { return std::vector<ReportRow>(); }
  Result<std::optional<RequestRecord>> request(std::string_view) override { return std::optional<RequestRecord>(); }

 private:
  void apply(const Write& write) {
    const std::string name = name_of(write);
    const auto row = disk_.rows.find(name);
    if (is_open(write)) {
      if (row != disk_.rows.end()) disk_.wrong.push_back("opened twice: " + name);
      disk_.rows[name] = RowState::open;
    } else {
      if (row == disk_.rows.end() || row->second != RowState::open) disk_.wrong.push_back("settled, but not open: " + name);
      disk_.rows[name] = RowState::settled;
    }
  }
  Disk& disk_;
};

/// Collects what the ledger says, by the caller's label.
class Answers {
 public:
  Ledger::Done operator()(const std::string& label) {
    return [this, label](Result<void> result) {
      const std::lock_guard lock(mutex_);
      ++calls_[label];
      ok_[label] = result.has_value();
      changed_.notify_all();
    };
  }
  /// True or false as the ledger said; empty if it said nothing in time, or more than once.
  std::optional<bool> of(const std::string& label) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return calls_[label] > 0; }) || calls_[label] != 1) return std::nullopt;
    return ok_[label];
  }
  int calls(const std::string& label) {
    const std::lock_guard lock(mutex_);
    return calls_[label];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> calls_;
  std::map<std::string, bool> ok_;
};

struct Books {
  explicit Books(LedgerLimits limits = quick) : ledger(std::make_unique<Ledger>(std::make_unique<MemoryStore>(disk), limits)) {}
  ~Books() { disk.release(); }

  void write(const std::string& label, std::vector<Write> writes) { ledger->write(std::move(writes), answers(label)); }
  void open(const std::string& id) { write("open " + id, {request_open(id), attempt_open(id)}); }
  void settle(const std::string& id) { write("settle " + id, {attempt_settle(id), request_settle(id)}); }
  void open_durably(const std::string& id) {
    open(id);
    ASSERT_EQ(answers.of("open " + id), true);
  }

  Disk disk;
  Answers answers;
  std::unique_ptr<Ledger> ledger;
};

TEST(Ledger, AcknowledgesWhatIsDurable) {
  Books books;
  books.open("r1");
  EXPECT_EQ(books.answers.of("open r1"), true);
  EXPECT_EQ(books.disk.state("r1#1"), RowState::open);
  books.settle("r1");
  EXPECT_EQ(books.answers.of("settle r1"), true);
  EXPECT_EQ(books.disk.state("r1"), RowState::settled);
  EXPECT_TRUE(books.ledger->flush(patience));
  const LedgerStats stats = books.ledger->stats();
  EXPECT_EQ(stats.commits, 2u);
  EXPECT_EQ(stats.rows, 4u);
  EXPECT_EQ(stats.queued, 0u);
  EXPECT_TRUE(stats.writable);
}

TEST(Ledger, CommitsInGroupsWhatCameMeanwhile) {
  Books books({100'000, 20, 1ms, 4ms, 5s});
  books.disk.hold();
  books.open("first");
  books.disk.await_commit();
  for (int i = 0; i < 25; ++i) books.open("r" + std::to_string(i));
  EXPECT_EQ(books.ledger->stats().queued, 52u);
  EXPECT_FALSE(books.ledger->flush(0ms));
  books.disk.release();
  EXPECT_TRUE(books.ledger->flush(patience));
  EXPECT_EQ(books.disk.commits, (std::vector<std::size_t>{2, 20, 20, 10}));
}

// M15: commit k of n fails, for each k. Every settlement is there once, every open is there or was refused.
TEST(Ledger, M15_LosesAndDoublesNoRowWhicheverCommitFails) {
  constexpr int requests = 12;
  for (int k = 1; k <= 2 * requests + 2; ++k) {
    for (const int failures : {1, 3}) {
      Books books;
      books.disk.set([=](int number) { return number >= k && number < k + failures; });
      std::vector<std::string> opened;
      for (int i = 0; i < requests; ++i) {
        const std::string id = "r" + std::to_string(i);
        books.open(id);
        if (i % 3 != 0) {  // now and then two entries share a commit
          const auto answer = books.answers.of("open " + id);
          ASSERT_TRUE(answer.has_value());
          if (*answer) books.settle(id), opened.push_back(id);
          EXPECT_EQ(books.disk.has(id), *answer) << id << " with commit " << k << " failing";
        }
      }
      ASSERT_TRUE(books.ledger->flush(patience));
      for (const std::string& id : opened) {
        EXPECT_EQ(books.answers.of("settle " + id), true);
        EXPECT_EQ(books.disk.state(id), RowState::settled);
        EXPECT_EQ(books.disk.state(id + "#1"), RowState::settled);
      }
      EXPECT_THAT(books.disk.wrong, testing::IsEmpty()) << "with commit " << k << " failing";
    }
  }
}

TEST(Ledger, SplitsAFailedGroupIntoRefusedOpensAndKeptSettlements) {
  Books books;
  books.open_durably("r1");
  books.open_durably("r2");
  books.disk.hold();
  books.disk.set([](int number) { return number <= 5; });  // the 3rd is what is held back, the 4th the group
  books.write("probe", {});
  books.disk.await_commit();
  books.settle("r1");
  books.open("r3");
  books.write("retry r2", {attempt_settle("r2", 1), attempt_open("r2", 2, "qwen")});
  books.write("refused r4", {request_open("r4"), request_settle("r4", 0)});
  books.disk.release();
  EXPECT_EQ(books.answers.of("open r3"), false);
  EXPECT_EQ(books.answers.of("retry r2"), false);
  EXPECT_EQ(books.answers.of("refused r4"), false);
  EXPECT_EQ(books.answers.of("settle r1"), true);
  ASSERT_TRUE(books.ledger->flush(patience));
  EXPECT_EQ(books.disk.state("r1"), RowState::settled);
  EXPECT_EQ(books.disk.state("r2#1"), RowState::settled);
  EXPECT_EQ(books.disk.state("r2"), RowState::open);
  EXPECT_FALSE(books.disk.has("r2#2"));
  EXPECT_FALSE(books.disk.has("r3"));
  EXPECT_FALSE(books.disk.has("r4"));
  EXPECT_THAT(books.disk.wrong, testing::IsEmpty());
  books.write("end of r2", {request_settle("r2", 2)});
  EXPECT_EQ(books.answers.of("end of r2"), true);
}

TEST(Ledger, RefusesOpensWhileTheStoreIsAwayAndComesBackByItself) {
  Books books;
  books.open_durably("r1");
  books.disk.set([](int) { return true; });
  books.open("r2");
  EXPECT_EQ(books.answers.of("open r2"), false);
  EXPECT_FALSE(books.ledger->stats().writable);
  books.settle("r1");
  books.open("r3");
  EXPECT_EQ(books.answers.of("open r3"), false);
  EXPECT_EQ(books.answers.calls("settle r1"), 0);  // kept
  EXPECT_EQ(books.ledger->stats().queued, 2u);

  books.disk.set([](int) { return false; });
  EXPECT_EQ(books.answers.of("settle r1"), true);
  EXPECT_TRUE(books.ledger->stats().writable);
  books.open_durably("r4");
}

TEST(Ledger, AProbeBringsItBackWithoutTraffic) {
  Books books;
  books.disk.set([](int number) { return number <= 3; });
  books.open("r1");
  EXPECT_EQ(books.answers.of("open r1"), false);
  {
    std::unique_lock lock(books.disk.mutex);  // no traffic: the tries that follow are probes
    ASSERT_TRUE(books.disk.changed.wait_for(lock, patience, [&] { return books.disk.commits.size() >= 4; }));
    EXPECT_EQ(books.disk.commits, (std::vector<std::size_t>{2, 0, 0, 0}));
  }
  ASSERT_TRUE(books.ledger->flush(patience));
  books.open_durably("r2");
}

TEST(Ledger, ARowThatCanNeverBeWrittenHurtsNoOther) {
  Books books;
  books.open_durably("r1");
  books.disk.hold();
  books.write("probe", {});
  books.disk.await_commit();
  books.settle("r1");
  books.open("poison");
  books.write("mixed", {attempt_settle("poison"), attempt_open("r2", 2)});
  books.open("r3");
  books.disk.release();
  EXPECT_EQ(books.answers.of("settle r1"), true);
  EXPECT_EQ(books.answers.of("open poison"), false);
  EXPECT_EQ(books.answers.of("mixed"), false);
  EXPECT_EQ(books.answers.of("open r3"), true);
  ASSERT_TRUE(books.ledger->flush(patience));
  const LedgerStats stats = books.ledger->stats();
  EXPECT_TRUE(stats.writable);
  EXPECT_EQ(stats.refused_rows, 4u);
  EXPECT_EQ(stats.queued, 0u);
}

TEST(Ledger, AFullQueueRefusesOpensAtOnceAndTakesSettlements) {
  Books books({4, 1'024, 1ms, 4ms, 5s});
  books.open_durably("r1");
  books.disk.hold();
  books.open("r2");
  books.disk.await_commit();
  books.open("r3");
  books.open("r4");
  EXPECT_EQ(books.answers.calls("open r4"), 1);  // at once, on this thread
  EXPECT_EQ(books.answers.of("open r4"), false);
  books.settle("r1");
  books.disk.release();
  EXPECT_EQ(books.answers.of("open r3"), true);
  EXPECT_EQ(books.answers.of("settle r1"), true);
}

// M14: a shutdown loses nothing that waits in memory, also if the store fails just then.
TEST(Ledger, M14_WritesWhatIsQueuedBeforeItEnds) {
  Books books;
  books.open_durably("r1");
  books.disk.hold();
  books.write("probe", {});
  books.disk.await_commit();
  books.settle("r1");
  books.open("r2");
  books.disk.set([](int number) { return number == 3; });
  books.disk.release();
  books.ledger.reset();
  EXPECT_EQ(books.disk.state("r1"), RowState::settled);
  EXPECT_EQ(books.answers.calls("settle r1"), 1);
  EXPECT_EQ(books.answers.calls("open r2"), 1);
}

TEST(Ledger, EndsInBoundedTimeWithoutAStore) {
  Books books({100'000, 1'024, 1ms, 4ms, 20ms});
  books.open_durably("r1");
  books.disk.set([](int) { return true; });
  books.settle("r1");
  books.ledger.reset();
  EXPECT_EQ(books.answers.of("settle r1"), false);
  EXPECT_EQ(books.disk.state("r1"), RowState::open);
}

TEST(Ledger, TakesWritesOfManyThreads) {
  Books books;
  books.disk.set([](int number) { return number % 7 == 0; });
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
  EXPECT_THAT(books.disk.wrong, testing::IsEmpty());
  for (const auto& [name, state] : books.disk.rows) EXPECT_EQ(state, RowState::settled) << name;
}

}  // namespace
}  // namespace fairlead
