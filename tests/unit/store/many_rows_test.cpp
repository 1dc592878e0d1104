// What is asked at the start, once an hour and of a recent time reads little of what is old, however much of that there is.
#include <fairlead/bookkeeper.h>
#include <fairlead/budget_store.h>
#include <fairlead/store.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <functional>

#include "unit/store/rows.h"

namespace fairlead {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::noon;

/// Counts the instructions of SQLite's machine, on all connections that are opened while it lives.
class Instructions {
 public:
  Instructions() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch)); }
  Instructions(const Instructions&) = delete;
  Instructions& operator=(const Instructions&) = delete;
  ~Instructions() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(watch)); }
  static long of(const std::function<void()>& work) {
    const long before = hundreds;
    work();
    return 100 * (hundreds - before);
  }

 private:
  static int watch(sqlite3* connection, char**, const void*) {
    sqlite3_progress_handler(connection, 100, count, nullptr);
    return SQLITE_OK;
  }
  static int count(void*) {
    ++hundreds;
    return 0;
  }
  static inline std::atomic<long> hundreds = 0;
};

/// Refused, or sent by so many attempts.
RequestRecord ended(const std::string& id, TimePoint at, int attempts) {
  std::vector<RequestRecord::Attempt> all;
  for (int number = 1; number <= attempts; ++number)
    all.push_back(test::settled_attempt(test::attempt_open(id, number, "deepseek", at), test::attempt_settle(id, number)));
  RequestSettle settle = test::request_settle(id, attempts);
  settle.ended_at = at;
  return test::record_of(test::request_open(id, at), std::move(all), settle);
}

TEST(ManyRows, OfLongAgoAreNotReadForWhatIsAskedOfNow) {
  constexpr int old_days = 40, a_day = 300;  // requests: as many were refused, and sent by one, two and three attempts
  const Instructions counted;
  const test::Folder folder;
  const std::string url = "sqlite:" + folder.file("ledger.db");
  auto store = std::move(*open_store(url, StoreMode::write));
  for (int day = 0; day < old_days; ++day) {
    std::vector<RequestRecord> records;
    for (int i = 0; i < a_day; ++i) {
      const TimePoint at = noon - days(100 - day) + std::chrono::minutes(i);
      records.push_back(ended("d" + std::to_string(day) + "-" + std::to_string(i), at, i % 4));
      records.back().open.key = "key" + std::to_string(i % 10);
    }
    ASSERT_TRUE(test::save(*store, records));
  }
  ASSERT_TRUE(test::save(*store, {ended("a", noon, 1), ended("b", noon, 2),
                                  test::record_of(test::request_open("open"), {test::open_attempt(test::attempt_open("open"))})}));
  const auto books = std::move(*open_bookkeeper(url));
  const auto budgets = std::move(*open_budget_store(url, 1'000));
  const BudgetSpan today{noon - hours(12), noon + hours(12)};
  const std::pair<const char*, std::function<bool()>> questions[] = {
      {"what counts against limits",
       [&] { return store->consumed(noon - days(1), std::chrono::minutes(5), 1'000'000)->size() == 1; }},
      {"which repeats are known", [&] { return store->served("batch", noon - days(1), 1'000)->size() == 2; }},
      {"what a budget was charged", [&] { return budgets->charges(today)->size() == 1; }},
      {"the same of all time",
       [&] {
         return budgets->charges({TimePoint(), std::nullopt})->size() == 11;
       }},
      {"when the newest was sent", [&] { return *budgets->newest() == noon; }},
      {"a report of the day",
       [&] {
         return store->report({{"key"}, today.from, today.until})->at(0).attempts == 4;
       }},
      {"the same from rows",
       [&] {
         return store->report({{"key"}, today.from, today.until, true})->at(0).attempts == 4;
       }},
      {"the newest request", [&] { return (*store->request("last"))->open.id == "open"; }},
      {"the rows of the oldest day", [&] { return (*books->old_rows(noon - days(50)))->requests == a_day; }},
      {"is anything open of a month", [&] { return !books->close_month(*parse_month("2026-11"), noon + days(30)); }},
      {"what a crash left open", [&] { return *store->recover(noon) == 1; }},
  };
  for (const auto& [what, ask] : questions) EXPECT_LT(Instructions::of([&] { EXPECT_TRUE(ask()) << what; }), 30'000) << what;
}

}  // namespace
}  // namespace fairlead
