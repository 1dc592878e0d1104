#include "plan/price.h"

#include "plan/plan.h"

#include "unit/plan/world.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

using testing::price;
using testing::ranked;
using testing::sunday;
using testing::World;

struct PriceStage : ::testing::Test {
  World world;
  Provider& provider = world.provider("p");
  Model& model = world.model("m");
  const Target& target = world.target(provider, model);
  Route& route = world.route("chat", {&target});
  Key key;
  RequestFacts facts;
  std::int64_t cached_tokens = 0, output_tokens = 400;

  PriceStage() {
    key.routes = {&route};
    facts.key = &key;
    facts.route = &route;
    facts.input_tokens = 1'000;
  }

  std::optional<ExpectedCost> expected(TimePoint now = sunday) {
    return expected_cost(target, {facts.input_tokens, cached_tokens, output_tokens}, facts.mode, world.snapshot, now);
  }
  std::string expected_usd(TimePoint now = sunday) {
    const auto cost = expected(now);
    return cost ? format_decimal(cost->usd_pico) : "unknown";
  }
  std::string rules() {
    std::vector<Rejection> found;
    reject_by_price(target, facts, expected(), found);
    std::string names;
    for (const Rejection& r : found) names += (names.empty() ? "" : " ") + r.rule;
    return names;
  }
};

TEST_F(PriceStage, ExpectsAllInputUncachedWhereNothingIsRepeated) {
  model.prices = {price("0.15", "0.60")};
  EXPECT_EQ(expected_usd(), "0.00039");  // 1,000 x 0.15 + 400 x 0.60
  const auto cost = *expected();
  EXPECT_EQ(cost.input_tokens, 1'000);
  EXPECT_EQ(cost.cached_tokens, 0);
  EXPECT_EQ(cost.output_tokens, 400);
  EXPECT_EQ(cost.price.entry, &model.prices[0]);
}

TEST_F(PriceStage, WhatTheCacheGivesCostsThePriceOfTheCache) {
  model.prices = {price("0.15", "0.60")};
  cached_tokens = 800;
  EXPECT_EQ(expected_usd(), "0.00039") << "the list knows no price of the cache";
  EXPECT_EQ(expected()->cached_tokens, 0);
  model.prices[0].rates.cached_input = *parse_decimal("0.015");
  EXPECT_EQ(expected_usd(), "0.000282");  // 200 x 0.15 + 800 x 0.015 + 400 x 0.60
  EXPECT_EQ(expected()->input_tokens, 200);
  EXPECT_EQ(expected()->cached_tokens, 800);
}

TEST_F(PriceStage, TheTierIsThatOfTheWholeInputCachedOrNot) {
  model.prices = {price("1", "1")};
  model.prices[0].rates.cached_input = *parse_decimal("0");
  model.prices[0].tiers = {{999, {*parse_decimal("10"), *parse_decimal("0"), {}, *parse_decimal("10")}}};
  cached_tokens = 1'000;
  EXPECT_EQ(expected_usd(), "0.004");
}

TEST_F(PriceStage, ConvertsAtTheConfiguredRate) {
  provider.currency = *parse_currency("CNY");
  model.prices = {price("1", "4", "CNY"), price("9", "9")};
  EXPECT_EQ(expected_usd(), "unknown") << "no rate";
  world.snapshot.usd_per["CNY"] = *parse_decimal("0.14");
  EXPECT_EQ(format_decimal(expected()->amount.pico), "0.0026");
  EXPECT_EQ(expected_usd(), "0.000364");
}

TEST_F(PriceStage, UsesTheWindowAndTheTierInForce) {
  Price p = price("0.15", "0.60");
  p.windows = {{"peak", {0b0011111, 60, 240}, {*parse_decimal("0.30"), {}, {}, *parse_decimal("1.20")}}};
  p.tiers = {{1'000, {*parse_decimal("1"), {}, {}, *parse_decimal("2")}}};
  model.prices = {p};
  EXPECT_EQ(expected_usd(sunday + std::chrono::hours{2}), "0.00039");
  EXPECT_EQ(expected_usd(sunday + std::chrono::hours{26}), "0.00078");
  facts.input_tokens = 1'001;
  EXPECT_EQ(expected_usd(sunday + std::chrono::hours{26}), "0.001801");
}

TEST_F(PriceStage, M06WithoutAPriceTheCostIsUnknownAndNeverZero) {
  EXPECT_EQ(expected_usd(), "unknown");
  model.prices = {price("1", "1", "CNY")};
  EXPECT_EQ(expected_usd(), "unknown") << "no list in the account's currency";
  model.prices = {price("1", "1")};
  model.prices[0].rates.output.reset();
  EXPECT_EQ(expected_usd(), "unknown") << "half a price";
  model.prices = {price("0", "0")};
  EXPECT_EQ(expected_usd(), "0") << "an explicit price of 0 is free";
}

TEST_F(PriceStage, MaxPriceIsALimitThatMayBeReached) {
  model.prices = {price("1", "4")};
  EXPECT_EQ(rules(), "");
  route.max_price = {*parse_decimal("1"), *parse_decimal("4")};
  EXPECT_EQ(rules(), "");
  route.max_price.input = *parse_decimal("0.999999999999");
  EXPECT_EQ(rules(), "max_price.input");
  route.max_price.output = *parse_decimal("3.99");
  EXPECT_EQ(rules(), "max_price.input max_price.output");
  route.max_price = {{}, *parse_decimal("3.99")};
  EXPECT_EQ(rules(), "max_price.output");
}

TEST_F(PriceStage, MaxPriceIsInUsdWhateverTheList) {
  provider.currency = *parse_currency("CNY");
  world.snapshot.usd_per["CNY"] = *parse_decimal("0.14");
  model.prices = {price("1", "4", "CNY")};
  route.max_price = {*parse_decimal("0.14"), *parse_decimal("0.56")};
  EXPECT_EQ(rules(), "");
  route.max_price = {*parse_decimal("0.13"), *parse_decimal("0.55")};
  EXPECT_EQ(rules(), "max_price.input max_price.output");
}

TEST_F(PriceStage, WithoutAPriceNoMaxPriceIsKept) {
  EXPECT_EQ(rules(), "");
  route.max_price.output = *parse_decimal("1000");
  EXPECT_EQ(rules(), "max_price.output");
}

TEST_F(PriceStage, NamingATargetGetsRoundNoMaxPrice) {
  model.prices = {price("1", "4")};
  route.max_price.input = *parse_decimal("0.5");
  facts.route = nullptr;
  facts.target = &target;
  EXPECT_EQ(rules(), "max_price.input");
}

TEST_F(PriceStage, TheReasonSaysWhatItCostsAndWhatIsPaid) {
  model.prices = {price("1", "4")};
  route.max_price.input = *parse_decimal("0.5");
  std::vector<Rejection> found;
  reject_by_price(target, facts, expected(), found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].reason, "its input costs 1 USD per million tokens now, route chat pays 0.5 at most");
  EXPECT_EQ(found[0].by, RejectedBy::price);
}

TEST_F(PriceStage, ThinkingAndTheServiceTierAskedForAreInTheExpectation) {
  Price p = price("1", "10");
  p.thinking.output = *parse_decimal("20");
  p.service_tiers[static_cast<int>(ServiceTier::flex)] = *parse_decimal("0.5");
  model.prices = {p};
  EXPECT_EQ(expected_usd(), "0.005");  // 1,000 x 1 + 400 x 10
  facts.mode.service_tier = ServiceTier::flex;
  EXPECT_EQ(expected_usd(), "0.0025");
  facts.mode.thinking.set(ThinkingSwitch::reasoning_effort, true);
  EXPECT_EQ(expected_usd(), "0.0045");
  world.profile_of(provider).thinking_switches = 0;
  EXPECT_EQ(expected_usd(), "0.0025") << "the provider heeds no such switch";
  model.thinks_by_default = true;
  EXPECT_EQ(expected_usd(), "0.0045");
}

TEST_F(PriceStage, AStrictConfigurationSendsNothingToATargetWhosePriceIsDoubted) {
  model.prices = {price("1", "4")};
  const auto doubts = [&](TimePoint now) {
    std::vector<Rejection> found;
    reject_by_doubt(target, world.snapshot, now, found);
    std::string lines;
    for (const Rejection& r : found) lines += std::string(to_string(r.by)) + " " + r.rule + ": " + r.reason + "\n";
    return lines;
  };
  const std::string stale = "price prices.strict: its price was last seen in force on 2026-01-01, more than 180 days ago\n";
  EXPECT_EQ(doubts(sunday), "");
  world.snapshot.price_rules.strict = true;
  EXPECT_EQ(doubts(sunday), stale);
  EXPECT_EQ(ranked(make_plan(facts, world.snapshot, world.conditions, sunday)), "");
  model.prices[0].seen = sunday;
  EXPECT_EQ(doubts(sunday), "");
  EXPECT_EQ(ranked(make_plan(facts, world.snapshot, world.conditions, sunday)), "p/m");
  model.prices[0].implausible = "is odd";
  EXPECT_EQ(doubts(sunday), "price prices.strict: its price is odd\n");
  model.prices.clear();
  EXPECT_EQ(doubts(sunday), "price prices.strict: its price is not known\n");
}

}  // namespace
}  // namespace fairlead
