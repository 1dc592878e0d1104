#include "state/learned.h"

#include <gtest/gtest.h>

#include "unit/state/noon.h"

namespace fairlead::state {
namespace {

TEST(Learned, BeginsWithThePriors) {
  const Learned learned;
  EXPECT_EQ(learned.input.bytes_per_token(), prior_bytes_per_token);
  EXPECT_EQ(learned.output_ratio(noon), 1);
  EXPECT_EQ(learned.cache_share(), prior_cache_share);
  EXPECT_FALSE(learned.measured(noon));
  EXPECT_EQ(Answers{}.expected(prior_output_tokens, noon), 400);
}

TEST(Learned, OutputIsThatOfRouteAndKeyAndTheTargetsOwnRatio) {
  Answers answers;
  for (int i = 0; i < 60; ++i) answers.note(50, 400, noon);
  EXPECT_NEAR(answers.expected(400, noon), 75, 3) << "the prior still weighs four answers";
  for (int i = 0; i < 600; ++i) answers.note(50, 400, noon);
  EXPECT_NEAR(answers.expected(400, noon), 60, 2);
  Learned talkative;
  for (int i = 0; i < 200; ++i) talkative.note_output(1'200, 400, noon);
  EXPECT_NEAR(talkative.output_ratio(noon), 3, 0.1);
}

TEST(Learned, LongAnswersFadeWhereNothingIsLearnedAnyMore) {
  Answers answers;
  Learned learned;
  for (int i = 0; i < 10; ++i) {
    answers.note(10'000, 400, noon);
    learned.note_output(10'000, 400, noon);
  }
  const double expected = answers.expected(400, noon), ratio = learned.output_ratio(noon);
  const auto later = [](int hours) { return noon + std::chrono::hours(hours); };
  EXPECT_EQ(answers.expected(400, later(1)), expected) << "a pause changes nothing";
  EXPECT_EQ(learned.output_ratio(later(1)), ratio);
  EXPECT_EQ(answers.expected(400, later(-1)), expected) << "the clock was set back";
  EXPECT_EQ(learned.output_ratio(later(-1)), ratio);
  Answers half;
  for (int i = 0; i < 5; ++i) half.note(10'000, 400, noon);
  EXPECT_NEAR(answers.expected(400, later(7)), half.expected(400, noon), expected * 0.02) << "as if half had been";
  EXPECT_LT(answers.expected(400, later(49)), 500);
  EXPECT_LT(learned.output_ratio(later(49)), 1.3);
  answers.note(100, 400, later(49));
  EXPECT_LT(answers.expected(400, later(49)), 450) << "what has faded does not come back";
  Answers brief;
  for (int i = 0; i < 10; ++i) brief.note(10, 400, noon);
  EXPECT_EQ(brief.expected(400, later(49)), brief.expected(400, noon)) << "short ones let all pass";
}

TEST(Learned, WhatAClockNotedThatWasAheadCountsAsLongAgo) {
  for (const TimePoint ahead : {noon + std::chrono::hours(25), TimePoint::max()}) {
    Answers answers;
    Learned learned;
    for (int i = 0; i < 10; ++i) {
      answers.note(10'000, 400, ahead);
      learned.note_output(10'000, 400, ahead);
    }
    EXPECT_EQ(answers.expected(400, noon), 400);
    EXPECT_EQ(learned.output_ratio(noon), 1);
    answers.note(400, 400, noon);
    EXPECT_EQ(answers.expected(400, noon), 400) << "nor does it come back";
  }
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
