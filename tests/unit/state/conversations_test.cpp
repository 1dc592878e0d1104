#include "state/conversations.h"

#include <gtest/gtest.h>

#include "unit/state/noon.h"

namespace fairlead::state {
namespace {

using std::chrono::minutes, std::chrono::seconds;

TEST(Conversations, AreKnownByTargetUntilTheCacheForgetsThem) {
  Conversations table;
  EXPECT_FALSE(table.tokens(7, 1, noon, minutes(5)));
  table.note(7, 1, 1'234, noon);
  EXPECT_EQ(table.tokens(7, 1, noon, minutes(5)), 1'234);
  EXPECT_EQ(table.tokens(7, 1, noon + minutes(5), minutes(5)), 1'234);
  EXPECT_FALSE(table.tokens(7, 1, noon + minutes(5) + seconds(1), minutes(5)));
  EXPECT_FALSE(table.tokens(7, 2, noon, minutes(5))) << "another target";
  EXPECT_FALSE(table.tokens(8, 1, noon, minutes(5))) << "another conversation";
}

TEST(Conversations, GoOnWithWhatCameLast) {
  Conversations table;
  table.note(7, 1, 1'000, noon);
  table.note(7, 1, 1'500, noon + minutes(4));
  EXPECT_EQ(table.tokens(7, 1, noon + minutes(8), minutes(5)), 1'500);
}

TEST(Conversations, TheTableIsBoundedAndTheOldGiveWay) {
  Conversations table;
  constexpr std::uint64_t many = Conversations::entries_max * 4;
  for (std::uint64_t i = 1; i <= many; ++i) table.note(i, 1, static_cast<std::int64_t>(i), noon + seconds(i / 100));
  std::size_t kept = 0, kept_of_last = 0;
  for (std::uint64_t i = 1; i <= many; ++i) {
    const auto tokens = table.tokens(i, 1, noon + seconds(many / 100), std::chrono::hours(100));
    if (!tokens) continue;
    EXPECT_EQ(*tokens, static_cast<std::int64_t>(i));
    ++kept;
    kept_of_last += i > many - Conversations::entries_max / 4 ? 1 : 0;
  }
  EXPECT_LE(kept, Conversations::entries_max);
  EXPECT_GT(kept_of_last, Conversations::entries_max / 4 * 95 / 100);
}

}  // namespace
}  // namespace fairlead::state
