#include "daemon/budget_desk.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>

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

}  // namespace
}  // namespace fairlead::daemon
