#include "wire/script.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace fairlead::wire {
namespace {

TextBytes scripts(std::string_view text) {
  const std::array<std::string_view, 1> parts{text};
  return sample_scripts(parts, text.size());
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Script, EveryByteOfAShortTextCounts) {
  EXPECT_EQ(scripts(""), (TextBytes{}));
  EXPECT_EQ(scripts("Hello World"), (TextBytes{{11, 0, 0, 0}}));
  EXPECT_EQ(scripts("{\"a\": 12}"), (TextBytes{{2, 7, 0, 0}}));
  EXPECT_EQ(scripts("你好，world"), (TextBytes{{5, 0, 9, 0}})) << "with its own punctuation";
  EXPECT_EQ(scripts("かな 한글 ー"), (TextBytes{{2, 0, 15, 0}}));
  EXPECT_EQ(scripts("naïve Привет"), (TextBytes{{5, 0, 0, 14}}));
  EXPECT_EQ(scripts("日本"), (TextBytes{{0, 0, 6, 0}}));
}

TEST(Script, AnEscapedCharacterCountsAsWhatItIs) {
  EXPECT_EQ(scripts("\\u4f60\\u597d"), scripts("你好"));
  EXPECT_EQ(scripts("\\u043f\\u00E9"), scripts("пé"));
  EXPECT_EQ(scripts("ab\\nc \\\\user"), (TextBytes{{9, 3, 0, 0}})) << "not every backslash is one";
  const std::string escaped = repeated("\\u4f60\\u597d", 500);
  EXPECT_NEAR(static_cast<double>(scripts(escaped).of[2]), 3'000, 400) << "in a sample too, which may cut some";
}

TEST(Script, LongTextsAreToldFromASample) {
  const std::string mixed = repeated("这是一个很长的提示，里面还有 some English words and {\"code\": [1, 2, 3]}; ", 4'000);
  const TextBytes one = scripts(mixed.substr(0, 86));
  const TextBytes all = scripts(mixed);
  std::int64_t total = 0;
  for (const auto bytes : all.of) total += bytes;
  EXPECT_NEAR(static_cast<double>(total), static_cast<double>(mixed.size()), 4);
  for (int i = 0; i < script_count; ++i) {
    const double share = static_cast<double>(one.of[static_cast<std::size_t>(i)]) / 86;
    EXPECT_NEAR(static_cast<double>(all.of[static_cast<std::size_t>(i)]) / static_cast<double>(mixed.size()), share, 0.08) << i;
  }
}

TEST(Script, EachPartCountsByItsLength) {
  const std::string chinese = repeated("中文", 3'000), english = repeated("word ", 1'200);
  const std::array<std::string_view, 3> parts{chinese, std::string_view{}, english};
  const TextBytes seen = sample_scripts(parts, chinese.size() + english.size());
  EXPECT_NEAR(static_cast<double>(seen.of[2]) / static_cast<double>(chinese.size()), 1, 0.15);
  EXPECT_NEAR(static_cast<double>(seen.of[0]) / static_cast<double>(english.size()), 1, 0.4);
}

TEST(Script, AShortPartBesideALongOneWeighsLittle) {
  const std::string chinese = repeated("中文", 3'000), english = "a few words here, which are all looked at";
  const std::array<std::string_view, 2> parts{chinese, english};
  EXPECT_NEAR(static_cast<double>(sample_scripts(parts, chinese.size() + english.size()).of[2]), 18'000, 300);
}

TEST(Script, AnyBytesAreTallied) {
  for (int first = 0; first < 256; ++first) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += static_cast<char>(first + i * 37);
    const TextBytes seen = scripts(text);
    std::int64_t total = 0;
    for (const auto bytes : seen.of) total += bytes;
    EXPECT_LE(total, 302);
    EXPECT_GE(total, 200);
  }
}

}  // namespace
}  // namespace fairlead::wire
