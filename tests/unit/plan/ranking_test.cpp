// Plans by each strategy: what stays, what moves, and that the same input gives the same plan.
#include "plan/plan.h"

#include "unit/plan/world.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <thread>

namespace fairlead {
namespace {

using testing::price;
using testing::ranked;
using testing::rejected;
using testing::sunday;
using testing::World;

/// A dear provider and a cheap one, each with a cache at a tenth of its price.
struct Ranking : ::testing::Test {
  World world;
  Provider& east = world.provider("east");
  Provider& west = world.provider("west");
  Model& big = world.model("big");
  Model& small = world.model("small");
  const Target& dear = world.target(east, big);
  const Target& cheap = world.target(west, small);
  Route& chat = world.route("chat", {&dear, &cheap});
  std::vector<TargetEstimate> estimates = std::vector<TargetEstimate>(2);
  Key key;
  RequestFacts facts;

  Ranking() {
    big.prices = {price("1.00", "2.00")};
    big.prices[0].rates.cached_input = *parse_decimal("0.10");
    small.prices = {price("0.50", "1.00")};
    small.prices[0].rates.cached_input = *parse_decimal("0.05");
    key.name = "checkout";
    key.routes = {&chat};
    facts.key = &key;
    facts.route = &chat;
    facts.input_tokens = 10'000;
    world.conditions.output_tokens_expected = 100;
  }

  Plan plan() {
    world.conditions.estimates = estimates;
    return make_plan(facts, world.snapshot, world.conditions, sunday);
  }
};

TEST_F(Ranking, StayingForTheCacheIsWeighedAgainstMovingForThePrice) {
  struct Row {
    const char* what;
    std::int64_t repeated;  // of 10,000 tokens of input, by the dear target
    double share;           // of it that its cache gives
    const char* first;
  };
  // Moving costs 10,000 x 0.5 + 100 x 1 = 0.0051. Staying costs 0.0102, less 0.9 for each million of cached tokens.
  const Row table[] = {
      {"a new conversation goes where it is cheap", 0, 0.9, "west/small"},
      {"most of it is cached: it stays", 9'000, 0.9, "east/big"},
      {"the cache of the dear one seldom hits: it moves", 9'000, 0.3, "west/small"},
      {"half of it is new: it moves", 5'000, 1.0, "west/small"},
      {"just not enough", 5'666, 1.0, "west/small"},
      {"just enough", 5'667, 1.0, "east/big"},
      {"no more is repeated than there is", 1'000'000, 0.56, "west/small"},
  };
  for (const Row& row : table) {
    estimates[0].repeated_tokens = row.repeated == 0 ? std::nullopt : std::optional(row.repeated);
    estimates[0].cache_share = row.share;
    EXPECT_EQ(plan().candidates[0].target->name, row.first) << row.what;
  }
}

TEST_F(Ranking, WhereBothHaveTheConversationThePriceDecides) {
  for (TargetEstimate& estimate : estimates) estimate.repeated_tokens = 9'000;
  EXPECT_EQ(ranked(plan()), "west/small east/big");
}

TEST_F(Ranking, TheTargetsOwnTokensCountAndNotThePriors) {
  facts.text.of = {0, 0, 30'000, 0};  // Chinese
  estimates[0].bytes_per_token = {4, 3, 6, 4};
  estimates[1].bytes_per_token = {4, 3, 2, 4};
  const Plan made = plan();
  EXPECT_EQ(ranked(made), "east/big west/small") << "5,000 tokens at 1 cost less than 15,000 at 0.5";
  EXPECT_EQ(made.candidates[0].input_tokens, 5'000);
  EXPECT_EQ(made.candidates[1].input_tokens, 15'000);
  big.context_window = 4'000;
  small.context_window = 12'000;
  EXPECT_EQ(rejected(plan()), "east/big: capability context_window\nwest/small: capability context_window\n");
}

TEST_F(Ranking, WhatTheRequestMayBeTooLongForComesLast) {
  facts.text.of = {0, 0, 30'000, 0};
  estimates[0].bytes_per_token = estimates[1].bytes_per_token = {4, 3, 6, 4};
  EXPECT_EQ(ranked(plan()), "west/small east/big");
  small.context_window = 4'900;
  EXPECT_EQ(ranked(plan()), "east/big west/small") << "5,000 tokens, give or take";
  big.context_window = 4'800;
  EXPECT_EQ(ranked(plan()), "west/small east/big");
}

TEST_F(Ranking, ATargetThatThinksAloudIsExpectedToCostMore) {
  facts.input_tokens = 100;
  estimates[1].output_ratio = 8;
  EXPECT_EQ(ranked(plan()), "east/big west/small");
}

TEST_F(Ranking, TargetsBelowTheFloorAreRejectedAndWhatIsNotStatedIsBelowIt) {
  chat.terms = {{1, 80}, {1, 60}};
  EXPECT_EQ(ranked(plan()), "west/small east/big") << "there is no floor";
  chat.quality_min = 60;
  EXPECT_EQ(ranked(plan()), "west/small east/big");
  chat.quality_min = 61;
  EXPECT_EQ(ranked(plan()), "east/big");
  EXPECT_EQ(rejected(plan()), "west/small: quality quality_min\n");
  EXPECT_EQ(plan().rejections[0].reason, "its quality is 60, route chat takes 61 at least");
  chat.terms = {{1, 80}, {}};
  EXPECT_EQ(plan().rejections[0].reason, "its quality is not stated, route chat takes 61 at least");
  facts.route = nullptr;
  facts.target = &cheap;
  EXPECT_EQ(rejected(plan()), "west/small: quality quality_min\n") << "naming a target gets round no floor";
}

TEST_F(Ranking, ThePlanHoldsAllThatItWasMadeFrom) {
  chat.strategy = "balanced";
  chat.latency_ms_max = Milliseconds(2'000);
  chat.terms = {{1, 80}, {}};
  facts.input_tokens = 1'000;
  estimates[0].times = AnswerTimes{300'000, 700'000, 9'000};
  estimates[0].repeated_tokens = 800;
  world.conditions.seed = 77;
  const Plan made = plan();
  EXPECT_EQ(expected_text(made), "[[600,400,100,840000000,300000,700000,9000],[1000,0,100,600000000],{\"seed\":77}]");
  const auto whole = nlohmann::json::parse(whole_plan_text(plan_text(made), expected_text(made)));
  EXPECT_EQ(whole["first_token_ms_max"], 2'000);
  EXPECT_EQ(whole["seed"], 77);
  const auto& first = whole["candidates"][0];
  EXPECT_EQ(first["quality"], 80);
  EXPECT_EQ(first["expected_usd"], "0.00084");
  EXPECT_EQ(first["first_token_us_p50"], 300'000);
  EXPECT_EQ(first["first_token_us_p90"], 700'000);
  EXPECT_EQ(first["token_us_p50"], 9'000);
  EXPECT_EQ(whole["candidates"][1]["expected_usd"], "0.0006");
  EXPECT_FALSE(whole["candidates"][1].contains("first_token_us_p50")) << "it is not measured";
}

TEST_F(Ranking, AMeasuredTargetWithoutAPriceKeepsItsTimes) {
  chat.strategy = "fastest";
  big.prices.clear();
  estimates[0].times = AnswerTimes{300'000, 700'000, 9'000};
  const Plan made = plan();
  EXPECT_EQ(made.candidates[0].target, &dear);
  EXPECT_EQ(expected_text(made), "[[10000,0,100,null,300000,700000,9000],[10000,0,100,5100000000],{\"seed\":0}]");
  const auto whole = nlohmann::json::parse(whole_plan_text(plan_text(made), expected_text(made)));
  EXPECT_TRUE(whole["candidates"][0]["expected_usd"].is_null());
  EXPECT_EQ(whole["candidates"][0]["output_tokens"], 100);
}

TEST_F(Ranking, StrategiesThatLookAtNoTimesKeepNone) {
  estimates[0].times = AnswerTimes{1, 2, 3};
  EXPECT_EQ(expected_text(plan()), "[[10000,0,100,5100000000],[10000,0,100,10200000000]]");
}

TEST_F(Ranking, PlansOfOtherTermsHaveOtherKeys) {
  const auto key_of_plan = [&] {
    std::string text;
    append_plan_key(text, plan());
    return text;
  };
  std::vector<std::string> keys;
  chat.strategy = "balanced";
  keys.push_back(key_of_plan());
  chat.latency_ms_max = Milliseconds(1);
  keys.push_back(key_of_plan());
  chat.terms = {{2, {}}, {}};
  keys.push_back(key_of_plan());
  chat.terms = {{2, 0}, {}};
  keys.push_back(key_of_plan());
  for (std::uint32_t seed = 0; !plan().candidates[0].explored; ++seed) {
    ASSERT_LT(seed, 1'000U);
    estimates[1].times.reset();
    estimates[0].times = AnswerTimes{1, 2, 3};
    world.conditions.seed = seed;
  }
  keys.push_back(key_of_plan());
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " and " << j;
}

/// A random case: everything that a plan depends on.
struct Case {
  World world;
  std::vector<TargetEstimate> estimates;
  Key key;
  RequestFacts facts;
  TimePoint now;

  explicit Case(std::uint32_t number) {
    std::mt19937 random(number);
    const auto below = [&](unsigned limit) { return static_cast<int>(random() % limit); };
    std::vector<const Target*> targets;
    const int count = 1 + below(6);
    for (int i = 0; i < count; ++i) {
      const std::string name = std::to_string(i);
      Model& model = world.model("m" + name);
      if (below(5) != 0) model.prices = {price(std::to_string(below(4)).c_str(), std::to_string(below(9)).c_str())};
      if (below(2) != 0 && !model.prices.empty()) model.prices[0].rates.cached_input = Int128{below(1'000'000)} * 1'000;
      targets.push_back(&world.target(world.provider("p" + name), model));
      TargetEstimate estimate;
      for (double& bytes : estimate.bytes_per_token) bytes = 1 + below(700) / 100.0;
      if (below(2) != 0) estimate.repeated_tokens = below(20'000);
      if (below(3) != 0) estimate.times = AnswerTimes{below(3'000'000), below(5'000'000), below(90'000)};
      estimate.output_ratio = 0.5 + below(100) / 50.0;
      estimates.push_back(estimate);
      world.conditions.unhealthy.push_back(below(7) == 0);
    }
    Route& route = world.route("r", targets);
    const char* strategies[] = {"cheapest", "fastest", "ordered", "weighted", "balanced"};
    route.strategy = strategies[below(5)];
    if (below(2) != 0) route.latency_ms_max = Milliseconds(below(4'000));
    if (below(3) == 0) route.quality_min = below(100);
    for (int i = 0; i < count; ++i) route.terms.push_back({below(5), below(3) != 0 ? std::optional(below(101)) : std::nullopt});
    key.routes = {&route};
    facts.key = &key;
    facts.route = &route;
    for (auto& bytes : facts.text.of) bytes = below(40'000);
    world.conditions.estimates = estimates;
    world.conditions.seed = static_cast<std::uint32_t>(random());
    world.conditions.output_tokens_expected = below(100'000) / 10.0;
    now = sunday + std::chrono::seconds(below(1'000'000));
  }
  std::string text() const {
    const Plan plan = make_plan(facts, world.snapshot, world.conditions, now);
    return plan_text(plan) + expected_text(plan);
  }
};

TEST(Determinism, TheSameInputGivesTheSamePlanTwiceAndOnEveryThread) {
  constexpr std::uint32_t cases = 10'000 / FAIRLEAD_FEWER;
  std::vector<std::string> first(cases), again(cases);
  const auto half = [&](std::uint32_t begin, std::vector<std::string>& into) {
    for (std::uint32_t i = begin; i < cases; i += 2) into[i] = Case(i).text();
  };
  std::thread even(half, 0, std::ref(first)), odd(half, 1, std::ref(first));
  even.join();
  odd.join();
  half(1, again);
  half(0, again);
  std::size_t different = 0;
  for (std::uint32_t i = 0; i < cases; ++i) {
    ASSERT_EQ(first[i], again[i]) << i;
    different += i > 0 && first[i] != first[i - 1] ? 1 : 0;
  }
  EXPECT_GT(different, cases * 9 / 10) << "the cases are not all alike";
}

}  // namespace
}  // namespace fairlead
