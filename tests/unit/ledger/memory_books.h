#pragma once
// A ledger in memory, and what it answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "unit/ledger/memory_world.h"
#include "unit/store/rows.h"

namespace fairlead::test {

inline LedgerLimits quick() {
  LedgerLimits limits;
  limits.retry_ms_min = std::chrono::milliseconds(1);
  limits.retry_ms_max = std::chrono::milliseconds(4);
  limits.segment_bytes = 8'192;
  limits.at_once_us_max = std::chrono::seconds(1);  // a busy machine is no slow disk
  return limits;
}
inline LedgerLimits with(std::function<void(LedgerLimits&)> change) {
  LedgerLimits limits = quick();
  change(limits);
  return limits;
}

/// By the caller, where the ledger lets it.
inline bool write_at_once(Ledger& ledger, std::vector<Write> writes) {
  const Rows rows = std::make_shared<const std::vector<Write>>(std::move(writes));
  return !ledger.wait_for_disk(rows) && ledger.write_at_once({&rows, 1});
}

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

inline bool never(int) { return false; }
inline bool always(int) { return true; }

/// A ledger in memory. The files and the store have faults of their own.
struct Books {
  explicit Books(LedgerLimits limits = quick()) {
    auto started = Ledger::start(std::make_unique<MemoryStore>(store_faults, saved), noon, limits, files);
    if (!started) throw std::runtime_error(started.error().detail());
    ledger = std::move(*started);
    await([this] { return ledger->stats().journal_bytes > 0; });  // the first segment is there
  }
  ~Books() {
    files.release();
    ledger.reset();
  }

  void write(const std::string& label, std::vector<Write> writes) {
    if (at_once && test::write_at_once(*ledger, writes)) return answers(label)({});
    ledger->write(std::move(writes), answers(label));
  }
  void open(const std::string& id) { write("open " + id, {request_open(id), attempt_open(id)}); }
  void settle(const std::string& id) { write("settle " + id, {attempt_settle(id), request_settle(id)}); }
  void open_durably(const std::string& id) {
    open(id);
    ASSERT_EQ(answers.of("open " + id), true);
    ASSERT_TRUE(ledger->flush(patience));
  }
  /// Holds a commit back, so that what comes meanwhile becomes one group.
  void hold_commit() {
    files.hold();
    open("held");
    files.await_sync();
  }
  template <class Condition>
  static void await(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::yield();
    }
  }
  /// All that ended is in the store.
  void await_fed() {
    await([this] { return ledger->stats().unfed_rows == 0; });
  }
  /// Ends the ledger: what it has goes to the store.
  void close() {
    ledger.reset();
    EXPECT_THAT(files.names(), testing::IsEmpty());
  }
  bool has(const std::string& id) const { return saved.requests.count(id) != 0; }
  RowState state(const std::string& id) const { return saved.requests.at(id).state; }
  RowState attempt_state(const std::string& id, std::size_t number = 1) const {
    return saved.requests.at(id).attempts.at(number - 1).state;
  }

  Faults disk, store_faults;
  MemoryFiles files{disk};
  Saved saved;
  bool at_once = false;  ///< write() does it itself where it may
  Answers answers;
  std::unique_ptr<Ledger> ledger;
};

}  // namespace fairlead::test
