#include "wire/json.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

namespace fairlead::wire {
namespace {

bool valid(std::string_view text) {
  JsonReader json(text);
  json.skip();
  return json.finish();
}

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, TakesWhatTheGrammarTakes) {
  const std::vector<std::string> texts = {"{}",
                                          "[]",
                                          " \t\r\n null \n",
                                          "true",
                                          "false",
                                          "\"\"",
                                          "0",
                                          "-0",
                                          "10",
                                          "-1.5e+10",
                                          "1E5",
                                          "0.25",
                                          "12345678901234567890123",
                                          R"({"a":{"b":[1,2,{"c":null}]},"d":"e"})",
                                          R"("\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00")",
                                          R"("\ud800")",
                                          "\"é中😀\x7f\"",
                                          "\"" + std::string(100, 'x') + "é" + std::string(100, 'y') + "\"",
                                          nested(json_depth_max)};
  for (const std::string& text : texts) EXPECT_TRUE(valid(text)) << text;
}

TEST(Json, RefusesWhatTheGrammarRefuses) {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          "[1",
                                          "[1,",
                                          "[,1]",
                                          "[1,]",
                                          "[1 2]",
                                          "{\"a\"}",
                                          "{\"a\":}",
                                          "{\"a\":1,}",
                                          "{a:1}",
                                          "{'a':1}",
                                          "{\"a\":1 \"b\":2}",
                                          "{1:2}",
                                          "[1]]",
                                          "{}{}",
                                          "nul",
                                          "nulll",
                                          "True",
                                          "NaN",
                                          "Infinity",
                                          "-",
                                          "+1",
                                          "01",
                                          "-01",
                                          "1.",
                                          ".5",
                                          "1e",
                                          "1e+",
                                          "0x10",
                                          "1_0",
                                          "\"",
                                          "\"\\\"",
                                          "\"\\x\"",
                                          "\"\\u12g4\"",
                                          "\"\\u123\"",
                                          "\"\t\"",
                                          "\"\n\"",
                                          std::string("\"a\0b\"", 5),
                                          "// c\n1",
                                          "/**/1",
                                          "\xEF\xBB\xBF{}",
                                          "\"\x80\"",
                                          "\"\xC0\xAF\"",
                                          "\"\xC3\"",
                                          "\"\xE0\x80\xAF\"",
                                          "\"\xED\xA0\x80\"",
                                          "\"\xF4\x90\x80\x80\"",
                                          "\"\xF5\x80\x80\x80\"",
                                          "\"\xF0\x9F\x98\"",
                                          nested(json_depth_max + 1),
                                          std::string(100'000, '['),
                                          std::string("{}\0", 3)};
  for (const std::string& text : texts) EXPECT_FALSE(valid(text)) << text;
}

TEST(Json, FindsTheBadByteAtEveryPlaceOfARun) {
  for (std::size_t length = 1; length < 520; length += length < 150 ? 1 : 123)
    for (std::size_t at = 0; at < length; ++at)
      for (const char bad : {'\x01', '\x1f', '\x80', '\xff', '"'}) {
        std::string text = "\"" + std::string(length, 'a') + "\"";
        text[at + 1] = bad;
        EXPECT_FALSE(valid(text)) << length << ' ' << at;
      }
}

TEST(Json, ReadsEveryPieceAtEveryPlaceOfAString) {
  struct Piece {
    std::string_view raw, text;  // no text: it is wrong
  };
  const std::vector<Piece> pieces = {{R"(\n)", "\n"},  {R"(\\)", "\\"},     {R"(\")", "\""},         {R"(\u00e9)", "é"},
                                     {"中文", "中文"}, {R"(\\\")", "\\\""}, {R"(\n\n\n)", "\n\n\n"}, {R"(\x)", {}},
                                     {"\\\x01", {}},   {R"(\u00g9)", {}}};
  for (const auto& [raw, text] : pieces)
    for (std::size_t before = 0; before < 420; ++before)
      for (const std::size_t after : {0, 1, 70}) {
        const std::string a(before, 'a'), z(after, 'z');
        const std::string json = '"' + a + std::string(raw) + z + "\" ";
        JsonReader reader(json);
        const JsonString read = reader.string();
        if (text.empty()) {
          EXPECT_TRUE(reader.failed()) << json;
          continue;
        }
        EXPECT_TRUE(reader.finish()) << json << ": " << reader.reason();
        EXPECT_EQ(read.text(), a + std::string(text) + z);
        EXPECT_EQ(read.escaped, raw.find('\\') != std::string_view::npos) << json;
      }
}

/// The length of the string behind the quote that `text` begins with, by the grammar, one character after the other; empty: none.
std::optional<std::size_t> string_length(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') return at - 1;
    if (static_cast<unsigned char>(text[at]) < 0x20) return std::nullopt;
    if (text[at] != '\\') continue;
    if (++at == text.size() || std::string_view("\"\\/bfnrtu").find(text[at]) == std::string_view::npos) return std::nullopt;
    if (text[at] == 'u' && text.substr(at + 1, 4) != "00e9") return std::nullopt;
  }
  return std::nullopt;
}

TEST(Json, ReadsStringsOfAnyEscapesAsTheGrammarDoes) {
  const std::vector<std::string> pieces = {"\\",   "\\\\", "\\\\\\\\", "\\\"", "\\n",        "\\t", "\\/", "\\u00e9",
                                           "\\u0", "\\x",  "\"",       "\x01", "plain text", "n",   "é",   "\n"};
  std::mt19937 random(7);
  int whole = 0, broken = 0;
  for (int round = 0; round < 40'000; ++round) {
    const std::size_t kinds = round % 2 == 0 ? pieces.size() : 8;  // of these, the first may still end or break a string
    const std::size_t bytes = 40 + random() % 400;
    std::string text = "\"";
    while (text.size() < bytes) text += random() % 3 == 0 ? std::string(random() % 30, 'y') : pieces[random() % kinds];
    text += std::string(80, 'z') + "\"";
    JsonReader json(text);
    const JsonString string = json.string();
    const auto expected = string_length(text);
    ASSERT_EQ(!json.failed(), expected.has_value()) << text;
    ASSERT_EQ(string.raw.size(), expected.value_or(string.raw.size())) << text;
    ++(expected ? whole : broken);
  }
  EXPECT_GT(whole, 5'000);
  EXPECT_GT(broken, 5'000);
}

TEST(Json, TellsATextThatEndsTooEarlyFromOneThatIsWrong) {
  const std::string whole = R"({"a":[true,-1.5,"x\u00e9"],"b":{"c":null}})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    JsonReader json(std::string_view(whole).substr(0, size));
    json.skip();
    EXPECT_FALSE(json.finish());
    EXPECT_TRUE(json.truncated()) << whole.substr(0, size) << ": " << json.reason();
  }
  JsonReader json("{\"a\":tru!}");
  json.skip();
  EXPECT_FALSE(json.truncated());
  EXPECT_EQ(json.offset(), 5U);
}

TEST(Json, UnescapesAsTheyAreMeant) {
  const auto text = [](std::string_view json) { return JsonReader(json).string().text(); };
  EXPECT_EQ(text(R"("a\"\\\/\b\f\n\r\tz")"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(text(R"("\u0041\u00e9\u4e2d\ud83d\ude00")"), "Aé中😀");
  EXPECT_EQ(text(R"("\ud83dx\ude00")"), "\xEF\xBF\xBDx\xEF\xBF\xBD");
  EXPECT_EQ(text(R"("\ud83d\ud83d\ude00")"), "\xEF\xBF\xBD😀");
}

TEST(Json, ReadsMembersWithTheirPlaces) {
  const std::string_view text = R"({ "a" : 1 , "mod\u0065l" : "x" })";
  JsonReader json(text);
  std::vector<std::string> seen;
  json.object([&](JsonString key) {
    json.peek();
    const std::size_t begin = json.offset();
    const std::string_view value = json.skip();
    EXPECT_EQ(begin, json.offset_of(value));
    seen.push_back(key.text() + "=" + std::string(value));
    EXPECT_EQ(key.is("model"), seen.size() == 2);
  });
  EXPECT_TRUE(json.finish());
  EXPECT_EQ(seen, (std::vector<std::string>{"a=1", "model=\"x\""}));
}

TEST(Json, StopsForGood) {
  JsonReader json("[1,2,3]");
  int elements = 0;
  json.array([&] {
    ++elements;
    json.stop();
  });
  EXPECT_EQ(elements, 1);
  EXPECT_EQ(json.peek(), JsonKind::none);
  EXPECT_FALSE(json.finish());
}

TEST(Json, QuotesAnyBytesIntoAValidString) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  std::string quoted;
  append_quoted(quoted, all);
  EXPECT_TRUE(valid(quoted));
  std::string text;
  append_quoted(text, "a\"b\\c\nd\x01é");
  EXPECT_EQ(text, R"("a\"b\\c\nd\u0001é")");
}

}  // namespace
}  // namespace fairlead::wire
