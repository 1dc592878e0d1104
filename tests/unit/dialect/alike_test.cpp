#include "dialect/openai/alike.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::openai {
namespace {

/// A chunk with these texts: what is said, and what stands between the delta's end and the end of the chunk.
std::string chunk(std::string_view delta, std::string_view end = "}") {
  return R"({"id":"c-1","model":"m","choices":[{"index":0,"delta":)" + std::string(delta) + R"(,"finish_reason":null}])" +
         std::string(end);
}
std::string says(std::string_view content, std::string_view end = "}") {
  return chunk(R"({"content":")" + std::string(content) + "\"}", end);
}

AnswerText read(std::string_view text) {
  AnswerText answer;
  answer.read(text);
  return answer;
}

/// Does the second come by comparison? If it does, all is as if it had been read.
bool is_alike(const std::string& first, const std::string& second) {
  AnswerText answer = read(first);
  AlikeChunks alike;
  alike.know(first, answer);
  if (!alike.read(second, answer)) return false;
  const AnswerText right = read(second);
  const auto same = [](const Range& a, const Range& b) { return a.begin == b.begin && a.end == b.end; };
  EXPECT_TRUE(right.well_formed && !right.error && right.broken_off.empty() && right.usages.empty()) << second;
  EXPECT_EQ(answer.contents, right.contents) << second;
  EXPECT_EQ(answer.content_bytes, right.content_bytes) << second;
  EXPECT_EQ(answer.has_content, right.has_content) << second;
  EXPECT_EQ(answer.has_reasoning, right.has_reasoning) << second;
  EXPECT_EQ(answer.choices_seen, right.choices_seen) << second;
  EXPECT_EQ(answer.choices_finished, right.choices_finished) << second;
  EXPECT_TRUE(same(answer.model_value, right.model_value) && same(answer.usage_value, right.usage_value)) << second;
  EXPECT_EQ(answer.usage_members.size(), right.usage_members.size()) << second;
  for (std::size_t i = 0; i < right.usage_members.size(); ++i)
    EXPECT_TRUE(same(answer.usage_members[i], right.usage_members[i])) << second;
  EXPECT_EQ(answer.reasoning_keys.size(), right.reasoning_keys.size()) << second;
  for (std::size_t i = 0; i < right.reasoning_keys.size(); ++i)
    EXPECT_TRUE(same(answer.reasoning_keys[i], right.reasoning_keys[i])) << second;
  return true;
}

TEST(AlikeChunks, AreComparedWhereTheyDifferInWhatTheySay) {
  EXPECT_TRUE(is_alike(says("one"), says("two")));
  EXPECT_TRUE(is_alike(says("one"), says("a longer text, with \\\"quotes\\\" and \\u4f60 and 好")));
  EXPECT_TRUE(is_alike(says("a longer text"), says("x")));
  EXPECT_TRUE(is_alike(chunk(R"({"reasoning_content":"a"})"), chunk(R"({"reasoning_content":"because"})")));
  EXPECT_TRUE(is_alike(chunk(R"({"content":null,"reasoning":"a"})"), chunk(R"({"content":null,"reasoning":"because"})")));
  EXPECT_TRUE(is_alike(chunk(R"({"content":"a","reasoning":null})"), chunk(R"({"content":"and so on","reasoning":null})")));
  EXPECT_TRUE(is_alike(chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{"}}]})"),
                       chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"\"city\""}}]})")));
}

TEST(AlikeChunks, WhatStandsBehindTheTextMovesWithIt) {
  EXPECT_TRUE(is_alike(says("one", R"(,"usage":null})"), says("three", R"(,"usage":null})")));
  EXPECT_TRUE(is_alike(says("three", R"(,"model":"m","usage":null,"x":1})"), says("on", R"(,"model":"m","usage":null,"x":1})")));
  EXPECT_TRUE(is_alike(says("one", R"(,"usage":null,"obfuscation":"abc"})"), says("three", R"(,"usage":null,"obfuscation":"a"})")));
  EXPECT_TRUE(is_alike(says("one", R"(,"obfuscation":""})"), says("three", R"(,"obfuscation":"abcdef"})")));
}

TEST(AlikeChunks, AllElseIsRead) {
  const std::string one = says("one");
  EXPECT_FALSE(is_alike(one, says("")));
  EXPECT_FALSE(is_alike(one, says("two", "]")));
  EXPECT_FALSE(is_alike(one, says("two", "} x")));
  EXPECT_FALSE(is_alike(one, says("two", R"(,"error":{"code":1}})")));
  EXPECT_FALSE(is_alike(one, says(R"(two"},"finish_reason":"stop"},{"index":1,"delta":{"content":"a)")));
  EXPECT_FALSE(is_alike(one, says("\xff")));
  EXPECT_FALSE(is_alike(one, says("a\nb")));
  EXPECT_FALSE(is_alike(one, says("\\x")));
  EXPECT_FALSE(is_alike(one, chunk(R"({"content":7})")));
  EXPECT_FALSE(is_alike(one, chunk("{}")));
  EXPECT_FALSE(is_alike(says("one", R"(,"obfuscation":"abc"})"), says("two", R"(,"obfuscation":7})")));
  EXPECT_FALSE(is_alike(says("one", R"(,"obfuscation":"abc"})"), says("two", R"(,"obfuscation":"a","error":{}})")));
  for (std::size_t size = 0; size < one.size(); ++size) EXPECT_FALSE(is_alike(one, one.substr(0, size))) << size;
}

TEST(AlikeChunks, WhatIsForOneChunkAloneIsNotKnown) {
  for (const std::string& text :
       {chunk("{}"), chunk(R"({"content":"a","refusal":"b"})"), chunk(R"({"content":["a"]})"),
        says("a", R"(,"usage":{"total_tokens":1}})"), says("a", R"(,"error":{"code":1}})"), says("a", "]"),
        std::string(R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]})")})
    EXPECT_FALSE(is_alike(text, text)) << text;
}

TEST(AlikeChunks, ALongStreamIsTheSameWhicheverWay) {
  const std::vector<std::string> ends = {"}", R"(,"usage":null})", R"(,"obfuscation":"abc"})"};
  AlikeChunks alike;
  AnswerText answer;
  std::size_t compared = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string text = says(std::string(static_cast<std::size_t>(i * 7 % 40), 'x'), ends[static_cast<std::size_t>(i / 100)]);
    const AnswerText right = read(text);
    if (alike.read(text, answer)) {
      ++compared;
    } else {
      answer.read(text);
      alike.know(text, answer);
    }
    ASSERT_EQ(answer.contents, right.contents) << text;
    ASSERT_EQ(answer.usage_members.size(), right.usage_members.size()) << text;
    for (std::size_t j = 0; j < right.usage_members.size(); ++j) {
      ASSERT_EQ(answer.usage_members[j].begin, right.usage_members[j].begin) << text;
      ASSERT_EQ(answer.usage_members[j].end, right.usage_members[j].end) << text;
    }
  }
  EXPECT_GT(compared, 250U);
}

}  // namespace
}  // namespace fairlead::openai
