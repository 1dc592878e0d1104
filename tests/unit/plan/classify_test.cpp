#include "plan/classify.h"

#include "plan/conversation.h"
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
    return classify(request, key);
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
    EXPECT_EQ(facts.error().param(), "model");
  }
  EXPECT_FALSE(ask(std::string("chat\0", 5)));
}

TEST_F(Classify, WhatTheKeyMayNotUseLooksLikeWhatIsNotThere) {
  key.may_name_targets = true;
  for (const std::string model : {"no-such-route", "other", "openai/gpt-6-luna"})
    EXPECT_EQ(ask(model).error().message(), "The model '" + model + "' does not exist, or this key may not use it.");
}

TEST_F(Classify, ARouteComesBeforeATargetOfTheSameName) {
  const Route& shadow = world.route("deepseek/deepseek-flash", {&nested});
  key.routes.push_back(&shadow);
  key.may_name_targets = true;
  EXPECT_EQ(ask("deepseek/deepseek-flash")->route, &shadow);
}

TEST_F(Classify, InputIsEstimatedFromBytesOfEachScriptAndRoundedUp) {
  ChatRequest request;
  request.model = "chat";
  const auto estimate = [&](std::int64_t letters, std::int64_t marks, std::int64_t cjk, std::int64_t rest) {
    request.text.of = {letters, marks, cjk, rest};
    const auto facts = classify(request, key);
    EXPECT_EQ(facts->text, request.text);
    return facts->input_tokens;
  };
  EXPECT_EQ(estimate(0, 0, 0, 0), 0);
  EXPECT_EQ(estimate(1, 0, 0, 0), 1);
  EXPECT_EQ(estimate(9, 0, 0, 0), 2);
  EXPECT_EQ(estimate(16, 0, 0, 0), 3);
  EXPECT_EQ(estimate(0, 27, 0, 0), 18);
  EXPECT_EQ(estimate(0, 0, 45, 9), 12);
  EXPECT_EQ(estimate(32 << 20, 0, 0, 0), 4'473'925);
}

/// A body whose messages are "[", a system prompt of `opening` bytes, a first message of `first`, and what follows.
Conversation conversation_for(const std::string& opening, const std::string& first, const std::string& rest, const Key& key) {
  ChatRequest request;
  request.model = "chat";
  request.body = "{\"messages\":[" + opening + first + rest;
  request.messages_begin = 12;
  request.opening_end = request.messages_begin + 1 + opening.size();
  request.conversation_end = request.opening_end + first.size();
  request.prompt_bytes = request.body.size() - request.messages_begin;
  return conversation_of(request, key);
}

TEST_F(Classify, AConversationIsKnownAgainByItsBeginning) {
  const std::string opening(1'000, 's'), first(500, 'u');
  const Conversation begun = conversation_for(opening, first, "]", key);
  EXPECT_NE(begun.whole, 0U);
  EXPECT_NE(begun.opening, 0U);
  EXPECT_NE(begun.whole, begun.opening);
  EXPECT_NEAR(begun.opening_share, 1'001.0 / 1'502, 1e-9);
  const Conversation later = conversation_for(opening, first, ",more and more]", key);
  EXPECT_EQ(later.whole, begun.whole);
  EXPECT_EQ(later.opening, begun.opening);
  std::string another = first;
  another[0] = 'x';
  EXPECT_EQ(conversation_for(opening, another, "]", key).opening, begun.opening) << "the same app, another user";
  EXPECT_NE(conversation_for(opening, another, "]", key).whole, begun.whole);
  EXPECT_NE(conversation_for(opening + "s", first, "]", key).opening, begun.opening);
  Key stranger = key;
  stranger.name = "other";
  EXPECT_NE(conversation_for(opening, first, "]", stranger).whole, begun.whole) << "keys tell each other nothing";
  EXPECT_EQ(conversation_for("", first, "]", key).opening, 0U) << "there is none";
  EXPECT_EQ(conversation_for("", "short", "]", key).whole, 0U) << "no provider keeps so little";
}

TEST_F(Classify, CarriesWhatTheRequestNeeds) {
  ChatRequest request;
  request.model = "chat";
  request.needs.add(Capability::tools);
  request.output_tokens_max = 77;
  const auto buffered = classify(request, key);
  EXPECT_EQ(buffered->needs, request.needs);
  EXPECT_EQ(buffered->output_tokens_max, 77);
  EXPECT_FALSE(buffered->stream);
  request.stream = true;
  const auto streamed = classify(request, key);
  EXPECT_TRUE(streamed->stream);
  EXPECT_TRUE(streamed->needs.has(Capability::streaming) && streamed->needs.has(Capability::tools));
  EXPECT_FALSE(streamed->needs.has(Capability::choices));
  request.choices = 2;
  EXPECT_TRUE(classify(request, key)->needs.has(Capability::choices));
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
  auto facts = *classify(request, key);
  ASSERT_TRUE(look_for_content(facts, request, world.snapshot));
  EXPECT_TRUE(facts.content.empty());
  world.snapshot.content = std::make_unique<FakeScanner>(false);
  ASSERT_TRUE(look_for_content(facts, request, world.snapshot));
  EXPECT_EQ(facts.content, (std::vector<ContentCount>{{"bytes", 5}}));
}

TEST_F(Classify, APromptThatCannotBeScannedGoesNowhere) {
  world.snapshot.content = std::make_unique<FakeScanner>(true);
  ChatRequest request;
  request.model = "chat";
  request.body = "{...}";
  auto facts = *classify(request, key);
  const auto found = look_for_content(facts, request, world.snapshot);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::policy);
}

}  // namespace
}  // namespace fairlead
