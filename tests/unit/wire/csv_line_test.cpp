#include "wire/csv_line.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead {
namespace {

TEST(CsvLine, IsSafeToOpenAndKeepsNumbers) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"a,b", "\"a,b\""},
      {"say \"no\"", "\"say \"\"no\"\"\""},
      {"two\nlines", "\"two\nlines\""},
      {"=cmd()", "'=cmd()"},
      {"=a,b", "\"'=a,b\""},
      {"+1", "'+1"},
      {"@SUM(A1)", "'@SUM(A1)"},
      {"\tx", "'\tx"},
      {"'quoted", "''quoted"},
      {"-", "'-"},
      {"-1+1", "'-1+1"},
      {"-.5", "'-.5"},
      {"-5.", "'-5."},
      {"-12", "-12"},
      {"-0.000003625", "-0.000003625"},
      {"12", "12"},
  };
  for (const auto& [cell, written] : cases) {
    std::string line;
    append_csv_line(line, std::vector<std::string_view>{cell, "x"});
    EXPECT_EQ(line, std::string(written) + ",x\r\n");
  }
}

}  // namespace
}  // namespace fairlead
