#include "cli/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

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
  EXPECT_EQ(iso_8601_us(TimePoint(sys_days(year(2026) / 11 / 1)) + hours(13) + microseconds(42)), "2026-11-01T13:00:00.000042Z");
  EXPECT_EQ(duration_text(0), "0 us");
  EXPECT_EQ(duration_text(999), "999 us");
  EXPECT_EQ(duration_text(12'340), "12.3 ms");
  EXPECT_EQ(duration_text(2'310'000), "2.31 s");
  EXPECT_EQ(counted(1, "attempt"), "1 attempt");
  EXPECT_EQ(counted(0, "attempt"), "0 attempts");
}

TEST(Table, HasItsRowsInOrderHoweverManyThereAre) {
  for (const std::size_t rows : {0, 1, 8'191, 8'192, 16'383, 16'384, 16'385, 50'000}) {
    LongTable table{{{"row", true}, {"name", false}}, rows, {}, {"all", "x"}};
    table.fill = [](std::size_t row, std::vector<std::string>& cells) {
      EXPECT_TRUE(cells.empty());
      cells = {std::to_string(row), row == 40'000 ? "one\x1b, wide" : ""};
    };
    const std::size_t wide = std::max<std::size_t>(rows == 0 ? 0 : std::to_string(rows - 1).size(), 3);
    std::string text = std::string(wide - 3, ' ') + "row" + (rows > 40'000 ? "  name" : ""), csv = "row,name\r\n";
    if (rows == 0) text.clear();
    text += "\n";
    for (std::size_t row = 0; row < rows; ++row) {
      const std::string number = std::to_string(row);
      text += std::string(wide - number.size(), ' ') + number + (row == 40'000 ? "  one?, wide" : "") + "\n";
      csv += number + (row == 40'000 ? ",\"one\x1b, wide\"\r\n" : ",\r\n");
    }
    text += std::string(rows == 0 ? 0 : rows > 40'000 ? wide + 12 : wide, '-') + "\n";
    text += rows == 0 ? "\n" : std::string(wide - 3, ' ') + "all" + (rows > 40'000 ? "  x" : "") + "\n";
    std::ostringstream as_text, as_csv;
    write_text(as_text, table);
    write_csv(as_csv, table);
    EXPECT_TRUE(as_text.str() == text) << rows << " rows";
    EXPECT_TRUE(as_csv.str() == csv) << rows << " rows";
  }
}

}  // namespace
}  // namespace fairlead::cli
