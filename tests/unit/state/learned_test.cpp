#include "state/learned.h"

#include <gtest/gtest.h>

#include "unit/state/noon.h"

namespace fairlead::state {
namespace {

TEST(Learned, BeginsWithThePriors) {
  const Learned learned;
  EXPECT_EQ(learned.input.bytes_per_token(), prior_bytes_per_token);
  EXPECT_EQ(learned.output_ratio(), 1);
  EXPECT_EQ(learned.cache_share(), prior_cache_share);
  EXPECT_FALSE(learned.measured(noon));
  EXPECT_EQ(Answers{}.expected(prior_output_tokens), 400);
}

TEST(Learned, OutputIsThatOfRouteAndKeyAndTheTargetsOwnRatio) {
  Answers answers;
  for (int i = 0; i < 60; ++i) answers.note(50);
  EXPECT_NEAR(answers.expected(400), 75, 3) << "the prior still weighs four answers";
  for (int i = 0; i < 600; ++i) answers.note(50);
  EXPECT_NEAR(answers.expected(400), 60, 2);
  Learned talkative;
  for (int i = 0; i < 200; ++i) talkative.note_output(1'200, 400);
  EXPECT_NEAR(talkative.output_ratio(), 3, 0.1);
}

TEST(Learned, TheCachesShareIsOfWhatCouldHaveHit) {
  Learned learned;
  for (int i = 0; i < 100; ++i) learned.note_cache(900, 1'000);
  EXPECT_NEAR(learned.cache_share(), 0.9, 0.02);
  for (int i = 0; i < 3'000; ++i) learned.note_cache(0, 1'000);
  EXPECT_LT(learned.cache_share(), 0.02) << "a cache that is gone is not counted on";
  for (int i = 0; i < 3'000; ++i) learned.note_cache(5'000, 1'000);
  EXPECT_LE(learned.cache_share(), 1) << "others may have warmed it";
}

TEST(Learned, AStreamTellsItsFirstTokenAndTheTimeOfTheOthers) {
  Learned learned;
  for (int i = 0; i < 10; ++i) learned.note_times(500'000, 500'000 + 99 * 10'000, 100, noon);
  EXPECT_TRUE(learned.measured(noon));
  EXPECT_NEAR(static_cast<double>(learned.times().first_token_p50), 500'000, 35'000);
  EXPECT_NEAR(static_cast<double>(learned.times().token_p50), 10'000, 700);
}

TEST(Learned, AWholeAnswersTimeIsSharedOut) {
  Learned learned;
  for (int i = 0; i < 10; ++i) learned.note_times(std::nullopt, 6'000'000, 100, noon);  // 1 s + 100 x 20 ms were expected
  const AnswerTimes times = learned.times();
  EXPECT_NEAR(static_cast<double>(times.first_token_p50 + 100 * times.token_p50), 6'000'000, 600'000);
}

TEST(Learned, WhatWasMeasuredLongAgoIsNotMeasured) {
  Learned learned;
  learned.note_times(500'000, 1'500'000, 100, noon);
  EXPECT_TRUE(learned.measured(noon + std::chrono::seconds(599)));
  EXPECT_FALSE(learned.measured(noon + std::chrono::seconds(601)));
}

}  // namespace
}  // namespace fairlead::state
