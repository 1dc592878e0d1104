#include "state/estimates.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "unit/state/noon.h"

namespace fairlead::state {
namespace {

/// Two targets behind one route, and a key.
struct Shared : ::testing::Test {
  std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
  Key key;
  RequestFacts facts;
  Estimates estimates;

  Shared() {
    snapshot->routes.push_back(std::make_unique<Route>());
    Route& route = *snapshot->routes[0];
    route.name = "chat";
    for (const char* name : {"a/x", "b/x"}) {
      snapshot->providers.push_back(std::make_unique<Provider>());
      snapshot->targets.push_back(std::make_unique<Target>());
      Target& target = *snapshot->targets.back();
      target.name = name;
      target.provider = snapshot->providers.back().get();
      target.index = static_cast<int>(snapshot->targets.size()) - 1;
      route.targets.push_back(&target);
    }
    key.name = "app";
    facts.key = &key;
    facts.route = &route;
    facts.text.of = {900, 90, 0, 0};
    facts.conversation = {11, 22, 0.5};
  }
  const Target& target(std::size_t i) const { return *snapshot->targets[i]; }

  void answered(Estimates::Reader& reader, std::size_t i, std::int64_t tokens, std::int64_t choices = 1, bool cut = false) {
    Usage usage;
    usage.input = 300;
    usage.output = tokens;
    reader.note({&target(i), &facts, &usage, {}, {}, 700'000, {}, false, choices, cut}, *snapshot, noon);
  }
  double expected(Estimates::Reader& reader, std::size_t i) {
    const Conditions conditions = reader.conditions(facts, snapshot, false, noon);
    return conditions.output_tokens_expected * conditions.estimate_of(target(i)).output_ratio;
  }

  void settle(Estimates::Reader& reader, std::size_t i) {
    Usage usage;
    usage.input = 300;
    usage.output = 50;
    reader.note({&target(i), &facts, &usage, {}, 200'000, 700'000, {}, false}, *snapshot, noon);
  }
};

TEST_F(Shared, WhatOneWorkerLearnsAllKnow) {
  Estimates::Reader one(estimates), other(estimates);
  EXPECT_FALSE(other.conditions(facts, snapshot, true, noon).estimate_of(target(0)).times);
  settle(one, 0);
  const Conditions conditions = other.conditions(facts, snapshot, true, noon);
  EXPECT_TRUE(conditions.estimate_of(target(0)).times);
  EXPECT_EQ(conditions.estimate_of(target(0)).repeated_tokens, 350);
  EXPECT_FALSE(conditions.estimate_of(target(1)).times) << "the other target is its own";
  EXPECT_FALSE(conditions.estimate_of(target(1)).repeated_tokens);
}

TEST_F(Shared, TimesAreGatheredWhereTheyAreAskedForAlone) {
  Estimates::Reader reader(estimates);
  settle(reader, 0);
  EXPECT_FALSE(reader.conditions(facts, snapshot, false, noon).estimate_of(target(0)).times);
  EXPECT_TRUE(reader.conditions(facts, snapshot, true, noon).estimate_of(target(0)).times);
}

TEST_F(Shared, TargetsAreShownBeforeTheirFirstRequest) {
  EXPECT_TRUE(estimates.everything().targets.empty());
  estimates.know(*snapshot);
  EXPECT_EQ(estimates.everything().targets.size(), 2U);
}

TEST_F(Shared, ImagesTeachNothingOfText) {
  facts.needs.add(Capability::vision);
  Estimates::Reader reader(estimates);
  settle(reader, 0);
  EXPECT_EQ(reader.conditions(facts, snapshot, false, noon).estimate_of(target(0)).bytes_per_token, prior_bytes_per_token);
}

/// The route and the target's ratio learn of it, and are multiplied.
TEST_F(Shared, NoAnswerMakesALongerOneExpected) {
  for (const std::vector<std::int64_t>& before : std::vector<std::vector<std::int64_t>>{{}, {5}, {5, 5, 5, 5, 5}, {2'000, 1}}) {
    Estimates own;
    Estimates::Reader reader(own);
    for (const std::int64_t tokens : before) answered(reader, 0, tokens);
    for (int i = 0; i < 6; ++i) {
      answered(reader, 0, 12'000);
      EXPECT_LE(expected(reader, 0), 12'000) << before.size() << " before, then " << i + 1;
    }
    EXPECT_GT(expected(reader, 0), 4'000) << before.size() << " before";
  }
}

/// With `max_cost` on its route, whatever is expected to be dearer is refused, and teaches nothing.
TEST_F(Shared, OneLongAnswerMakesFewTimesThePriorExpectedAndNotForGood) {
  Estimates::Reader reader(estimates);
  answered(reader, 0, 100'000);
  EXPECT_LT(expected(reader, 0), 6 * 400);
  for (int i = 0; i < 20; ++i) answered(reader, 0, 100'000);
  EXPECT_GT(expected(reader, 0), 40'000) << "what is so indeed, is learned";
  const auto after = [&](int days) {
    const Conditions conditions = reader.conditions(facts, snapshot, false, noon + std::chrono::hours(24 * days));
    return conditions.output_tokens_expected * conditions.estimate_of(target(0)).output_ratio;
  };
  EXPECT_LT(after(3), 2 * 400);
  EXPECT_NEAR(after(10), 400, 1);
}

TEST_F(Shared, EachChoiceThatCameIsAnAnswer) {
  Estimates::Reader reader(estimates);
  facts.choices = 4;
  for (int i = 0; i < 50; ++i) answered(reader, 0, 400, 1);
  EXPECT_NEAR(expected(reader, 0), 400, 1) << "its provider ignores `n`";
  for (int i = 0; i < 300; ++i) answered(reader, 0, 400, 4);
  EXPECT_NEAR(expected(reader, 0), 100, 20);
}

TEST_F(Shared, AnAnswerThatItsCapCutSaysNoMoreThanThatItWouldHaveBeenLonger) {
  Estimates::Reader reader(estimates);
  for (int i = 0; i < 50; ++i) answered(reader, 0, 10, 1, true);
  EXPECT_EQ(expected(reader, 0), 400);
  for (int i = 0; i < 50; ++i) answered(reader, 0, 1'000, 1, true);
  EXPECT_GT(expected(reader, 0), 800);
}

TEST_F(Shared, WorkersLearnAndLookAtOnce) {
  constexpr int workers = 4, attempts = 2'000;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers; ++i)
    threads.emplace_back([&, i] {
      Estimates::Reader reader(estimates);
      for (int n = 0; n < attempts; ++n) {
        reader.conditions(facts, snapshot, true, noon);
        settle(reader, i % 2);
        if (n % 100 == 0) estimates.everything();
      }
    });
  for (std::thread& thread : threads) thread.join();
  const Everything all = estimates.everything();
  for (const char* name : {"a/x", "b/x"})
    EXPECT_DOUBLE_EQ(all.targets.at(name).first_token.total, attempts * workers / 2) << "no attempt is lost";
}

}  // namespace
}  // namespace fairlead::state
