#include "exchange/repeat.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "unit/state/noon.h"

namespace fairlead::exchange {
namespace {

using state::steady_noon;

TEST(Repeat, AnAnswerIsKeptWhereThereIsRoomForItThoughNotForTwice) {
  state::Replays replays;
  Idempotency rules;
  rules.memory_bytes_max = 1 << 20;
  const std::string piece(10'000, 'x');
  const std::string_view pieces[] = {piece};
  for (const int count : {90, 70}) {
    const auto first = Repeat::begin(replays, "checkout", std::to_string(count), "{}", rules, steady_noon);
    ASSERT_TRUE(first);
    for (int i = 0; i < count; ++i) (*first)->note(pieces);
    (*first)->finish("req_1", "p/m", true, steady_noon);
    EXPECT_LE(replays.stats().bytes, rules.memory_bytes_max);
  }
  const auto again = Repeat::begin(replays, "checkout", "70", "{}", rules, steady_noon);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ((*again)->kept()->body.size(), 700'000U);
  const auto too_large = Repeat::begin(replays, "checkout", "90", "{}", rules, steady_noon);
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().kind, ErrorKind::idempotency_gone);
}

}  // namespace
}  // namespace fairlead::exchange
