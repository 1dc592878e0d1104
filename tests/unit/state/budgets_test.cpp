#include "state/budgets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace fairlead::state {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;

constexpr TimePoint monday{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + hours(12)};

Budget budget_of(BudgetOf of, const char* name, BudgetPeriod per, Int128 limit) {
  Budget budget;
  budget.of = of;
  budget.name = name;
  budget.per = per;
  budget.usd_pico = limit;
  budget.id = id_of(budget);
  return budget;
}

BudgetState state_of(const Budgets& budgets, const Budget& budget, TimePoint now = monday) {
  const Budget* one = &budget;
  return budgets.look({&one, 1}, now).at(0);
}

struct TwoBudgets {
  Budget key = budget_of(BudgetOf::key, "app", BudgetPeriod::day, 100);
  Budget team = budget_of(BudgetOf::team, "payments", BudgetPeriod::month, 150);
  std::vector<const Budget*> both{&key, &team};
  Budgets budgets;
};

TEST(StateBudgets, AHoldIsTakenFromAllOrFromNone) {
  TwoBudgets t;
  auto first = t.budgets.hold(t.both, 60, monday);
  EXPECT_FALSE(first.refused);
  EXPECT_EQ(first.left, 40) << "of the one with the least";
  auto second = t.budgets.hold(t.both, 60, monday);
  ASSERT_TRUE(second.refused);
  EXPECT_EQ(second.refused->id, "key app per day");
  EXPECT_EQ(second.refused->left(), 40);
  EXPECT_EQ(state_of(t.budgets, t.team).held, 60) << "what was refused holds nothing";
  EXPECT_FALSE(t.budgets.hold(t.both, 40, monday).refused) << "up to the last unit";
}

TEST(StateBudgets, AHoldEndsOnceHoweverItEnds) {
  TwoBudgets t;
  {
    auto voided = t.budgets.hold(t.both, 60, monday);
    auto posted = t.budgets.hold(t.both, 30, monday);
    EXPECT_EQ(posted.hold.post(20), 20) << "100 less 20 charged and 60 held";
    EXPECT_EQ(posted.hold.post(20), std::nullopt) << "once";
    Budgets::Hold moved = std::move(posted.hold);
  }
  EXPECT_EQ(state_of(t.budgets, t.key).held, 0);
  EXPECT_EQ(state_of(t.budgets, t.key).charged, 20);
  EXPECT_EQ(state_of(t.budgets, t.team).charged, 20);
}

TEST(StateBudgets, WhatCostMoreThanItsHoldIsPosted) {
  TwoBudgets t;
  EXPECT_EQ(t.budgets.hold(t.both, 90, monday).hold.post(130), -30);
  EXPECT_EQ(state_of(t.budgets, t.key).charged, 130);
  EXPECT_TRUE(t.budgets.hold(t.both, 1, monday).refused);
  EXPECT_FALSE(t.budgets.hold(t.both, 0, monday).refused) << "what is free is never refused";
}

/// M18: two hundred requests at once against a budget for ten, two hundred times.
TEST(StateBudgets, NoOrderOfThingsOverrunsABudget) {
  constexpr int rounds = 200, requests = 200, threads = 4;
  constexpr Int128 cost = 7;
  for (int round = 0; round < rounds; ++round) {
    Budgets budgets;
    const Budget budget = budget_of(BudgetOf::key, "app", BudgetPeriod::day, 10 * cost);
    const Budget* one = &budget;
    std::atomic<int> next{0}, admitted{0};
    std::atomic<bool> overrun{false}, done{false};
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i)
      workers.emplace_back([&] {
        for (int n = next++; n < requests; n = next++) {
          auto held = budgets.hold({&one, 1}, cost, monday);
          if (held.refused) continue;
          ++admitted;
          // Every third fails and costs nothing: others may come in its place.
          held.hold.post(n % 3 == 0 ? 0 : cost);
        }
      });
    std::thread poll([&] {
      while (!done)
        for (const BudgetState& seen : budgets.look({&one, 1}, monday))
          if (seen.charged + seen.held > seen.limit) overrun = true;
    });
    for (std::thread& worker : workers) worker.join();
    done = true;
    poll.join();
    ASSERT_FALSE(overrun.load()) << "I3: at no instant";
    const BudgetState end = state_of(budgets, budget);
    ASSERT_EQ(end.held, 0);
    ASSERT_LE(end.charged, end.limit);
    ASSERT_GE(admitted.load(), 10);
  }
}

/// M24: the request's start decides, also when the attempt ends in another period.
TEST(StateBudgets, AChargeBelongsToThePeriodOfItsAdmission) {
  TwoBudgets t;
  const TimePoint late = TimePoint(std::chrono::floor<days>(monday) + days(1)) - std::chrono::microseconds(1);
  auto held = t.budgets.hold(t.both, 100, late);
  const TimePoint next_day = late + std::chrono::microseconds(1);
  EXPECT_EQ(state_of(t.budgets, t.key, next_day).left(), 100) << "a new day";
  held.hold.post(80);
  EXPECT_EQ(state_of(t.budgets, t.key, late).charged, 80);
  EXPECT_EQ(state_of(t.budgets, t.key, next_day).charged, 0);
  EXPECT_EQ(state_of(t.budgets, t.team, next_day).charged, 80) << "the month goes on";
}

TEST(StateBudgets, ClocksThatStepResetNoPeriodTwice) {
  for (const auto step : {hours(1), hours(24), hours(24 * 365)})
    for (const BudgetPeriod per : {BudgetPeriod::hour, BudgetPeriod::day, BudgetPeriod::week, BudgetPeriod::month}) {
      Budgets budgets;
      const Budget budget = budget_of(BudgetOf::key, "app", per, 100);
      const Budget* one = &budget;
      for (const TimePoint at : {monday, monday + step, monday, monday - step, monday, monday + step, monday - step}) {
        auto held = budgets.hold({&one, 1}, 100, at);
        if (!held.refused) held.hold.post(100);
        EXPECT_EQ(state_of(budgets, budget, at).charged, 100) << "once in each period, and never again";
      }
    }
}

TEST(StateBudgets, PeriodsOfLongAgoAreForgottenAndHoldsAreNot) {
  Budgets budgets;
  const Budget budget = budget_of(BudgetOf::key, "app", BudgetPeriod::hour, 100);
  const Budget* one = &budget;
  auto kept = budgets.hold({&one, 1}, 10, monday);
  for (std::size_t i = 1; i < 2 * Budgets::periods_max; ++i) budgets.hold({&one, 1}, 10, monday + hours(i)).hold.post(10);
  EXPECT_EQ(state_of(budgets, budget, monday).held, 10);
  EXPECT_EQ(state_of(budgets, budget, monday + hours(5)).charged, 0) << "forgotten";
  EXPECT_EQ(kept.hold.post(10), 90);
}

TEST(StateBudgets, SharesAreToldOncePerPeriod) {
  Budgets budgets;
  Budget budget = budget_of(BudgetOf::team, "payments", BudgetPeriod::day, 100);
  budget.notify_at = {pico_per_unit / 2, pico_per_unit * 9 / 10};
  const Budget* one = &budget;
  const auto told = [&] {
    std::vector<std::string> shares;
    for (const BudgetNotice& notice : budgets.take_notices()) shares.push_back(format_decimal(notice.share));
    return shares;
  };
  budgets.hold({&one, 1}, 49, monday).hold.post(49);
  EXPECT_THAT(told(), ElementsAre());
  budgets.hold({&one, 1}, 1, monday).hold.post(1);
  EXPECT_THAT(told(), ElementsAre("0.5"));
  budgets.hold({&one, 1}, 10, monday + days(1)).hold.post(95);
  EXPECT_THAT(told(), ElementsAre("0.5", "0.9")) << "another day, and both at once";
  budgets.hold({&one, 1}, 45, monday).hold.post(45);
  EXPECT_THAT(told(), ElementsAre("0.9"));
  budgets.hold({&one, 1}, 5, monday).hold.post(5);
  EXPECT_THAT(told(), ElementsAre());
}

TEST(StateBudgets, WhatTheLedgerHasIsChargedAndNotToldAgain) {
  Budgets budgets;
  Budget budget = budget_of(BudgetOf::team, "payments", BudgetPeriod::day, 100);
  budget.notify_at = {pico_per_unit / 2};
  const Budget* one = &budget;
  budgets.know({&one, 1});
  budgets.restore(budget.id, period_of(budget, monday).from, 70);
  EXPECT_EQ(state_of(budgets, budget).left(), 30);
  EXPECT_TRUE(budgets.take_notices().empty());
  EXPECT_TRUE(budgets.hold({&one, 1}, 31, monday).refused);
}

TEST(StateBudgets, AChangedLimitKeepsWhatWasCharged) {
  Budgets budgets;
  Budget budget = budget_of(BudgetOf::team, "payments", BudgetPeriod::day, 100);
  const Budget* one = &budget;
  auto held = budgets.hold({&one, 1}, 60, monday);
  Budget more = budget;
  more.usd_pico = 130;
  const Budget* changed = &more;
  budgets.know({&changed, 1});
  EXPECT_EQ(state_of(budgets, more).left(), 70);
  EXPECT_FALSE(budgets.hold({&one, 1}, 70, monday).refused) << "a request of the snapshot before, too";
  EXPECT_EQ(held.hold.post(60), 70);
}

TEST(StateBudgets, CreditIsWhatWasPutInLessWhatWasCharged) {
  Budgets budgets;
  const Budget credit = budget_of(BudgetOf::key, "app", BudgetPeriod::credit, 0);
  const Budget* one = &credit;
  budgets.know({&one, 1});
  EXPECT_TRUE(budgets.hold({&one, 1}, 1, monday).refused) << "nothing was put in";
  budgets.put_in(credit.id, 100);
  budgets.hold({&one, 1}, 100, monday).hold.post(30);
  EXPECT_EQ(state_of(budgets, credit, monday + days(400)).left(), 70) << "it has no period";
  budgets.know({&one, 1});
  EXPECT_EQ(state_of(budgets, credit).left(), 70) << "a reload changes nothing";
  EXPECT_EQ(budgets.take_back(credit.id, 71, monday), 70) << "no more than is left";
  const auto held = budgets.hold({&one, 1}, 20, monday);
  EXPECT_EQ(budgets.take_back(credit.id, 51, monday), 50) << "nor what is held";
  EXPECT_EQ(budgets.take_back(credit.id, 50, monday), std::nullopt);
  EXPECT_TRUE(budgets.hold({&one, 1}, 1, monday).refused) << "it is gone";
}

}  // namespace
}  // namespace fairlead::state
