#include "exchange/texts.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

/// A plan whose reason is one of many, and long.
Plan rejecting(const Target& target, int number) {
  Plan plan;
  plan.rejections.push_back({&target, RejectedBy::wish, "models", std::to_string(number) + std::string(10'000, 'x')});
  return plan;
}

TEST(Texts, PlansWithoutNumberAreKeptWithinBounds) {
  const auto snapshot = std::make_shared<const Snapshot>();
  Target target;
  target.name = "p/m";
  Texts texts;
  texts.use(snapshot);
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_NE(texts.plan(rejecting(target, i)).find("\"reason\":\"" + std::to_string(i) + "xxx"), std::string::npos);
    ASSERT_LE(texts.bytes(), std::size_t{4} << 20);
  }
  EXPECT_GT(texts.bytes(), 0U);
  texts.use(std::make_shared<const Snapshot>());
  EXPECT_EQ(texts.bytes(), 0U);
}

}  // namespace
}  // namespace fairlead::exchange
