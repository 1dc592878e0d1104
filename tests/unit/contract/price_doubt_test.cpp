#include <fairlead/price_doubt.h>

#include <gtest/gtest.h>

namespace fairlead {
namespace {

using namespace std::chrono;

constexpr auto today = sys_days{year{2026} / 11 / 26};

Int128 decimal(const char* text) { return *parse_decimal(text); }

Price price(const char* input, const char* output, const char* cached = nullptr) {
  Price p;
  p.from = today - days{10};
  p.rates.input = decimal(input);
  p.rates.output = decimal(output);
  if (cached) p.rates.cached_input = decimal(cached);
  return p;
}

TEST(WhyImplausible, M08TellsFiguresThatCannotWellBe) {
  Price tier = price("1", "2"), night = price("1", "2"), thinking = price("1", "2"), forgotten = price("1", "2"),
        free_at_low = price("0", "0"), free = price("0", "0");
  tier.tiers = {{1'000, {decimal("1"), {}, {}, decimal("101")}}};
  night.windows = {{"night", {0x7f, 0, 60}, {decimal("0.5"), decimal("0.6"), {}, {}}}};
  thinking.thinking.output = decimal("1001");
  forgotten.thinking.output = decimal("3");
  forgotten.tiers = {{1'000, {decimal("2"), {}, {}, decimal("4")}}};
  free_at_low.confidence = "low";
  struct Row {
    Price price;
    const char* why;
  };
  const Row table[] = {
      {price("0.15", "0.6", "0.003"), ""},
      {price("0.07", "0"), ""},
      {price("1", "0.1"), ""},
      {price("0.001", "0.1"), ""},
      {price("100", "1000", "100"), ""},
      {free, ""},
      {price("0.0009", "0.01"), "has input at 0.0009, which is below 0.001 USD; amounts are per million tokens"},
      {price("100", "1000.1"), "has output at 1000.1, which is above 1000 USD; amounts are per million tokens"},
      {price("1", "2", "1.01"), "has cached input dearer than input"},
      {price("1", "100.1"), "has output at more than 100 times input"},
      {price("0", "1"), "has output at more than 100 times input"},
      {price("1", "0.09"), "has output at less than a tenth of input"},
      {tier, "has output at more than 100 times input"},
      {night, "has cached input dearer than input"},
      {thinking, "has output at 1001, which is above 1000 USD; amounts are per million tokens"},
      {forgotten, "is dearer for thinking, but a tier or window of it says nothing of that"},
      {free_at_low, "is 0, at low confidence"},
  };
  for (const Row& row : table) EXPECT_EQ(why_implausible(row.price, nullptr), row.why);
}

TEST(WhyImplausible, LimitsAreInUsd) {
  UsdRates yen(decimal("0.0066"));
  EXPECT_EQ(why_implausible(price("1500", "15000"), &yen), "");
  EXPECT_NE(why_implausible(price("1500", "15000"), nullptr), "");
  EXPECT_NE(why_implausible(price("0.1", "0.5"), &yen), "");
}

class Doubts : public testing::Test {
 protected:
  Doubts() {
    snapshot_.usd_per["USD"] = pico_per_unit;
    target_.provider = &provider_;
    target_.model = &model_;
  }
  std::string at(TimePoint time) {
    std::string all;
    for (const DoubtedPrice& doubted : doubts_of(target_, snapshot_, time))
      all += std::string(to_string(doubted.doubt)) + ": " + doubted.reason + "\n";
    return all;
  }
  Snapshot snapshot_;
  Provider provider_;
  Model model_;
  Target target_;
};

TEST_F(Doubts, APriceIsMissingOutsideOfItsDatesAndWithoutARate) {
  Price p = price("1", "2");
  p.until = today + days{1};
  model_.prices = {p};
  EXPECT_EQ(at(today), "");
  EXPECT_EQ(at(today - days{11}), "missing: is not known\n");
  EXPECT_EQ(at(today + days{1}), "missing: is not known\n");
  provider_.currency = model_.prices[0].currency = *parse_currency("CNY");
  EXPECT_EQ(at(today), "missing: is in CNY, without a rate to USD\n");
  snapshot_.usd_per["CNY"].dated = {{today + hours{1}, decimal("0.14")}};
  EXPECT_EQ(at(today), "missing: is in CNY, without a rate to USD\n");
  EXPECT_EQ(at(today + hours{1}), "");
}

TEST_F(Doubts, APriceIsStaleLongAfterItWasLastSeen) {
  model_.prices = {price("1", "2")};
  snapshot_.price_rules.stale_days = days{30};
  EXPECT_EQ(at(today + days{20}), "") << "thirty days to the second";
  const std::string stale = "stale: was last seen in force on 2026-11-16, more than 30 days ago\n";
  EXPECT_EQ(at(today + days{20} + seconds{1}), stale);
  model_.prices[0].seen = today;
  EXPECT_EQ(at(today + days{20} + seconds{1}), "");
  EXPECT_EQ(at(today + days{31}), "stale: was last seen in force on 2026-11-26, more than 30 days ago\n");
  target_.contract = {price("1", "2")};
  EXPECT_EQ(at(today + days{31}), "") << "what was agreed holds";
  target_.contract.clear();
  provider_.facts.hosting = "self";
  EXPECT_EQ(at(today + days{31}), "") << "one's own machines do not change their prices";
}

TEST_F(Doubts, AnImplausiblePriceSaysWhy) {
  model_.prices = {price("1", "2")};
  model_.prices[0].implausible = "is odd";
  EXPECT_EQ(at(today), "implausible: is odd\n");
}

}  // namespace
}  // namespace fairlead
