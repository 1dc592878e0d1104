#include "wire/script.h"

#include <gtest/gtest.h>

#include <algorithm>
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
  EXPECT_EQ(scripts("Hello World"), (TextBytes{{8, 0, 0, 0, 2, 0, 1}})) << "each word's first letter apart";
  EXPECT_EQ(scripts("{\"a\": 12}"), (TextBytes{{0, 3, 0, 0, 1, 2, 3}})) << "the first of each run of marks";
  EXPECT_EQ(scripts("你好，world"), (TextBytes{{4, 0, 9, 0, 1, 0, 0}})) << "with its own punctuation";
  EXPECT_EQ(scripts("かな 한글 ー"), (TextBytes{{0, 0, 15, 0, 0, 0, 2}}));
  EXPECT_EQ(scripts("naïve Привет"), (TextBytes{{2, 0, 0, 14, 2, 0, 1}}));
  EXPECT_EQ(scripts("日本"), (TextBytes{{0, 0, 6, 0, 0, 0, 0}}));
}

TEST(Script, AnEscapedCharacterCountsAsWhatItIs) {
  EXPECT_EQ(scripts("\\u4f60\\u597d"), scripts("你好"));
  EXPECT_EQ(scripts("\\u043f\\u00E9"), scripts("пé"));
  EXPECT_EQ(scripts("ab\\nc \\\\user"), (TextBytes{{5, 2, 0, 0, 3, 0, 2}})) << "not every backslash is one";
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
  const std::int64_t ascii = seen.of[0] + seen.of[4] + seen.of[6];
  EXPECT_NEAR(static_cast<double>(ascii) / static_cast<double>(english.size()), 1, 0.4);
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

TEST(ScriptCounter, CountsEveryByteInWhateverPiecesItComes) {
  const std::string sentence = "Sum: 12,345.67 of 你好，世界 и \\u4f60\\u00e9 \\\"quoted\\\" {}[] naïve; ";
  const std::string text = repeated(sentence, 40);
  ScriptCounter whole;
  whole.add(text);
  TextBytes expected = scripts(sentence);
  for (auto& bytes : expected.of) bytes *= 40;
  for (std::size_t i = 0; i < expected.of.size(); ++i)
    EXPECT_NEAR(static_cast<double>(whole.total().of[i]), static_cast<double>(expected.of[i]), 20)
        << i << ": where characters are cut";
  for (std::size_t size = 1; size < 700; size = size * 3 + 1) {
    ScriptCounter pieces;
    for (std::size_t at = 0; at < text.size(); at += size) pieces.add(std::string_view(text).substr(at, size));
    EXPECT_EQ(pieces.total(), whole.total()) << size;
  }
  EXPECT_EQ(ScriptCounter{}.total(), TextBytes{});
}

TEST(ScriptCounter, IsTheSameHoweverALongTextWasCut) {
  const std::string plain = repeated("words and 日本語, (naïve) Привет; ", 300);
  const std::string some = plain.substr(0, 5'000) + "\\u4f60\\n" + plain.substr(5'000, 130) + "\\u00e9x" + plain;
  for (const std::string& text : {plain, some}) {
    ScriptCounter whole;
    whole.add(text);
    for (std::size_t size : {7U, 100U, 128U, 129U, 300U, 1'000U, 4'096U, 9'000U}) {
      ScriptCounter pieces;
      std::size_t end = 0;
      for (std::size_t at = 0; at < text.size(); at = end) {
        end = std::min(at + size, text.size());
        const std::size_t slash = text.rfind('\\', end - 1);
        if (slash != std::string::npos && slash >= at && end - slash < 6) end = std::min(slash + 6, text.size());
        pieces.add(std::string_view(text).substr(at, end - at));
      }
      EXPECT_EQ(pieces.total(), whole.total()) << size;
    }
  }
}

TEST(ScriptCounter, CountsAsTheSampleOfAWholeText) {
  for (std::size_t size = 0; size <= 128; ++size) {
    const std::string text = repeated("let x1 = {\"a\": [1.5, \\n 2]};  日本語 Привет ", 3).substr(0, size);
    ScriptCounter counter;
    counter.add(text);
    EXPECT_EQ(counter.total(), scripts(text)) << size;
  }
  const std::string code =
      repeated("for (int i = 0; i < 10; ++i) total += values[i] * 3;\\n ", 200);  // only ASCII: exact in blocks
  ScriptCounter counter;
  counter.add(code);
  std::int64_t total = 0;
  for (const auto bytes : counter.total().of) total += bytes;
  EXPECT_EQ(total, static_cast<std::int64_t>(code.size()));
  const TextBytes line = scripts(code.substr(0, code.size() / 200));
  for (std::size_t i = 0; i < line.of.size(); ++i)
    EXPECT_NEAR(static_cast<double>(counter.total().of[i]), 200.0 * static_cast<double>(line.of[i]), 2) << i;
}

}  // namespace
}  // namespace fairlead::wire
