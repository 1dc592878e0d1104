#include "simulator/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace fairlead::simulator {
namespace {

TEST(Script, ReadsWordsAndValues) {
  Script script;
  ASSERT_TRUE(
      read_words("status=429 retry_after=2 code=slow_down reset=mid stall=head usage=every split thinking=0", script).has_value());
  EXPECT_EQ(script.status, 429);
  EXPECT_EQ(script.retry_after, "2");
  EXPECT_EQ(script.code, "slow_down");
  EXPECT_EQ(script.reset, Place::mid);
  EXPECT_EQ(script.stall, Place::head);
  EXPECT_EQ(script.usage, UsageTold::every);
  EXPECT_TRUE(script.split);
  EXPECT_EQ(script.thinking, 0);
}

TEST(Script, RefusesWhatItDoesNotKnow) {
  const std::pair<const char*, const char*> table[] = {
      {"statsu=429", "no word 'statsu'"},        {"status=29", "'status=29' is not status=N"},
      {"status=abc", "'status=abc' is not"},     {"reset=later", "'reset=later' is not reset=PLACE"},
      {"bytes=-1", "'bytes=-1' is not bytes=N"}, {"usage=maybe", "'usage=maybe' is not usage="},
      {"split=yes", "'split=yes' is not split"}, {"redirect=404", "'redirect=404' is not redirect"},
      {"code=", "'code=' is not code=TEXT"},     {"error=head", "'error=head' is not error=mid"},
      {"body=xml", "'body=xml' is not body="},   {"bytes=99999999999999999999", "is not bytes=N"},
  };
  for (const auto& [words, complaint] : table) {
    Script script;
    const auto read = read_words(words, script);
    ASSERT_TRUE(read.has_error()) << words;
    EXPECT_NE(read.error().sentence.find(complaint), std::string::npos) << read.error().sentence;
  }
}

TEST(Script, EveryWordOfTheReferenceIsAccepted) {
  for (const WordHelp& help : script_words()) {
    std::string word(help.word.substr(0, help.word.find('|')));
    for (const auto& [sign, value] : {std::pair<std::string, std::string>{"=N", "=307"},
                                      {"=PLACE", "=mid"},
                                      {"=TEXT", "=x"},
                                      {"=KIND", "=qwen"},
                                      {"=NAME", "=x"}})
      if (const std::size_t begin = word.find(sign); begin != std::string::npos) word = word.substr(0, begin) + value;
    Script script;
    EXPECT_TRUE(read_words(word, script).has_value()) << word;
  }
}

TEST(Script, EveryWordIsInTheDocumentation) {
  std::ifstream file(FAIRLEAD_SOURCE_DIR "/docs/simulate.md");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  for (std::size_t at = text.find("\\|"); at != std::string::npos; at = text.find("\\|")) text.erase(at, 1);  // escaped in tables
  for (const WordHelp& help : script_words())
    EXPECT_NE(text.find("| `" + std::string(help.word) + "` | " + std::string(help.meaning) + " |"), std::string::npos)
        << help.word;
}

TEST(Script, TakesMarkersOutOfTheText) {
  const Marked marked = take_markers("Hello [[sim split]] there [[sim status=500 only=qwen]]");
  EXPECT_EQ(marked.text, "Hello  there");
  EXPECT_EQ(marked.markers, (std::vector<std::string>{"split", "status=500 only=qwen"}));
  EXPECT_EQ(take_markers("[[sim never closed").text, "[[sim never closed");
}

TEST(Director, FollowsAMarkerForItsKindAndSoManyTimesOnly) {
  Director director({}, 1);
  const std::vector<std::string> markers{"only=qwen times=2 status=500"};
  EXPECT_EQ(director.direct("openai", markers)->status, 0);
  EXPECT_EQ(director.direct("qwen", markers)->status, 500);
  EXPECT_EQ(director.direct("qwen", markers)->status, 500);
  EXPECT_EQ(director.direct("qwen", markers)->status, 0);
}

TEST(Director, DrawsFaultsByTheSeed) {
  const auto draws = [](std::uint64_t seed) {
    Director director({*read_odds("0.3 status=500")}, seed);
    std::string drawn;
    for (int i = 0; i < 1'000; ++i) drawn += director.direct("openai", {})->status == 500 ? 'x' : '.';
    return drawn;
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT_NE(draws(1), draws(2));
  const std::string drawn = draws(3);
  EXPECT_NEAR(static_cast<double>(std::count(drawn.begin(), drawn.end(), 'x')), 300, 60);
}

TEST(Director, LetsAMarkerOverrideADrawnFault) {
  Director director({*read_odds("1 status=500 chunk_ms=5")}, 1);
  const Script script = *director.direct("openai", {"status=429"});
  EXPECT_EQ(script.status, 429);
  EXPECT_EQ(script.chunk_ms, 5);
}

TEST(Director, RefusesOddsThatAreNone) {
  for (const char* text : {"status=500", "2 status=500", "-1 status=500", "nan status=500", "0.5", "0.5 statsu=500", ""})
    EXPECT_TRUE(read_odds(text).has_error()) << text;
}

}  // namespace
}  // namespace fairlead::simulator
