#include "plan/facts_text.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(FactsText, HoldsWhatIsNotTheUsualAndIsReadAgain) {
  RequestFacts facts;
  facts.needs.add(Capability::streaming);
  facts.input_tokens = 1'234;
  EXPECT_EQ(facts_text(facts), "");
  EXPECT_EQ(facts_number(facts), 0U);

  Wishes wishes;
  wishes.only = {"deepseek"};
  wishes.max_input_price = pico_per_unit / 2;
  wishes.sort = Wishes::Sort::latency;
  wishes.fallbacks = false;
  facts.needs.add(Capability::tools);
  facts.mode.thinking.set(ThinkingSwitch::reasoning_effort, true);
  facts.mode.service_tier = ServiceTier::flex;
  facts.choices = 2;
  facts.needs.add(Capability::choices);
  facts.output_tokens_max = 1'000;
  facts.keeping = Keeping::prompt_cache_retention;
  facts.unknown_content = true;
  facts.tags = {"batch"};
  facts.client = parse_ip("192.0.2.7");
  facts.wishes = &wishes;
  const std::string text = facts_text(facts);
  EXPECT_EQ(
      text,
      R"({"needs":["tools"],"thinking":{"reasoning_effort":true},"service_tier":"flex","choices":2,"output_tokens_max":1024,)"
      R"("keeping":"prompt_cache_retention","unknown_content":true,"tags":["batch"],"client":"192.0.2.7","wishes":{"only":["deepseek"],"max_input_price":"0.5",)"
      R"("sort":"latency","fallbacks":false}})");
  EXPECT_EQ(facts_number(facts), std::nullopt);

  const auto recalled = recall_facts(text);
  ASSERT_TRUE(recalled);
  EXPECT_TRUE(recalled->body.needs.has(Capability::tools));
  EXPECT_EQ(recalled->body.mode, facts.mode);
  EXPECT_EQ(recalled->body.choices, 2);
  EXPECT_EQ(recalled->body.output_tokens_max, 1'024);
  EXPECT_EQ(recalled->body.keeping, Keeping::prompt_cache_retention);
  EXPECT_TRUE(recalled->body.unknown_content);
  EXPECT_EQ(recalled->tags, facts.tags);
  EXPECT_EQ(recalled->client, "192.0.2.7");
  ASSERT_TRUE(recalled->body.wishes);
  EXPECT_EQ(recalled->body.wishes->only, wishes.only);
  EXPECT_EQ(recalled->body.wishes->max_input_price, wishes.max_input_price);
  EXPECT_EQ(recalled->body.wishes->sort, wishes.sort);
  EXPECT_FALSE(recalled->body.wishes->fallbacks);

  EXPECT_TRUE(recall_facts(""));
  for (const char* bad : {"x", "[]", R"({"choices":"two"})"}) EXPECT_FALSE(recall_facts(bad)) << bad;
}

TEST(FactsText, EqualNumbersAreEqualTexts) {
  const auto with = [](auto change) {
    RequestFacts facts;
    change(facts);
    return std::pair(facts_number(facts).value(), facts_text(facts));
  };
  const std::pair<std::uint64_t, std::string> all[] = {
      with([](RequestFacts&) {}),
      with([](RequestFacts& f) { f.needs.add(Capability::vision); }),
      with([](RequestFacts& f) { f.needs.add(Capability::tools); }),
      with([](RequestFacts& f) { f.mode.thinking.set(ThinkingSwitch::thinking, true); }),
      with([](RequestFacts& f) { f.mode.thinking.set(ThinkingSwitch::thinking, false); }),
      with([](RequestFacts& f) { f.mode.service_tier = ServiceTier::priority; }),
      with([](RequestFacts& f) { f.choices = 2; }),
      with([](RequestFacts& f) { f.choices = 1'000; }),
      with([](RequestFacts& f) { f.output_tokens_max = 1; }),
      with([](RequestFacts& f) { f.output_tokens_max = 1'025; }),
      with([](RequestFacts& f) { f.output_tokens_max = 2'048; }),
      with([](RequestFacts& f) { f.unknown_content = true; }),
      with([](RequestFacts& f) { f.keeping = Keeping::store; }),
  };
  for (const auto& a : all)
    for (const auto& b : all) EXPECT_EQ(a.first == b.first, a.second == b.second) << a.second << " and " << b.second;
}

}  // namespace
}  // namespace fairlead
