#include <fairlead/money.h>

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

TEST(Money, ReadsPlainDecimalsExactly) {
  const std::vector<std::pair<std::string, std::int64_t>> rows{
      {"0", 0},
      {"0.0", 0},
      {"1", pico_per_unit},
      {"001", pico_per_unit},
      {"0.003625", 3'625'000'000},
      {"0.000000000001", 1},
      {"12.5", 12 * pico_per_unit + pico_per_unit / 2},
      {"1000000", 1'000'000 * pico_per_unit},
  };
  for (const auto& [text, pico] : rows) {
    const auto value = parse_decimal(text);
    ASSERT_TRUE(value) << text;
    EXPECT_TRUE(*value == pico) << text;
  }
  EXPECT_TRUE(*parse_decimal("999999999999.999999999999") == Int128{pico_per_unit} * pico_per_unit - 1);
}

TEST(Money, RefusesWhatIsNotAPlainDecimal) {
  for (const char* text : {"", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", " 1", "1 ", "0x1", "1.2.3", "NaN", "\xd9\xa1",
                           "0.0000000000001", "1000000000000", "1_000", "$1"}) {
    const auto value = parse_decimal(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().kind, ErrorKind::config) << text;
  }
}

TEST(Money, PrintsTheShortestExactDecimal) {
  EXPECT_EQ(format_decimal(0), "0");
  EXPECT_EQ(format_decimal(1), "0.000000000001");
  EXPECT_EQ(format_decimal(3'625'000'000), "0.003625");
  EXPECT_EQ(format_decimal(Int128{10} * pico_per_unit), "10");
  EXPECT_EQ(format_decimal(Int128{-3} * pico_per_unit / 2), "-1.5");
  EXPECT_EQ(format_decimal(Int128{1} << 126), "85070591730234615865843651.857942052864");
  EXPECT_EQ(format_decimal(static_cast<Int128>(1) << 126 | ((static_cast<Int128>(1) << 126) - 1)),
            "170141183460469231731687303.715884105727");
  const Int128 lowest = -((Int128{1} << 126) - 1) * 2 - 2;
  EXPECT_EQ(format_decimal(lowest), "-170141183460469231731687303.715884105728");
}

TEST(Money, WhatWasPrintedIsReadBackTheSame) {
  for (const char* text : {"0", "1", "0.1", "0.003625", "100.00000001", "999999999999.999999999999"}) {
    EXPECT_EQ(format_decimal(*parse_decimal(text)), text);
  }
}

TEST(Money, KnowsCurrenciesByThreeCapitalLetters) {
  EXPECT_EQ(parse_currency("CNY")->view(), "CNY");
  for (const char* text : {"", "US", "usd", "USDT", "U1D", "\xe2\x82\xac"}) EXPECT_FALSE(parse_currency(text)) << text;
}

TEST(Money, ConvertsRoundingHalfAwayFromZero) {
  struct Row {
    const char *amount, *rate, *result;
  };
  for (const Row& row : std::vector<Row>{
           {"1", "1", "1"},
           {"2.5", "0.14", "0.35"},
           {"0.000000000001", "0.5", "0.000000000001"},
           {"0.000000000001", "0.499999999999", "0"},
           {"0.000000000003", "0.5", "0.000000000002"},
           {"999999999999", "100", "99999999999900"},
           {"0", "7", "0"},
       }) {
    EXPECT_EQ(format_decimal(multiply_pico(*parse_decimal(row.amount), *parse_decimal(row.rate))), row.result) << row.amount;
  }
  EXPECT_EQ(format_decimal(multiply_pico(-1, pico_per_unit / 2)), "-0.000000000001");
}

}  // namespace
}  // namespace fairlead
