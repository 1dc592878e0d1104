#include "plan/expect.h"

#include "unit/plan/world.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead {
namespace {

TEST(Expect, InputIsMeasuredByTheTargetsOwnRates) {
  RequestFacts facts;
  facts.input_tokens = 777;
  TargetEstimate estimate;
  EXPECT_EQ(expected_input(facts, estimate), 777) << "of its text nothing is known";
  facts.text.of = {450, 31, 86, 0};
  EXPECT_EQ(expected_input(facts, estimate), 100);  // 60 + 20 + 20
  estimate.bytes_per_token = {9, 3.1, 1, 1};
  EXPECT_EQ(expected_input(facts, estimate), 146);  // 50 + 10 + 86
}

TEST(Expect, TheCacheGivesItsShareOfWhatIsRepeated) {
  TargetEstimate estimate;
  EXPECT_EQ(expected_cached(1'000, estimate), 0) << "nothing was sent there before";
  estimate.repeated_tokens = 600;
  EXPECT_EQ(expected_cached(1'000, estimate), 300) << "the prior";
  estimate.cache_share = 0.9;
  EXPECT_EQ(expected_cached(1'000, estimate), 540);
  EXPECT_EQ(expected_cached(100, estimate), 90) << "no more than there is";
}

TEST(Expect, OutputIsThatOfRouteAndKeyTimesTheTargetsRatioAndTheAppsCapOnlyShortensIt) {
  testing::World world;
  RequestFacts facts;
  Conditions conditions;
  TargetEstimate estimate;
  const Target& target = world.target(world.provider("p"), world.model("m"));
  EXPECT_EQ(expected_output(facts, target, conditions, estimate), 400) << "the prior";
  conditions.output_tokens_expected = 99.6;
  EXPECT_EQ(expected_output(facts, target, conditions, estimate), 100);
  estimate.output_ratio = 2.5;
  EXPECT_EQ(expected_output(facts, target, conditions, estimate), 249);
  facts.output_tokens_max = 120;
  EXPECT_EQ(expected_output(facts, target, conditions, estimate), 120);
  facts.output_tokens_max = 100'000;
  EXPECT_EQ(expected_output(facts, target, conditions, estimate), 249);
  facts.choices = 3;
  EXPECT_EQ(expected_output(facts, target, conditions, estimate), 747) << "each choice is an answer";
}

TEST(Expect, NoMoreOutputThanTheModelGives) {
  testing::World world;
  Model& model = world.model("m");
  model.output_tokens_max = 300;
  const Target& target = world.target(world.provider("p"), model);
  RequestFacts facts;
  EXPECT_EQ(expected_output(facts, target, {}, {}), 300);
  EXPECT_EQ(output_limit(facts, target), 300);
  facts.choices = 2;
  EXPECT_EQ(expected_output(facts, target, {}, {}), 600);
  facts.output_tokens_max = 20;
  EXPECT_EQ(expected_output(facts, target, {}, {}), 40);
  EXPECT_EQ(output_limit(facts, target), 20);
}

TEST(Expect, OfTwoCapsTheLargerCountsWhereBothAreSent) {
  testing::World world;
  Provider& heeds_one = world.provider("openai");
  world.profile_of(heeds_one).output_limit_field = "max_completion_tokens";
  Provider& sent_both = world.provider("generic");
  const Target &one = world.target(heeds_one, world.model("a")), &both = world.target(sent_both, world.model("b"));
  RequestFacts facts;
  EXPECT_FALSE(output_cap(facts, both));
  facts.output_tokens_max = 20;
  EXPECT_EQ(output_cap(facts, one), 20);
  EXPECT_EQ(output_cap(facts, both), 20);
  facts.output_tokens_max_of_both = 300;
  EXPECT_EQ(output_cap(facts, one), 20) << "it is sent max_completion_tokens alone";
  EXPECT_EQ(output_cap(facts, both), 300);
  EXPECT_EQ(expected_output(facts, one, {}, {}), 20);
  EXPECT_EQ(expected_output(facts, both, {}, {}), 300);
}

TEST(Expect, TargetsWithoutAnEstimateHaveThePriors) {
  std::vector<TargetEstimate> known(1);
  known[0].output_ratio = 3;
  Conditions conditions;
  conditions.estimates = known;
  Target first, second;
  second.index = 1;
  EXPECT_EQ(conditions.estimate_of(first).output_ratio, 3);
  EXPECT_EQ(conditions.estimate_of(second).output_ratio, 1);
  EXPECT_EQ(conditions.estimate_of(second).bytes_per_token, prior_bytes_per_token);
}

}  // namespace
}  // namespace fairlead
