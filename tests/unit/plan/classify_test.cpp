#include "plan/classify.h"

#include "unit/plan/world.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

using testing::World;

struct Classify : ::testing::Test {
  World world;
  Key key;
  const Target& flash = world.target(world.provider("deepseek"), world.model("deepseek-flash"));
  const Target& nested = world.target(world.provider("together"), world.model("Qwen/Qwen3-32B"));
  const Target& elsewhere = world.target(world.provider("openai"), world.model("gpt-6-luna"));
  const Route& chat = world.route("chat", {&flash, &nested});
  const Route& other = world.route("other", {&elsewhere});

  Classify() {
    key.name = "checkout";
    key.routes = {&chat};
  }

  Result<RequestFacts> ask(const std::string& model) {
    ChatRequest request;
    request.model = model;
    return classify(request, key, world.snapshot, world.conditions);
  }
};

TEST_F(Classify, ARouteOfTheKeyIsFoundByItsName) {
  const auto facts = ask("chat");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->route, &chat);
  EXPECT_EQ(facts->target, nullptr);
  EXPECT_EQ(facts->key, &key);
}

TEST_F(Classify, TargetsAreNamedOnlyByAKeyThatMay) {
  EXPECT_FALSE(ask("deepseek/deepseek-flash"));
  key.may_name_targets = true;
  EXPECT_EQ(ask("deepseek/deepseek-flash")->target, &flash);
  EXPECT_EQ(ask("deepseek/deepseek-flash")->route, nullptr);
  EXPECT_EQ(ask("together/Qwen/Qwen3-32B")->target, &nested);
}

TEST_F(Classify, M50WhatIsNotTheExactNameIsUnknown) {
  key.may_name_targets = true;
  for (const char* model : {"",
                            " ",
                            "Chat",
                            "CHAT",
                            "chat ",
                            " chat",
                            "chat\t",
                            "chat\n",
                            "chat/",
                            "/chat",
                            "cha",
                            "chatt",
                            "chat?model=chat",
                            "chat#",
                            "chat%20",
                            "deepseek-flash",
                            "deepseek",
                            "deepseek/",
                            "/deepseek-flash",
                            "deepseek//deepseek-flash",
                            "deepseek/deepseek-flash ",
                            "Deepseek/deepseek-flash",
                            "deepseek/Deepseek-Flash",
                            "deepseek/deepseek-flash/",
                            "deepseek%2fdeepseek-flash",
                            "./deepseek/deepseek-flash",
                            "chat/deepseek/deepseek-flash",
                            "deepseek\\deepseek-flash",
                            "Qwen/Qwen3-32B",
                            "together/Qwen3-32B",
                            "together/qwen/qwen3-32b",
                            "other",
                            "openai/gpt-6-luna",
                            "gpt-6-luna",
                            "*",
                            "ch\xd0\xb0t",
                            "\xef\xbb\xbf"
                            "chat"}) {
    const auto facts = ask(model);
    ASSERT_FALSE(facts) << model;
    EXPECT_EQ(facts.error().kind, ErrorKind::unknown_model) << model;
    EXPECT_EQ(facts.error().param, "model");
  }
  EXPECT_FALSE(ask(std::string("chat\0", 5)));
}

TEST_F(Classify, WhatTheKeyMayNotUseLooksLikeWhatIsNotThere) {
  key.may_name_targets = true;
  const Error absent = ask("no-such-route").error();
  for (const char* model : {"other", "openai/gpt-6-luna"}) EXPECT_EQ(ask(model).error().message, absent.message);
}

TEST_F(Classify, ARouteComesBeforeATargetOfTheSameName) {
  const Route& shadow = world.route("deepseek/deepseek-flash", {&nested});
  key.routes.push_back(&shadow);
  key.may_name_targets = true;
  EXPECT_EQ(ask("deepseek/deepseek-flash")->route, &shadow);
}

TEST_F(Classify, InputIsEstimatedFromBytesAndRoundedUp) {
  ChatRequest request;
  request.model = "chat";
  const auto estimate = [&](std::size_t bytes) {
    request.prompt_bytes = bytes;
    return classify(request, key, world.snapshot, world.conditions)->input_tokens;
  };
  EXPECT_EQ(estimate(0), 0);
  EXPECT_EQ(estimate(1), 1);
  EXPECT_EQ(estimate(7), 2);
  EXPECT_EQ(estimate(8), 3);
  EXPECT_EQ(estimate(32 << 20), 9'586'981);
}

TEST_F(Classify, CarriesWhatTheRequestNeeds) {
  ChatRequest request;
  request.model = "chat";
  request.needs.add(Capability::tools);
  request.output_tokens_max = 77;
  const auto buffered = classify(request, key, world.snapshot, world.conditions);
  EXPECT_EQ(buffered->needs, request.needs);
  EXPECT_EQ(buffered->output_tokens_max, 77);
  EXPECT_FALSE(buffered->stream);
  request.stream = true;
  const auto streamed = classify(request, key, world.snapshot, world.conditions);
  EXPECT_TRUE(streamed->stream);
  EXPECT_TRUE(streamed->needs.has(Capability::streaming) && streamed->needs.has(Capability::tools));
}

class FakeScanner final : public ContentScanner {
 public:
  explicit FakeScanner(bool fails) : fails_(fails) {}
  const std::vector<std::string>& classes() const override { return names_; }
  Result<std::vector<ContentCount>> scan(std::string_view body) const override {
    if (fails_) return Error(ErrorKind::policy, ErrorOrigin::fairlead, "too much text");
    return std::vector<ContentCount>{{names_[0], static_cast<int>(body.size())}};
  }

 private:
  bool fails_;
  std::vector<std::string> names_{"bytes"};
};

TEST_F(Classify, ThePromptIsScannedIfAPolicyAsks) {
  ChatRequest request;
  request.model = "chat";
  request.body = "{...}";
  EXPECT_TRUE(classify(request, key, world.snapshot, world.conditions)->content.empty());
  world.snapshot.content = std::make_unique<FakeScanner>(false);
  EXPECT_EQ(classify(request, key, world.snapshot, world.conditions)->content, (std::vector<ContentCount>{{"bytes", 5}}));
}

TEST_F(Classify, APromptThatCannotBeScannedGoesNowhere) {
  world.snapshot.content = std::make_unique<FakeScanner>(true);
  const auto facts = ask("chat");
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().kind, ErrorKind::policy);
}

}  // namespace
}  // namespace fairlead
