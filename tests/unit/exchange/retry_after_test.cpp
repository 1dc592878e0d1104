#include "exchange/retry_after.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::exchange {
namespace {

TEST(RetryAfter, IsANumberOrADate) {
  const TimePoint now(std::chrono::seconds(1'795'788'000));  // 2026-11-27 14:00:00
  const struct {
    std::string ms, seconds;
    std::optional<std::int64_t> expected;
  } cases[] = {{"", "", std::nullopt},
               {"", "7", 7'000},
               {"", "0", 0},
               {"", "1.5", 1'500},
               {"", "0.0001", 1},
               {"250", "7", 250},
               {"250.5", "", 251},
               {"soon", "7", 7'000},
               {"", "-1", std::nullopt},
               {"", "86400", 86'400'000},
               {"", "86401", std::nullopt},
               {"", "1e3", std::nullopt},
               {"", "nan", std::nullopt},
               {"", "inf", std::nullopt},
               {"", "7 ", std::nullopt},
               {"", "999999999999999999999999999999", std::nullopt},
               {"", "Fri, 27 Nov 2026 14:00:20 GMT", 20'000},
               {"", "Fri, 27 Nov 2026 13:00:00 GMT", std::nullopt},
               {"", "Fri, 27 Nov 2027 14:00:00 GMT", std::nullopt},
               {"", "Fri, 27 Nov 2026 14:00:20 GMT+1", std::nullopt},
               {"", "Fri, 31 Dec 9999 23:59:59 GMT", std::nullopt},
               {"", "tomorrow", std::nullopt}};
  for (const auto& [ms, seconds, expected] : cases) {
    const auto read = read_retry_after(ms, seconds, now);
    EXPECT_EQ(read.has_value(), expected.has_value()) << ms << '|' << seconds;
    EXPECT_EQ(read ? read->count() : 0, expected.value_or(0)) << ms << '|' << seconds;
  }
}

}  // namespace
}  // namespace fairlead::exchange
