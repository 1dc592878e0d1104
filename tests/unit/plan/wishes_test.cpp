#include "plan/wishes.h"

#include "plan/refusal.h"
#include "unit/plan/stage.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

namespace fairlead {
namespace {

using testing::policy;
using testing::price;
using testing::ranked;
using testing::rejected;

struct WishesStage : testing::PlanStage {
  Provider& deepseek = world.provider("deepseek", {"CN", "CN", "cloud", "provider"});
  Provider& openai = world.provider("openai", {"US", "US", "cloud", "none"});
  Provider& onprem = world.provider("onprem", {"ZA", "ZA", "self", "none"});
  Model& flash = world.model("flash", "CN");
  Model& luna = world.model("luna", "US");
  Model& local = world.model("local", "CN");
  const Target& deepseek_flash = world.target(deepseek, flash);
  const Target& openai_luna = world.target(openai, luna);
  const Target& onprem_local = world.target(onprem, local);
  Route& chat = world.route("chat", {&deepseek_flash, &openai_luna, &onprem_local});
  Route& mine = world.route("mine", {&onprem_local});
  Route& foreign = world.route("foreign", {&openai_luna});
  Wishes wishes;

  WishesStage() {
    flash.prices = {price("1", "1")};
    luna.prices = {price("2", "2")};
    local.prices = {price("3", "9")};
    ask_for({&chat, &mine});
    facts.wishes = &wishes;
  }
};

TEST_F(WishesStage, NarrowAndReorder) {
  struct Row {
    const char* meaning;
    std::function<void(Wishes&)> wish;
    const char *ranked, *rejected;
  };
  for (const Row& row : std::vector<Row>{
           {"none", [](Wishes&) {}, "deepseek/flash openai/luna onprem/local", ""},
           {"only providers and targets",
            [](Wishes& w) {
              w.only = {"openai", "onprem/local", "nobody"};
            },
            "openai/luna onprem/local", "deepseek/flash: wish provider.only\n"},
           {"ignore",
            [](Wishes& w) {
              w.ignore = {"deepseek", "onprem/other"};
            },
            "openai/luna onprem/local", "deepseek/flash: wish provider.ignore\n"},
           {"order puts first what it names",
            [](Wishes& w) {
              w.order = {"onprem", "openai"};
            },
            "onprem/local openai/luna deepseek/flash", ""},
           {"an order without fallbacks is all there is",
            [](Wishes& w) {
              w.order = {"onprem", "openai"}, w.fallbacks = false;
            },
            "onprem/local openai/luna", "deepseek/flash: wish provider.allow_fallbacks\n"},
           {"no fallbacks", [](Wishes& w) { w.fallbacks = false; }, "deepseek/flash",
            "onprem/local: wish provider.allow_fallbacks\nopenai/luna: wish provider.allow_fallbacks\n"},
           {"nobody keeps it", [](Wishes& w) { w.keep_nothing = true; }, "openai/luna onprem/local",
            "deepseek/flash: wish provider.data_collection\n"},
           {"prices", [](Wishes& w) { w.max_input_price = parse_decimal("2.5").value(); }, "deepseek/flash openai/luna",
            "onprem/local: wish provider.max_price.input\n"},
           {"prices of output", [](Wishes& w) { w.max_output_price = parse_decimal("1").value(); }, "deepseek/flash",
            "openai/luna: wish provider.max_price.output\nonprem/local: wish provider.max_price.output\n"},
           {"models, by target and model",
            [](Wishes& w) {
              w.models = {"onprem/local", "flash"};
            },
            "onprem/local deepseek/flash", "openai/luna: wish models\n"},
           {"models, by route",
            [](Wishes& w) {
              w.models = {"mine", "chat"};
            },
            "onprem/local deepseek/flash openai/luna", ""},
           {"a route that the key may not ask for",
            [](Wishes& w) {
              w.models = {"foreign", "mine"};
            },
            "onprem/local", "deepseek/flash: wish models\nopenai/luna: wish models\n"},
       }) {
    wishes = {};
    row.wish(wishes);
    EXPECT_EQ(ranked(plan()), row.ranked) << row.meaning;
    EXPECT_EQ(rejected(plan()), row.rejected) << row.meaning;
  }
}

TEST_F(WishesStage, WhoWishesThatNobodyKeepsItMayNotAskForThat) {
  wishes.keep_nothing = true;
  EXPECT_EQ(ranked(plan()), "openai/luna onprem/local");
  facts.keeping = Keeping::store;
  const Plan none = plan();
  EXPECT_EQ(ranked(none), "");
  EXPECT_EQ(refusal_of(none, "r1").message(),
            "no target that this request may reach satisfies its wishes: the request wishes that nobody keeps it, and the request "
            "asks the "
            "provider to keep it (store)");
}

TEST_F(WishesStage, SortTakesThePlaceOfTheRoutesStrategy) {
  chat.strategy = "ordered";
  flash.prices = {price("5", "5")};
  EXPECT_EQ(ranked(plan()), "deepseek/flash openai/luna onprem/local");
  wishes.sort = Wishes::Sort::price;
  EXPECT_EQ(ranked(plan()), "openai/luna onprem/local deepseek/flash");
  EXPECT_EQ(plan().strategy, "cheapest");
}

TEST_F(WishesStage, AFieldThatATargetIsNotSentCanBeRequired) {
  world.profile_of(deepseek).drop = {"seed"};
  wishes.require_parameters = true;
  const std::vector<Member> fields{{"model", 0, 0, 0}, {"seed", 0, 0, 0}};
  EXPECT_EQ(plan().candidates.size(), 3U);
  facts.fields = fields;
  EXPECT_EQ(rejected(plan()), "deepseek/flash: wish provider.require_parameters\n");
}

TEST_F(WishesStage, AReasonNamesAFewOfManyNames) {
  const auto reason = [&] {
    const Plan made = plan();
    return made.rejections.empty() ? "" : made.rejections.front().reason;
  };
  wishes.only = {"openai", "onprem/local"};
  EXPECT_EQ(reason(), "the request wishes for openai, onprem/local");
  wishes.only.assign(64, "openai/" + std::string(60, 'x'));
  const std::string name = wishes.only.front();
  EXPECT_EQ(reason(), "the request wishes for " + name + ", " + name + " and 62 more");
  wishes.only.assign(2, std::string(500, 'x'));
  EXPECT_EQ(reason(), "the request wishes for " + wishes.only.front() + " and 1 more");
}

TEST_F(WishesStage, NoWishReachesWhatAPolicyDenies) {
  set_policies(world, {policy("home", {}, {{Fact::hosting, {"self"}}})});
  wishes.only = wishes.order = {"deepseek", "onprem"};
  EXPECT_EQ(ranked(plan()), "onprem/local");
  wishes.only = {"deepseek"};
  EXPECT_EQ(ranked(plan()), "");
  wishes = {};
  wishes.fallbacks = false;
  EXPECT_EQ(ranked(plan()), "onprem/local") << "the best of what is allowed";
}

TEST_F(WishesStage, WithoutFallbacksTheBestHealthyOneIsLeft) {
  wishes.fallbacks = false;
  world.conditions.unhealthy = {true};
  EXPECT_EQ(ranked(plan()), "openai/luna");
}

TEST_F(WishesStage, AModelThatTheKeyMayNotAskForIsRefused) {
  const auto fault = [&](std::vector<std::string> models) {
    wishes.models = std::move(models);
    const auto checked = check_wishes(facts, world.snapshot);
    return checked ? "" : checked.error().param();
  };
  EXPECT_EQ(fault({}), "");
  EXPECT_EQ(fault({"chat", "mine", "luna", "openai/luna"}), "");
  EXPECT_EQ(fault({"chat", "foreign"}), "models[1]");
  EXPECT_EQ(fault({"Chat"}), "models[0]");
  facts.wishes = nullptr;
  EXPECT_TRUE(check_wishes(facts, world.snapshot));
}

TEST_F(WishesStage, ANameThatIsNowhereIsRefusedAndWhatTheKeyMayNotReachIsNot) {
  struct Row {
    std::vector<std::string> Wishes::*list;
    const char *name, *param, *message;
  };
  Provider& hidden = world.provider("hidden", {});
  world.target(hidden, world.model("secret", "US"));
  for (const Row& row : std::vector<Row>{
           {&Wishes::ignore, "deepseek", "", ""},
           {&Wishes::ignore, "onprem/local", "", ""},
           {&Wishes::ignore, "hidden", "", ""},
           {&Wishes::ignore, "hidden/secret", "", ""},
           {&Wishes::ignore, "depseek", "provider.ignore", "There is no provider or target 'depseek'; did you mean 'deepseek'?"},
           {&Wishes::order, "DeepSeek", "provider.order", "There is no provider or target 'DeepSeek'; did you mean 'deepseek'?"},
           {&Wishes::only, "onprem/locla", "provider.only",
            "There is no provider or target 'onprem/locla'; did you mean 'onprem/local'?"},
           {&Wishes::only, "hiden", "provider.only", "There is no provider or target 'hiden'."},
       }) {
    wishes = {};
    (wishes.*row.list) = {"openai", row.name};
    const auto checked = check_wishes(facts, world.snapshot);
    EXPECT_EQ(checked ? "" : checked.error().param(), row.param) << row.name;
    EXPECT_EQ(checked ? "" : checked.error().message(), row.message) << row.name;
  }
}

/// As a wide configuration has it: some thirty routes over the same thousand targets.
TEST_F(WishesStage, ManyTargetsAndNamesTakeNoTimeToSpeakOf) {
  std::vector<const Target*> targets;
  for (int i = 0; i < 1'000; ++i) {
    Model& model = world.model("model-number-" + std::to_string(1'000 + i), "US");
    model.prices = {price("1", "1")};
    targets.push_back(&world.target(openai, model));
  }
  key.routes = {&world.route("big", targets)};
  for (int i = 0; i < 30; ++i) key.routes.push_back(&world.route("route-" + std::to_string(i), targets));
  facts.route = key.routes.front();
  const auto began = std::chrono::steady_clock::now();
  wishes.only = {"openai/model-number-x" + std::string(50, 'y')};
  EXPECT_FALSE(check_wishes(facts, world.snapshot));
  wishes = {};
  for (int i = 0; i < 63; ++i) wishes.models.push_back(targets[static_cast<std::size_t>(i)]->name);
  wishes.models.push_back("big");
  for (int i = 0; i < 64; ++i) wishes.order.push_back(targets[static_cast<std::size_t>(999 - i)]->name);
  EXPECT_TRUE(check_wishes(facts, world.snapshot));
  const Plan made = plan();
  EXPECT_EQ(made.candidates.size(), 1'000U);
  EXPECT_EQ(made.candidates.at(0).target, targets[0]);
  EXPECT_EQ(made.candidates.at(63).target, targets[999]) << "of those that the route names, the first of the order";
  EXPECT_EQ(made.candidates.at(127).target, targets[63]) << "in the order of the file";
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_LT(took.count(), 0.5 * FAIRLEAD_FEWER + 0.5) << "seconds";
}

TEST_F(WishesStage, OfManyNamesTheFirstAreWhatMayHaveBeenMeant) {
  std::vector<const Target*> targets;
  for (int i = 0; i < 1'000; ++i) targets.push_back(&world.target(openai, world.model("m" + std::to_string(1'000 + i), "US")));
  targets.push_back(&world.target(openai, world.model("zebra", "US")));
  ask_for({&world.route("big", targets)});
  const auto message = [&](const char* name) {
    wishes.only = {name};
    return check_wishes(facts, world.snapshot).error().message();
  };
  EXPECT_EQ(message("openai/n1001"), "There is no provider or target 'openai/n1001'; did you mean 'openai/m1001'?");
  EXPECT_EQ(message("openai/zebar"), "There is no provider or target 'openai/zebar'.") << "it stands too far behind";
}

}  // namespace
}  // namespace fairlead
