#include "state/times.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "unit/state/noon.h"

namespace fairlead::state {
namespace {

TEST(Times, NothingNotedIsNothing) {
  const Times times;
  EXPECT_EQ(times.percentile(0.5), 0);
  EXPECT_EQ(times.evidence(noon), 0);
}

TEST(Times, EveryDurationIsTheMedianOfItselfWithinItsBucket) {
  for (std::int64_t us = 1; us < 3'000'000'000; us = us * 5 / 4 + 1) {
    Times times;
    times.note(us, noon);
    EXPECT_NEAR(static_cast<double>(times.percentile(0.5)), static_cast<double>(us), 1 + static_cast<double>(us) / 15) << us;
  }
  Times odd;
  odd.note(-7, noon);
  EXPECT_LE(odd.percentile(0.9), 1) << "a clock that was set back";
  odd.note(INT64_MAX, noon);
  EXPECT_GT(odd.percentile(0.9), 3'600'000'000) << "hours";
}

TEST(Times, PercentilesOfAnEvenSpread) {
  Times times;
  for (int us = 1; us <= 100'000; ++us) times.note(us, noon);
  for (const double share : {0.1, 0.5, 0.9, 0.99})
    EXPECT_NEAR(static_cast<double>(times.percentile(share)), 100'000 * share, 100'000 * share * 0.03) << share;
}

TEST(Times, OldDurationsCountHalfAfterEachHalfLife) {
  Times times;
  for (int i = 0; i < 8; ++i) times.note(1'000, noon);
  TimePoint now = noon;
  for (const double left : {8.0, 4.0, 2.0, 1.0}) {
    EXPECT_NEAR(times.evidence(now), left, 1e-9);
    now += std::chrono::seconds(static_cast<int>(Times::half_life_s));
  }
}

TEST(Times, WhatIsNewSoonDecides) {
  Times times;
  TimePoint now = noon;
  for (int i = 0; i < 600; ++i) times.note(100'000, now += std::chrono::seconds(1));
  for (int i = 0; i < 600; ++i) times.note(900'000, now += std::chrono::seconds(1));
  EXPECT_GT(times.percentile(0.5), 800'000) << "ten slow minutes outweigh ten quick ones before";
  EXPECT_LT(times.percentile(0.2), 120'000) << "which are not forgotten yet";
  for (int i = 0; i < 3'600; ++i) times.note(900'000, now += std::chrono::seconds(1));
  EXPECT_GT(times.percentile(0.02), 800'000);
}

TEST(Times, MonthsOfUseOverflowNothing) {
  Times times;
  TimePoint now = noon;
  for (int i = 0; i < 20'000; ++i) times.note(50'000, now += std::chrono::minutes(7));
  EXPECT_TRUE(std::isfinite(times.total));
  EXPECT_NEAR(static_cast<double>(times.percentile(0.5)), 50'000, 4'000);
  EXPECT_NEAR(times.evidence(now), 1 / (1 - std::exp2(-420.0 / Times::half_life_s)), 0.01);
  times.note(70'000, now + std::chrono::hours(24 * 365 * 20));
  EXPECT_NEAR(static_cast<double>(times.percentile(0.5)), 70'000, 5'000) << "after twenty years nothing else is left";
}

TEST(Times, WhatAClockNotedThatWasAheadHidesNothingThatIsNew) {
  Times times;
  for (int i = 0; i < 100; ++i) times.note(50'000, noon + std::chrono::hours(24 * 365 * 10));
  EXPECT_NEAR(times.evidence(noon), 100, 1e-9) << "as if it were of now";
  TimePoint now = noon;
  for (int i = 0; i < 600; ++i) times.note(900'000, now += std::chrono::seconds(10));
  EXPECT_GT(times.percentile(0.5), 800'000);
  EXPECT_TRUE(std::isfinite(times.evidence(now)));
}

}  // namespace
}  // namespace fairlead::state
