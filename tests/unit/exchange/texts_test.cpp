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

TEST(Texts, PricesOfTwoWindowsOfOneNameAreTwo) {
  Provider provider;
  Model model;
  Price entry;
  entry.currency = provider.currency;
  entry.rates.input = *parse_decimal("1");
  PriceWindow early{"peak", {0x7f, 0, 12 * 60}, {}}, late{"peak", {0x7f, 12 * 60, 0}, {}};
  early.rates.input = *parse_decimal("2");
  late.rates.input = *parse_decimal("5");
  entry.windows = {early, late};
  model.prices = {entry};
  Target target;
  target.provider = &provider;
  target.model = &model;
  const UsdRate usd;
  Texts texts;
  const auto text_at = [&](int hour) {
    const auto price = price_of(target, {100}, entry.from + std::chrono::hours(hour));
    return price ? texts.price(target, *price, usd) : "";
  };
  EXPECT_NE(text_at(6).find(R"("window":"peak","input":"2")"), std::string::npos) << text_at(6);
  EXPECT_NE(text_at(18).find(R"("window":"peak","input":"5")"), std::string::npos) << text_at(18);
}

}  // namespace
}  // namespace fairlead::exchange
