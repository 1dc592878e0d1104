#include "plan/plan.h"

#include "unit/plan/stage.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fairlead {
namespace {

using testing::only;
using testing::policy;
using testing::price;
using testing::ranked;
using testing::rejected;
using testing::sunday;

/// The three providers and the machine of one's own that the product's sentence is about.
struct PlanTest : testing::PlanStage {
  Provider& deepseek = world.provider("deepseek", {"CN", "CN", "cloud", "provider"});
  Provider& qwen = world.provider("qwen", {"CN", "SG", "cloud", "none"});
  Provider& openai = world.provider("openai", {"US", "US", "cloud", "provider"});
  Provider& onprem = world.provider("onprem", {"ZA", "ZA", "self", "none"});
  Model& flash = world.model("flash", "CN");
  Model& plus = world.model("plus", "CN");
  Model& luna = world.model("luna", "US");
  Model& local = world.model("local", "CN");
  const Target& openai_luna = world.target(openai, luna);
  const Target& onprem_local = world.target(onprem, local);
  const Target& qwen_plus = world.target(qwen, plus);
  const Target& deepseek_flash = world.target(deepseek, flash);
  Route& chat = world.route("chat", {&openai_luna, &onprem_local, &qwen_plus, &deepseek_flash});

  PlanTest() {
    luna.prices = {price("0.10", "0.50")};   // 0.0003 for 1,000 in and 400 out
    flash.prices = {price("0.15", "0.60")};  // 0.00039
    plus.prices = {price("0.40", "1.20")};   // 0.00088
    ask_for({&chat});
  }
};

TEST_F(PlanTest, M06CheapestFirstAndUnpricedLast) {
  const Plan p = plan();
  EXPECT_EQ(ranked(p), "openai/luna deepseek/flash qwen/plus onprem/local");
  EXPECT_EQ(rejected(p), "");
  EXPECT_EQ(p.strategy, "cheapest");
  EXPECT_EQ(format_decimal(p.candidates[0].expected->usd_pico), "0.0003");
  EXPECT_FALSE(p.candidates[3].expected) << "unknown, which is not 0";
}

TEST_F(PlanTest, AnExplicitPriceOfZeroIsFree) {
  local.prices = {price("0", "0")};
  EXPECT_EQ(ranked(plan()), "onprem/local openai/luna deepseek/flash qwen/plus");
}

TEST_F(PlanTest, OrderedKeepsTheOrderOfTheFile) {
  chat.strategy = "ordered";
  EXPECT_EQ(ranked(plan()), "openai/luna onprem/local qwen/plus deepseek/flash");
}

TEST_F(PlanTest, TiesFallToTheOrderOfTheFile) {
  for (Model* m : {&luna, &flash, &plus, &local}) m->prices = {price("1", "1")};
  EXPECT_EQ(ranked(plan()), "openai/luna onprem/local qwen/plus deepseek/flash");
}

TEST_F(PlanTest, TheUnhealthyGoBehindTheHealthyAndStayWhenAllAre) {
  for (const char* strategy : {"cheapest", "ordered"}) {
    chat.strategy = strategy;
    world.conditions.unhealthy = {true};  // openai/luna
    EXPECT_EQ(plan().candidates.back().target, &openai_luna) << strategy;
    EXPECT_EQ(plan().candidates.size(), 4U);
    world.conditions.unhealthy = {};
    const std::string all_healthy = ranked(plan());
    world.conditions.unhealthy = {true, true, true, true};
    EXPECT_EQ(ranked(plan()), all_healthy) << strategy;
  }
}

TEST_F(PlanTest, EveryRejectionOfEveryStageIsKeptInTheOrderOfTheFile) {
  deepseek.disabled_because = "api_key: DEEPSEEK_API_KEY is not set";
  plus.capabilities_stated = true;
  facts.needs.add(Capability::vision);
  chat.max_price.input = *parse_decimal("0.12");
  set_policies(world, {policy("not-from-china", {}, {}, {{Fact::origin, {"CN"}}}),
                       policy("not-run-by-china", {}, {}, {{Fact::operator_, {"CN"}}})});
  const Plan p = plan();
  EXPECT_EQ(ranked(p), "openai/luna");
  EXPECT_EQ(rejected(p),
            "onprem/local: policy not-from-china\n"
            "onprem/local: price max_price.input\n"
            "qwen/plus: capability vision\n"
            "qwen/plus: policy not-from-china\n"
            "qwen/plus: policy not-run-by-china\n"
            "qwen/plus: price max_price.input\n"
            "deepseek/flash: provider_disabled deepseek\n"
            "deepseek/flash: policy not-from-china\n"
            "deepseek/flash: policy not-run-by-china\n"
            "deepseek/flash: price max_price.input\n");
}

TEST_F(PlanTest, M45NoTargetThatAPolicyRefusesIsACandidateHoweverIllTheAllowedOnesAre) {
  set_policies(world, {policy("own-machines", {.keys = only({1})}, {{Fact::hosting, {"self"}}})});
  key.index = 1;
  for (const bool priced : {false, true}) {
    for (const bool ill : {false, true}) {
      local.prices = priced ? std::vector{price("9999", "9999")} : std::vector<Price>{};
      world.conditions.unhealthy = {false, ill, false, false};
      EXPECT_EQ(ranked(plan()), "onprem/local");
    }
  }
  onprem.disabled_because = "no key";
  EXPECT_EQ(ranked(plan()), "") << "and none at all is better than one that is refused";
  EXPECT_EQ(plan_reasons(plan()).size(), 4U);
  key.index = 0;
  EXPECT_EQ(plan().candidates.size(), 3U);
}

TEST_F(PlanTest, ANamedTargetStandsUnderTheSameRules) {
  facts.route = nullptr;
  facts.target = &qwen_plus;
  EXPECT_EQ(ranked(plan()), "qwen/plus");
  set_policies(world, {policy("chat-stays-home", {.routes = only({0})}, {{Fact::region, {"ZA"}}})});
  EXPECT_EQ(ranked(plan()), "");
  EXPECT_EQ(rejected(plan()), "qwen/plus: policy chat-stays-home\n");
}

TEST_F(PlanTest, TheSameInputGivesTheSamePlan) {
  set_policies(world, {policy("no-training", {}, {}, {{Fact::retention, {"trains"}}}, "ours")});
  world.conditions.unhealthy = {false, false, true};
  const std::string first = plan_text(plan());
  for (int i = 0; i < 100; ++i) ASSERT_EQ(plan_text(plan()), first);
}

TEST_F(PlanTest, ThePriceIsThatOfTheMoment) {
  Price later = price("0.01", "0.01");
  later.from = sunday + std::chrono::days{1};
  plus.prices.push_back(later);
  EXPECT_EQ(plan().candidates[0].target, &openai_luna);
  EXPECT_EQ(plan(later.from).candidates[0].target, &qwen_plus);
}

TEST_F(PlanTest, IsKeptAsJsonWithExactDecimals) {
  chat.targets = {&deepseek_flash, &onprem_local, &openai_luna};
  flash.prices[0].rates.cached_input = *parse_decimal("0.003");
  flash.prices[0].windows = {{"weekend", {0b1100000, 0, 0}, {}}};
  set_policies(world, {policy("not-\"us\"", {}, {}, {{Fact::origin, {"US"}}}, "a reason")});
  deepseek.facts.labels["dpa"] = sunday + std::chrono::days{2};
  const Plan made = plan();
  EXPECT_EQ(
      plan_text(made),
      R"({"strategy":"cheapest","policies":["not-\"us\""],"candidates":[{"target":"deepseek/flash","facts":{"origin":"CN",)"
      R"("operator":"CN","region":"CN","hosting":"cloud","retention":"provider","labels":{"dpa":"2026-11-24"}},"currency":"USD",)"
      R"("rates":{"input":"0.15","cached_input":"0.003","output":"0.6"},"price_from":"2026-01-01T00:00:00Z","window":"weekend"},)"
      R"({"target":"onprem/local","facts":{"origin":"CN","operator":"ZA","region":"ZA","hosting":"self","retention":"none"}}],)"
      R"("rejections":[{"target":"openai/luna","by":"policy","rule":"not-\"us\"","reason":"its origin is US, denied is US: a reason"}]})");
  EXPECT_EQ(expected_text(made), "[[1000,0,400,390000000],null]");
  const auto whole = nlohmann::json::parse(whole_plan_text(plan_text(made), expected_text(made)));
  const auto& flash_told = whole["candidates"][0];
  EXPECT_EQ(flash_told["expected_usd"], "0.00039");
  EXPECT_EQ(flash_told["amount"], "0.00039");
  EXPECT_EQ(flash_told["input_tokens"], 1000);
  EXPECT_EQ(flash_told["cached_tokens"], 0);
  EXPECT_EQ(flash_told["output_tokens"], 400);
  EXPECT_TRUE(whole["candidates"][1]["expected_usd"].is_null());
}

TEST_F(PlanTest, WhatIsNoPlanIsToldAsItStands) {
  EXPECT_EQ(whole_plan_text("nonsense", "[]"), "null");
  EXPECT_EQ(whole_plan_text(R"({"candidates":7})", "nonsense"), R"({"candidates":7})");
  EXPECT_EQ(whole_plan_text(R"({"candidates":[{"target":"a","rates":{"input":"x"}},1]})", R"([[1,"2",3,4],[]])"),
            R"({"candidates":[{"target":"a","rates":{"input":"x"},"expected_usd":null},1]})");
}

TEST_F(PlanTest, TheKeyTellsPlansOfDifferentTextsApart) {
  const auto key_of = [](const Plan& made) {
    std::string text;
    append_plan_key(text, made);
    return text;
  };
  const Plan all = plan();
  facts.input_tokens += 7;
  const Plan longer = plan();
  EXPECT_EQ(key_of(all), key_of(longer));
  EXPECT_EQ(plan_text(all), plan_text(longer));
  EXPECT_NE(expected_text(all), expected_text(longer));
  set_policies(world, {policy("refuses-nothing", {}, {}, {{Fact::origin, {"AQ"}}})});
  EXPECT_NE(key_of(all), key_of(plan()));
  EXPECT_NE(plan_text(all), plan_text(plan())) << "it applied";
  set_policies(world, {policy("no-us", {}, {}, {{Fact::origin, {"US"}}}, "a reason")});
  EXPECT_NE(key_of(all), key_of(plan()));
}

TEST_F(PlanTest, TheRateToUsdIsKeptWhereThereIsOne) {
  EXPECT_EQ(plan_text(plan()).find("usd_rate"), std::string::npos) << "all in USD";
  openai.currency = *parse_currency("CNY");
  luna.prices = {price("1", "4", "CNY")};
  std::string keys[2];
  for (const char* rate : {"0.14", "0.15"}) {
    world.snapshot.usd_per["CNY"] = *parse_decimal(rate);
    const Plan made = plan();
    EXPECT_NE(plan_text(made).find("\"usd_rate\":\"" + std::string(rate) + "\""), std::string::npos);
    append_plan_key(keys[rate == std::string("0.15")], made);
  }
  EXPECT_NE(keys[0], keys[1]);
}

TEST_F(PlanTest, WindowsOfOneNameAreToldApart) {
  PriceWindow early{"peak", {0x7f, 0, 12 * 60}, {}}, late{"peak", {0x7f, 12 * 60, 0}, {}};
  early.rates.input = *parse_decimal("2");
  late.rates.input = *parse_decimal("5");
  flash.prices[0].windows = {early, late};
  const Plan morning = plan(), evening = plan(sunday + std::chrono::hours{18});
  EXPECT_NE(plan_text(morning), plan_text(evening));
  std::string keys[2];
  append_plan_key(keys[0], morning);
  append_plan_key(keys[1], evening);
  EXPECT_NE(keys[0], keys[1]);
}

TEST_F(PlanTest, NamesThatAreNotUtf8StillGiveJson) {
  set_policies(world, {policy("\xff\xfe", {}, {}, {{Fact::origin, {"US"}}}, "\xc3")});
  EXPECT_TRUE(nlohmann::json::accept(plan_text(plan())));
}

}  // namespace
}  // namespace fairlead
