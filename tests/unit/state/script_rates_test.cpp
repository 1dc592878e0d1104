#include "state/script_rates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace fairlead::state {
namespace {

TEST(ScriptRates, BeginWithThePriors) {
  EXPECT_EQ(ScriptRates{}.bytes_per_token(), prior_bytes_per_token);
  EXPECT_EQ(ScriptRates{}.evidence(), (std::array<double, script_count>{}));
  EXPECT_TRUE(ScriptRates{}.sound());
}

TEST(ScriptRates, OneScriptIsLearnedFromItselfAndTheOthersStay) {
  ScriptRates rates;
  const TextBytes chinese{{0, 0, 3'000, 0}};
  rates.note(chinese, 500);
  EXPECT_NEAR(rates.bytes_per_token()[2], 5.69, 0.1) << "most of the way: the prior weighs a fifth of an attempt";
  for (int i = 0; i < 20; ++i) rates.note(chinese, 500);
  EXPECT_NEAR(rates.bytes_per_token()[2], 6, 0.1);
  EXPECT_NEAR(rates.evidence()[2], 20, 3);
  for (const std::size_t other : {0U, 1U, 3U}) EXPECT_EQ(rates.bytes_per_token()[other], prior_bytes_per_token[other]);
}

TEST(ScriptRates, MixedTextsTeachEachScriptItsOwn) {
  ScriptRates rates;
  std::mt19937 random(7);
  const std::array<double, script_count> truth{5, 2, 6, 3, 2.5, 1, 8};
  for (int i = 0; i < 1'000; ++i) {
    TextBytes text;
    for (std::size_t script = 0; script < text.of.size(); ++script)  // about as many tokens of each
      text.of[script] = static_cast<std::int64_t>(static_cast<double>(random() % 500) * prior_bytes_per_token[script]);
    rates.note(text, static_cast<std::int64_t>(tokens_of(text, truth)));
  }
  for (std::size_t i = 0; i < truth.size(); ++i) EXPECT_NEAR(rates.bytes_per_token()[i], truth[i], truth[i] * 0.04) << i;
}

TEST(ScriptRates, WhatAlwaysComesTogetherIsRightTogether) {
  ScriptRates rates;
  const TextBytes code{{2'000, 1'000, 0, 0}};
  for (int i = 0; i < 50; ++i) rates.note(code, 1'200);
  EXPECT_NEAR(tokens_of(code, rates.bytes_per_token()), 1'200, 12);
  EXPECT_TRUE(rates.sound());
}

TEST(ScriptRates, AChangeOfTheTokenizerIsFollowed) {
  ScriptRates rates;
  const TextBytes english{{4'000, 0, 0, 0}};
  for (int i = 0; i < 2'000; ++i) rates.note(english, 1'000);
  EXPECT_NEAR(rates.bytes_per_token()[0], 4, 0.05);
  for (int i = 0; i < 300; ++i) rates.note(english, 800);
  EXPECT_NEAR(rates.bytes_per_token()[0], 4.44, 0.1) << "half of it after a half-life";
  for (int i = 0; i < 2'000; ++i) rates.note(english, 800);
  EXPECT_NEAR(rates.bytes_per_token()[0], 5, 0.05);
}

TEST(ScriptRates, AScriptThatDoesNotComeIsNotForgotten) {
  ScriptRates rates;
  for (int i = 0; i < 100; ++i) rates.note(TextBytes{{0, 0, 3'000, 0}}, 500);
  const double learned = rates.bytes_per_token()[2];
  for (int i = 0; i < 20'000; ++i) rates.note(TextBytes{{4'000, 500, 0, 0}}, 1'000);
  EXPECT_NEAR(rates.bytes_per_token()[2], learned, 0.01);
}

TEST(ScriptRates, WhatNoTextExplainsTeachesNothing) {
  ScriptRates rates;
  rates.note(TextBytes{{45, 0, 0, 0}}, 2'000);   // a hidden prompt
  rates.note(TextBytes{{450'000, 0, 0, 0}}, 3);  // another count
  rates.note(TextBytes{}, 100);
  EXPECT_EQ(rates.bytes_per_token(), prior_bytes_per_token);
}

TEST(ScriptRates, NeitherALongNorAShortPromptOutweighsTheOthers) {
  ScriptRates rates;
  for (int i = 0; i < 50; ++i) rates.note(TextBytes{{4'000, 0, 0, 0}}, 1'000);
  rates.note(TextBytes{{4'000'000, 0, 0, 0}}, 500'000);
  rates.note(TextBytes{{20, 0, 0, 0}}, 15);
  EXPECT_NEAR(rates.bytes_per_token()[0], 4, 0.2);
}

TEST(ScriptRates, StaySoundWhateverIsCounted) {
  ScriptRates rates;
  std::mt19937 random(3);
  for (int i = 0; i < 200'000; ++i) {
    TextBytes text;
    for (auto& bytes : text.of) bytes = random() % 3 == 0 ? 0 : static_cast<std::int64_t>(random() % (1U << random() % 24));
    rates.note(text, static_cast<std::int64_t>(tokens_of(text, prior_bytes_per_token) * static_cast<double>(random() % 100) / 20));
    if (i % 1'000 != 0) continue;
    ASSERT_TRUE(rates.sound()) << i;
  }
  ScriptRates broken;
  broken.factor[1] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(broken.sound());
  broken = {};
  broken.doubt[0][0] = -1;
  EXPECT_FALSE(broken.sound());
  broken = {};
  broken.doubt[0][1] = 5;
  EXPECT_FALSE(broken.sound());
}

}  // namespace
}  // namespace fairlead::state
