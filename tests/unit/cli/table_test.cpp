#include "cli/table.h"

#include <gtest/gtest.h>

namespace fairlead::cli {
namespace {

TEST(Table, AlignsByCharactersAndLeavesOutEmptyColumns) {
  const Table table{
      {{"name", false}, {"nothing", true}, {"count", true}}, {{"qwen", "", "7"}, {"zürich", "", "12"}}, {"total", "", "19"}};
  EXPECT_EQ(to_text(table, 2),
            "  name    count\n"
            "  qwen        7\n"
            "  zürich     12\n"
            "  -------------\n"
            "  total      19\n");
}

TEST(Table, LetsNoNameSpeakToTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\n\x7f\xc2\x9b"
                      "0m\xc3\xbc"),
            "a?[2Jb???0m\xc3\xbc");
  EXPECT_EQ(to_text({{{"x", false}}, {{"\x1b]0;\a"}}, {}}), "x\n?]0;?\n");
}

TEST(Csv, QuotesAsRfc4180AndDisarmsFormulas) {
  const Table table{{{"a", false}, {"b", false}}, {}, {"total", ""}};
  const std::pair<std::string, std::string> cells[] = {
      {"plain", "plain"},
      {"with,comma", "\"with,comma\""},
      {"say \"hi\"", "\"say \"\"hi\"\"\""},
      {"two\nlines", "\"two\nlines\""},
      {"=1+1", "'=1+1"},
      {"+1", "'+1"},
      {"-1", "-1"},
      {"-1+A1", "'-1+A1"},
      {"@SUM(A1)", "'@SUM(A1)"},
      {"=A1,\"x\"", "\"'=A1,\"\"x\"\"\""},
      {"\tx", "'\tx"},
      {"0.000000000001", "0.000000000001"},
      {"", ""},
  };
  for (const auto& [cell, expected] : cells) {
    Table one = table;
    one.rows.push_back({cell, "1"});
    EXPECT_EQ(to_csv(one), "a,b\r\n" + expected + ",1\r\n");
  }
}

TEST(Text, OfTimesAndDurations) {
  using namespace std::chrono;
  EXPECT_EQ(utc_text(TimePoint(sys_days(year(2026) / 11 / 1)) + hours(13) + microseconds(42)), "2026-11-01T13:00:00.000042Z");
  EXPECT_EQ(duration_text(0), "0 us");
  EXPECT_EQ(duration_text(999), "999 us");
  EXPECT_EQ(duration_text(12'340), "12.3 ms");
  EXPECT_EQ(duration_text(2'310'000), "2.31 s");
  EXPECT_EQ(counted(1, "attempt"), "1 attempt");
  EXPECT_EQ(counted(0, "attempt"), "0 attempts");
}

}  // namespace
}  // namespace fairlead::cli
