// What estimates become of real prompts, counted by the tokenizers of three makers: prose, Chinese and code. prompts.json holds
// texts of our own with their token counts, the chat template's included.
#include "state/estimates.h"

#include <fairlead/dialect.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <functional>

#include "plan/classify.h"
#include "plan/expect.h"

namespace fairlead {
namespace {

using Json = nlohmann::json;

const TimePoint noon{std::chrono::hours(500'000)};

struct Prompt {
  std::string kind;
  RequestFacts facts;
  std::int64_t tokens = 0;
};

/// One target, a route and a key, and a worker that learns.
struct Learning : ::testing::TestWithParam<std::string> {
  std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
  state::Estimates estimates;
  state::Estimates::Reader reader{estimates};
  std::vector<Prompt> prompts;

  Learning() {
    snapshot->providers.push_back(std::make_unique<Provider>());
    snapshot->models.push_back(std::make_unique<Model>());
    snapshot->targets.push_back(std::make_unique<Target>());
    Target& target = *snapshot->targets[0];
    target.name = "p/m";
    target.provider = snapshot->providers[0].get();
    target.model = snapshot->models[0].get();
    snapshot->routes.push_back(std::make_unique<Route>());
    snapshot->routes[0]->name = "chat";
    snapshot->routes[0]->targets = {&target};
    snapshot->keys.resize(1);
    snapshot->keys[0].name = "app";
    snapshot->keys[0].routes = {snapshot->routes[0].get()};
  }

  /// Of prompts.json, by one tokenizer.
  void read_prompts(const std::string& tokenizer, bool ascii) {
    std::ifstream file(FAIRLEAD_SOURCE_DIR "/tests/unit/exchange/prompts.json");
    for (const Json& row : Json::parse(file)) {
      const Json body{{"model", "chat"}, {"messages", Json::array({Json{{"role", "user"}, {"content", row["text"]}}})}};
      auto request = find_dialect("openai")->parse_request(body.dump(-1, ' ', ascii));
      auto facts = classify(*request, snapshot->keys[0]);
      prompts.push_back({row["kind"], *facts, row["tokens"][tokenizer]});
    }
    ASSERT_EQ(prompts.size(), 42U);
  }

  const Target& target() const { return *snapshot->targets[0]; }

  TargetEstimate estimate(const RequestFacts& facts) {
    return reader.conditions(facts, snapshot, false, noon).estimate_of(target());
  }

  void settle(const Prompt& prompt) {
    Usage usage;
    usage.input = prompt.tokens;
    usage.output = 100;
    reader.note({&target(), &prompt.facts, &usage, {}, {}, 1'000'000, {}, false}, *snapshot, noon);
  }

  struct Some {
    std::size_t first, step;
  };
  static constexpr Some all{0, 1}, odd{1, 2};

  /// The error over all prompts of a kind, or over those whose number is odd: 0.02 is 2 % too many tokens.
  double error(const std::string& kind, Some some) {
    double expected = 0, actual = 0;
    for (std::size_t i = some.first; i < prompts.size(); i += some.step) {
      if (prompts[i].kind != kind) continue;
      expected += static_cast<double>(expected_input(prompts[i].facts, estimate(prompts[i].facts)));
      actual += static_cast<double>(prompts[i].tokens);
    }
    return expected / actual - 1;
  }
};

TEST_P(Learning, TrafficOfAllKindsConvergesToAFewPercentForEach) {
  for (const bool ascii : {false, true}) {
    prompts.clear();
    read_prompts(GetParam(), ascii);
    for (int round = 0; round < 10; ++round)
      for (const Prompt& prompt : prompts) settle(prompt);
    for (const char* kind : {"english", "chinese", "code"})
      EXPECT_NEAR(error(kind, all), 0, 0.04) << GetParam() << ", " << kind << (ascii ? ", escaped" : "");
  }
}

TEST_P(Learning, TrafficOfOneKindConvergesSooner) {
  read_prompts(GetParam(), false);
  for (const char* kind : {"english", "chinese", "code"}) {
    state::Estimates own;
    reader = state::Estimates::Reader(own);
    for (int round = 0; round < 2; ++round)
      for (const Prompt& prompt : prompts)
        if (prompt.kind == kind) settle(prompt);
    EXPECT_NEAR(error(kind, all), 0, 0.03) << GetParam() << ", " << kind;
    reader = state::Estimates::Reader(estimates);
  }
}

TEST_P(Learning, PromptsNeverSeenAreAsCloseAsTextsOfAKindAreAlike) {
  read_prompts(GetParam(), false);
  for (int round = 0; round < 10; ++round)
    for (std::size_t i = 0; i < prompts.size(); i += 2) settle(prompts[i]);
  // Seven short Chinese texts have an eighth more tokens than seven others, by each of the tokenizers.
  for (const char* kind : {"english", "chinese", "code"})
    EXPECT_NEAR(error(kind, odd), 0, kind == std::string("chinese") ? 0.14 : 0.08) << GetParam() << ", " << kind;
}

TEST_P(Learning, ThePriorsAreNotFarOff) {
  read_prompts(GetParam(), false);
  for (const char* kind : {"english", "chinese", "code"}) EXPECT_NEAR(error(kind, all), 0, 0.2) << GetParam() << ", " << kind;
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Learning, ::testing::Values("deepseek", "qwen", "o200k"),
                         [](const auto& p) { return p.param; });

struct Memory : Learning {
  Prompt prompt;
  Memory() {
    const std::string system(3'000, 's'), user(1'500, 'u');
    prompt.facts = facts_of({system, user});
    prompt.tokens = 1'000;
  }
  RequestFacts facts_of(const std::vector<std::string>& messages) {
    Json list = Json::array();
    const char* roles[] = {"system", "user", "assistant"};
    for (std::size_t i = 0; i < messages.size(); ++i)
      list.push_back({{"role", i == 0 ? roles[0] : roles[1 + (i - 1) % 2]}, {"content", messages[i]}});
    auto request = find_dialect("openai")->parse_request(Json{{"model", "chat"}, {"messages", list}}.dump());
    return *classify(*request, snapshot->keys[0]);
  }
  std::optional<std::int64_t> repeated(const RequestFacts& facts, TimePoint now = noon) {
    return reader.conditions(facts, snapshot, false, now).estimate_of(target()).repeated_tokens;
  }
};

TEST_F(Memory, AConversationThatGoesOnRepeatsWhatWasSentAndAnswered) {
  EXPECT_FALSE(repeated(prompt.facts));
  settle(prompt);
  const std::string system(3'000, 's'), user(1'500, 'u');
  EXPECT_EQ(repeated(facts_of({system, user, "answer", "more"})), 1'100);
  EXPECT_EQ(repeated(facts_of({system, user, "answer", "more"}), noon + std::chrono::minutes(5)), 1'100);
  EXPECT_FALSE(repeated(facts_of({system, user, "answer", "more"}), noon + std::chrono::minutes(6))) << "the cache forgot it";
  const auto opening = repeated(facts_of({system, "another user of the same app, who asks something else"}));
  ASSERT_TRUE(opening);
  EXPECT_NEAR(static_cast<double>(*opening), 1'000 * 3'000.0 / 4'500, 30) << "the system prompt is known";
  EXPECT_FALSE(repeated(facts_of({"another system prompt" + system, user})));
}

TEST_F(Memory, OutputIsLearnedByRouteAndKeyAndANewKeyBeginsWithItsRoutes) {
  Key other;
  other.name = "other";
  RequestFacts of_other = prompt.facts;
  of_other.key = &other;
  const auto expected = [&](const RequestFacts& facts) {
    return reader.conditions(facts, snapshot, false, noon).output_tokens_expected;
  };
  EXPECT_EQ(expected(prompt.facts), 400);
  for (int i = 0; i < 100; ++i) settle(prompt);
  const double learned = expected(prompt.facts) * estimate(prompt.facts).output_ratio;
  EXPECT_NEAR(learned, 100, 10);
  EXPECT_NEAR(expected(of_other), expected(prompt.facts), 20);
}

TEST_F(Memory, EverythingIsTheSameAfterARestart) {
  read_prompts("qwen", false);
  for (const Prompt& each : prompts) settle(each);
  state::Estimates after;
  after.restore(estimates.everything());
  state::Estimates::Reader anew(after);
  for (const Prompt& each : prompts) {
    const Conditions before = reader.conditions(each.facts, snapshot, true, noon),
                     now = anew.conditions(each.facts, snapshot, true, noon);
    EXPECT_EQ(before.output_tokens_expected, now.output_tokens_expected);
    EXPECT_EQ(before.estimate_of(target()).bytes_per_token, now.estimate_of(target()).bytes_per_token);
    EXPECT_EQ(before.estimate_of(target()).output_ratio, now.estimate_of(target()).output_ratio);
    EXPECT_EQ(before.estimate_of(target()).times, now.estimate_of(target()).times);
    ASSERT_TRUE(now.estimate_of(target()).times);
  }
}

TEST_F(Memory, AnExchangeThatEndsAfterAReloadStillTeaches) {
  const auto next = std::make_shared<Snapshot>();
  next->routes.push_back(std::make_unique<Route>());
  RequestFacts elsewhere;
  elsewhere.key = prompt.facts.key;
  elsewhere.route = next->routes[0].get();
  reader.conditions(elsewhere, next, false, noon);
  settle(prompt);
  EXPECT_NE(estimates.everything().targets.at("p/m").input.factor[0], 1);
}

}  // namespace
}  // namespace fairlead
