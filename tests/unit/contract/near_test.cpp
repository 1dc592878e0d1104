#include <fairlead/near.h>

#include <gtest/gtest.h>

namespace fairlead {
namespace {

const std::vector<std::string_view> providers = {"deepseek", "openai", "qwen", "openrouter"};

TEST(Near, WhatIsEchoedIsPrintableAndShort) {
  EXPECT_EQ(echo_of("模型\n\x1b[31m\x7f"), "模型??[31m?");
  EXPECT_EQ(echo_of(std::string(128, 'a')), std::string(128, 'a'));
  EXPECT_EQ(echo_of(std::string(129, 'a')), std::string(128, 'a') + "...");
}

TEST(Near, TheFewestChangesWinUpToAThirdOfTheLetters) {
  struct Case {
    std::string_view word, nearest;
  };
  for (const Case& one : {Case{"deepseek", "deepseek"},
                          {"depseek", "deepseek"},
                          {"deeepseek", "deepseek"},
                          {"dpeeseek", "deepseek"},
                          {"OPENAI", "openai"},
                          {"qwne", "qwen"},
                          {"qew", ""},
                          {"openrooter", "openrouter"},
                          {"openia", "openai"},
                          {"anthropic", ""},
                          {"", ""},
                          {"q", ""}})
    EXPECT_EQ(nearest(one.word, providers), one.nearest) << one.word;
  EXPECT_EQ(nearest("ab", {"ac", "ad"}), "ac") << "of several the first";
  EXPECT_EQ(nearest("ab", {}), "");
  EXPECT_EQ(nearest(std::string(81, 'a'), {std::string(81, 'a')}), "") << "what is so long is not compared";
}

TEST(Near, IsToldInOneWayEverywhere) {
  EXPECT_EQ(did_you_mean("depseek", providers), "; did you mean 'deepseek'?");
  EXPECT_EQ(did_you_mean("depseek", providers, "", "."), "did you mean 'deepseek'?");
  EXPECT_EQ(did_you_mean("anthropic", providers), "");
  EXPECT_EQ(did_you_mean("anthropic", providers, "; ", "."), ".");
}

}  // namespace
}  // namespace fairlead
