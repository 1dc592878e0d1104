#include "daemon/budget_desk.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <sqlite3.h>
#include <atomic>
#include <chrono>
#include <thread>

#include "unit/store/rows.h"

namespace fairlead::daemon {
namespace {

using test::noon;

constexpr std::chrono::days days(int count) { return std::chrono::days(count); }

/// Of the day, with what the ledger has of it: one attempt, sent at noon.
class BudgetDeskTest : public testing::Test {
 protected:
  BudgetDeskTest() {
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    EXPECT_TRUE(test::save(**store, {test::record_of(test::request_open("r1"),
                                                     {test::settled_attempt(test::attempt_open("r1"), test::attempt_settle("r1"))},
                                                     test::request_settle("r1"))}));
    Budget budget;
    budget.per = BudgetPeriod::day;
    budget.usd_pico = 100'000'000;
    budget.id = id_of(budget);
    snapshot_.budgets = {budget};
    EXPECT_TRUE(desk_.open(url()));
  }
  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  Int128 charged(TimePoint now) const { return desk_.states(snapshot_, now).at(0).charged; }

  test::Folder folder_;
  asio::io_context io_{1};
  state::Budgets budgets_;
  Snapshot snapshot_;
  BudgetDesk desk_{io_.get_executor(), budgets_};
};

TEST_F(BudgetDeskTest, AStartFindsWhatWasCharged) {
  ASSERT_TRUE(desk_.know(snapshot_, noon + std::chrono::hours(1)));
  EXPECT_EQ(charged(noon), test::attempt_settle("r1").charge_usd_pico.value());
}

TEST_F(BudgetDeskTest, SoDoesOneUnderAClockThatIsSetRightLater) {
  for (const int wrong : {-40, -1, 1, 40}) {
    state::Budgets budgets;
    BudgetDesk desk(io_.get_executor(), budgets);
    ASSERT_TRUE(desk.open(url()));
    ASSERT_TRUE(desk.know(snapshot_, noon + days(wrong)));
    EXPECT_EQ(desk.states(snapshot_, noon + days(wrong)).at(0).charged, 0) << wrong;
    EXPECT_EQ(desk.states(snapshot_, noon).at(0).charged, test::attempt_settle("r1").charge_usd_pico.value()) << wrong;
  }
}

/// As long as another program has the database, until the desk gives up.
TEST_F(BudgetDeskTest, WhatIsTakenBackOfACreditIsSpentByNobodyMeanwhile) {
  Budget credit;
  credit.of = BudgetOf::key;
  credit.name = "app";
  credit.per = BudgetPeriod::credit;
  credit.id = id_of(credit);
  snapshot_.budgets = {credit};
  const std::array<const Budget*, 1> all{&snapshot_.budgets[0]};
  const auto left = [&] { return budgets_.look(all, noon).at(0).left(); };
  ASSERT_TRUE(desk_.know(snapshot_, noon));
  ASSERT_TRUE(desk_.top_up(R"({"key": "app", "usd": "5"})", snapshot_, noon));
  EXPECT_EQ(desk_.top_up(R"({"key": "app", "usd": "-5.1"})", snapshot_, noon).error().message(),
            "of key app credit 5 USD are left, so 5.1 cannot be taken back");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.file("ledger.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  std::atomic<bool> over{false}, taken{true};
  std::thread operators([&] {
    taken = desk_.top_up(R"({"key": "app", "usd": "-5"})", snapshot_, noon).has_value();
    over = true;
  });
  while (!over && left() > 0) std::this_thread::yield();
  EXPECT_TRUE(budgets_.hold(all, 1, noon).refused);
  operators.join();
  sqlite3_close(other);
  EXPECT_FALSE(taken);
  EXPECT_TRUE(left() == 5 * Int128{pico_per_unit}) << "nothing was taken back in the end";
  ASSERT_TRUE(desk_.top_up(R"({"key": "app", "usd": "-5"})", snapshot_, noon));
  EXPECT_TRUE(left() == 0);
}

}  // namespace
}  // namespace fairlead::daemon
