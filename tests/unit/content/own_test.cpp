// Words and patterns of the operator's own.
#include "content/own.h"

#include "scan.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>

namespace fairlead::content {
namespace {

using Words = std::vector<std::string>;

std::string found_own(const Words& words, const Words& patterns, std::string_view text) {
  return found_in_body(*make_scanner({"mine"}, {{"mine", words, patterns}}), body_of(text));
}

struct Row {
  const char* word;
  const char* text;
  int count;
};

const Row rows[] = {
    {"titan", "Project TITAN is late", 1},
    {"titan", "titanium, titans, subtitan, titan2", 0},
    {"titan", "get_titan, titan_v2, _titan_, get_titan_v2, __TITAN__", 5},
    {"titan", "titan_titan", 2},
    {"titan", "get_titans, subtitan_x", 0},
    {"blue_harbour", "get_blue_harbour_x", 1},
    {"titan", "titan titan,titan;titan\ntitan", 5},
    {"titan", "(titan)", 1},
    {"titan", "\"titan\"", 1},
    {"Müller", "MÜLLER und müller", 2},
    {"Müller", "Müllerei, Obermüller", 0},
    {"проект", "ПРОЕКТ", 1},
    {"проект", "проекты", 0},
    {"ΑΘΗΝΑ", "αθηνα", 1},
    {"机密", "这是机密文件", 1},
    {"机密", "机密机密", 2},
    {"密", "密密密", 3},
    {"機密 情報", "機密　情報", 1},  // an ideographic blank
    {"ひみつ", "とてもひみつです", 1},
    {"비밀", "비밀을", 1},
    {"project titan", "Project  Titan", 1},
    {"project titan", "project\ntitan", 1},
    {"project titan", "project\xC2\xA0titan", 1},  // a no-break space
    {"project titan", "project-titan", 0},
    {"titan", "ti\xE2\x80\x8Btan", 1},  // a zero-width space
    {"titan", "ｔｉｔａｎ", 1},         // full width
    {"C++", "we use C++ here", 1},
    {"a.b", "a.b axb", 1},
    {"x-1", "X-1", 1},
    {"x", "x x", 2},
    {"é", "é", 1},
};

TEST(Own, words_are_whole_and_in_any_case) {
  for (const Row& row : rows)
    EXPECT_EQ(found_own({row.word}, {}, row.text), row.count == 0 ? "" : "mine " + std::to_string(row.count))
        << row.word << " in " << row.text;
}

TEST(Own, the_longest_word_is_not_the_only_one) {
  EXPECT_EQ(found_own({"foo", "foo bar"}, {}, "foo barx"), "mine 1");
  EXPECT_EQ(found_own({"foo bar", "foo"}, {}, "foo bar, foo"), "mine 2");
}

TEST(Own, patterns_are_taken_as_they_are) {
  EXPECT_EQ(found_own({}, {R"(\bPRJ-[0-9]{4}\b)"}, "PRJ-1234, prj-1234, PRJ-12345, PRJ-0001"), "mine 2");
  EXPECT_EQ(found_own({}, {"(?i)kunde [0-9]+", "[a-z]+@corp"}, "Kunde 7 jane@corp KUNDE 8"), "mine 3");
  EXPECT_EQ(found_own({}, {"^begin"}, "begin begin"), "mine 1");
  EXPECT_EQ(found_own({}, {R"(\b)"}, "ab cd"), "mine 4");
  EXPECT_EQ(found_own({"titan"}, {"x+"}, "titan xxx"), "mine 2");
}

TEST(Own, places_lie_where_they_lie) {
  for (const std::size_t far : {0, 40, 55, 63, 64, 65, 127, 128, 1'000, 100'000}) {
    const std::string gap(far, '.');
    EXPECT_EQ(found_own({"titan"}, {}, gap + " titan " + gap + " titan"), "mine 2") << far;
    EXPECT_EQ(found_own({}, {R"(\bPRJ-[0-9]{4}\b)"}, gap + " PRJ-1234 " + gap + "PRJ-12345 PRJ-0001"), "mine 2") << far;
    EXPECT_EQ(found_own({}, {"x+"}, gap + std::string(far + 1, 'x') + gap + " x"), "mine 2") << far;
    EXPECT_EQ(found_own({}, {"end$"}, gap + "end" + gap + " end"), "mine 1") << far;
    EXPECT_EQ(found_own({}, {"é+"}, gap + "ééé" + gap + " é"), "mine 2") << far;
  }
}

/// Seconds of CPU.
double seconds_for(const std::string& pattern, const std::string& text, const std::string& found) {
  const std::clock_t before = std::clock();
  EXPECT_EQ(found_own({}, {pattern}, text), found);
  return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
}

// As long as the rest of the text was read anew for every place, these took seven seconds and half a minute.
TEST(Own, many_places_do_not_make_it_slow) {
  std::string internal, letters = ".";
  for (int i = 0; i < 500'000; ++i) internal += "internal ";
  for (std::mt19937 random; letters.size() < 3'000;) letters += "ab"[random() % 2];
  EXPECT_LT(seconds_for(R"((?i)internal(?:.*\bonly\b)?)", internal, "mine 1000"), 3);
  EXPECT_LT(seconds_for("a(?:.*b[ab]{900}c)?", letters, "mine 1000"), 3);
}

TEST(Own, a_thousand_words) {
  Words words;
  for (int i = 0; i < 1'000; ++i) words.push_back("Codename" + std::to_string(i));
  EXPECT_EQ(found_own(words, {}, "codename999 and codename1000 and codename1"), "mine 2");
}

TEST(Own, faults_of_patterns) {
  EXPECT_EQ(fault_of_pattern("[0-9]+"), "");
  EXPECT_NE(fault_of_pattern("(").find("missing )"), std::string::npos) << fault_of_pattern("(");
  EXPECT_NE(fault_of_pattern("(?=x)").find("invalid"), std::string::npos) << fault_of_pattern("(?=x)");
  EXPECT_EQ(fault_of_pattern("a*"), "it matches the empty text, so every text");
  EXPECT_EQ(fault_of_pattern("$"), "it matches the empty text, so every text");
  EXPECT_EQ(fault_of_pattern(std::string(1'001, 'a')), "it is longer than 1000 bytes");
  EXPECT_NE(fault_of_pattern(R"((?:\pL{500}x){50})"), "");
  EXPECT_NE(fault_of_pattern("a{2000}"), "");
  for (const char* needed : {R"(\bPRJ-[0-9]{4}\b)", R"([\pL\pM\pN]+-[0-9]{4})", "[A-Za-z0-9_-]{40,64}", "a[ab]{900}c"})
    EXPECT_EQ(fault_of_pattern(needed), "");
  for (const char* slow : {"a[ab]{1000}[ab]{600}c", R"([\pL\pN]{3,20})", R"(.{0,100}secret.{0,100})"})
    EXPECT_NE(fault_of_pattern(slow).find("steps, and 1500 are the most"), std::string::npos) << fault_of_pattern(slow);
}

TEST(Own, words_are_checked_in_no_time) {
  const std::clock_t began = std::clock();
  for (int i = 0; i < 2'000; ++i) EXPECT_EQ(fault_of_word("titan" + std::to_string(i)), "");
  EXPECT_LT((std::clock() - began) / CLOCKS_PER_SEC, 2);  // with a program of Unicode for each it was 8 s
}

TEST(Own, faults_of_words) {
  for (const char* word : {"titan", "project titan", "机密", "C++", "x"}) EXPECT_EQ(fault_of_word(word), "") << word;
  for (const char* word : {"", " titan", "titan ", "...", "-x", "a\n"}) EXPECT_NE(fault_of_word(word), "") << word;
  EXPECT_NE(fault_of_word(std::string(201, 'a')), "");
}

}  // namespace
}  // namespace fairlead::content
