#include <fairlead/snapshot.h>

#include <gtest/gtest.h>
#include <chrono>
#include <limits>
#include <string>
#include <vector>

namespace fairlead {
namespace {

using namespace std::chrono;

constexpr std::uint8_t weekdays = 0b0011111;
constexpr Currency usd{};
constexpr Currency cny{{'C', 'N', 'Y'}};
constexpr auto monday = sys_days{year{2026} / 11 / 23};

Int128 pico(const char* text) { return *parse_decimal(text); }

Rates rates(const char* input, const char* cached, const char* output) {
  Rates r;
  if (input) r.input = pico(input);
  if (cached) r.cached_input = pico(cached);
  if (output) r.output = pico(output);
  return r;
}

Price price(TimePoint from, Rates base) {
  Price p;
  p.from = from;
  p.rates = base;
  return p;
}

/// DeepSeek's flash model: twice the price on weekdays, 01:00 to 04:00 and 06:00 to 10:00 UTC.
Price deepseek_flash() {
  Price p = price(sys_days{year{2026} / 9 / 10} + hours{4}, rates("0.15", "0.003", "0.60"));
  const Rates peak = rates("0.30", "0.006", "1.20");
  p.windows = {{"morning", {weekdays, 60, 240}, peak}, {"afternoon", {weekdays, 360, 600}, peak}};
  return p;
}

/// An OpenAI model whose whole request costs more above 272,000 tokens of input.
Price gpt_luna() {
  Price p = price(sys_days{year{2026} / 9 / 22}, rates("0.1", "0.01", "0.5"));
  p.tiers = {{272'000, rates("0.2", "0.02", "0.75")}};
  return p;
}

Usage usage(std::int64_t input, std::int64_t cached, std::int64_t output, std::int64_t reasoning) {
  Usage u;
  u.input = input;
  u.cached_input = cached;
  u.output = output;
  u.reasoning = reasoning;
  return u;
}

std::string cost(const Usage& u, const std::vector<Price>& prices, TimePoint at) {
  const auto in_force = price_in_force(prices, usd, u.input_total(), at);
  return in_force ? format_decimal(cost_of(u, *in_force)->pico) : "unpriced";
}

TEST(PriceInForce, PeakBeginsAndEndsToTheMinute) {
  struct Row {
    int day;  // from Monday on
    hours h;
    minutes m;
    const char* window;
  };
  const std::vector<Price> prices{deepseek_flash()};
  for (const Row& row : std::vector<Row>{
           {0, hours{0}, minutes{59}, ""},
           {0, hours{1}, minutes{0}, "morning"},
           {0, hours{3}, minutes{59}, "morning"},
           {0, hours{4}, minutes{0}, ""},
           {0, hours{5}, minutes{59}, ""},
           {0, hours{6}, minutes{0}, "afternoon"},
           {0, hours{9}, minutes{59}, "afternoon"},
           {0, hours{10}, minutes{0}, ""},
           {4, hours{1}, minutes{0}, "morning"},
           {4, hours{9}, minutes{59}, "afternoon"},
           {5, hours{1}, minutes{0}, ""},
           {6, hours{6}, minutes{0}, ""},
           {7, hours{1}, minutes{0}, "morning"},
           {-1, hours{23}, minutes{59}, ""},
       }) {
    for (const microseconds within : {microseconds{0}, microseconds{59'999'999}}) {
      const auto in_force = price_in_force(prices, usd, 1'000, monday + days{row.day} + row.h + row.m + within);
      ASSERT_TRUE(in_force);
      EXPECT_EQ(in_force->window, row.window) << row.day << " " << row.h.count() << ":" << row.m.count();
      EXPECT_TRUE(*in_force->rates.output == pico(*row.window ? "1.2" : "0.6"));
      EXPECT_EQ(in_force->entry, &prices[0]);
    }
  }
}

TEST(PriceInForce, EveryMinuteOfAWeekIsInsideOrOutsideOfPeak) {
  const std::vector<Price> prices{deepseek_flash()};
  int peak = 0;
  for (int minute = 0; minute < 7 * 24 * 60; ++minute) {
    const int day = minute / 1440, hour = minute / 60 % 24;
    const bool expected = day < 5 && ((hour >= 1 && hour < 4) || (hour >= 6 && hour < 10));
    ASSERT_EQ(!price_in_force(prices, usd, 1, monday + minutes{minute})->window.empty(), expected) << minute;
    peak += expected;
  }
  EXPECT_EQ(peak, 5 * 7 * 60);
}

TEST(PriceInForce, WindowsMayPassMidnight) {
  Price p = price(monday - days{30}, rates("1", nullptr, "1"));
  p.windows = {{"night", {0b0010000, 22 * 60, 2 * 60}, rates("0.5", nullptr, "0.5")}};  // of Friday
  const std::vector<Price> prices{p};
  const auto in_window = [&](int day, int minute) {
    return !price_in_force(prices, usd, 1, monday + days{day} + minutes{minute})->window.empty();
  };
  EXPECT_FALSE(in_window(4, 60));  // the night of Thursday
  EXPECT_FALSE(in_window(4, 22 * 60 - 1));
  EXPECT_TRUE(in_window(4, 22 * 60));
  EXPECT_TRUE(in_window(5, 0));
  EXPECT_TRUE(in_window(5, 2 * 60 - 1));
  EXPECT_FALSE(in_window(5, 2 * 60));
  EXPECT_FALSE(in_window(5, 22 * 60));
}

/// A Tuesday off, a Saturday of work, in 2026 alone.
std::shared_ptr<const Calendar> a_calendar() {
  auto calendar = std::make_shared<Calendar>();
  calendar->years = {2026};
  calendar->days_off = {monday + days{1}};
  calendar->work_days = {monday + days{5}};
  return calendar;
}

TEST(PriceInForce, AWindowDoesNotBeginOnADayOff) {
  Price p = deepseek_flash();
  const std::vector<Price> without{p};
  for (PriceWindow& window : p.windows) window.time.calendar = a_calendar();
  const std::vector<Price> prices{p};
  for (PriceWindow& window : p.windows) window.time.on_work_days = true;
  const std::vector<Price> on_work_days{p};
  for (int minute = 0; minute < 7 * 24 * 60; ++minute) {
    const TimePoint at = monday + minutes{minute};
    const int day = minute / 1440;
    const std::string usual = price_in_force(without, usd, 1, at)->window;
    const std::string as_on_monday = price_in_force(without, usd, 1, at - days{day})->window;
    ASSERT_EQ(price_in_force(prices, usd, 1, at)->window, day == 1 ? "" : usual) << minute;
    ASSERT_EQ(price_in_force(on_work_days, usd, 1, at)->window, day == 1 ? "" : day == 5 ? as_on_monday : usual) << minute;
  }
}

TEST(PriceInForce, AWindowOfTheDayBeforeReachesIntoADayOff) {
  Price p = price(monday - days{30}, rates("1", nullptr, "1"));
  p.windows = {{"night", {weekdays, 22 * 60, 2 * 60, nullptr, a_calendar()}, {}}};
  const std::vector<Price> prices{p};
  EXPECT_EQ(price_in_force(prices, usd, 1, monday + days{1} + hours{1})->window, "night");
  EXPECT_EQ(price_in_force(prices, usd, 1, monday + days{1} + hours{22})->window, "");
  EXPECT_EQ(price_in_force(prices, usd, 1, monday + days{2} + hours{1})->window, "");
}

TEST(PriceInForce, InAYearThatTheCalendarDoesNotKnowTheDearerHolds) {
  Price p = price(sys_days{year{2020} / 1 / 1}, rates("1", nullptr, "1"));
  const auto wednesday = sys_days{year{2027} / 1 / 6};
  for (const bool dearer : {false, true}) {
    p.windows = {{"day", {weekdays, 0, 0, nullptr, a_calendar()}, {}, dearer}};
    const std::vector<Price> prices{p};
    EXPECT_EQ(price_in_force(prices, usd, 1, wednesday)->window, dearer ? "day" : "");
    EXPECT_EQ(price_in_force(prices, usd, 1, wednesday + days{3})->window, "") << "a Saturday";
    EXPECT_EQ(price_in_force(prices, usd, 1, monday)->window, "day") << "a year that it knows";
  }
}

TEST(PriceInForce, M24AWindowIsInItsZone) {
  auto berlin = std::make_shared<Zone>();
  const auto summer = sys_days{year{2026} / 3 / 29} + hours{1}, winter = sys_days{year{2026} / 10 / 25} + hours{1};
  berlin->changes = {{sys_days{year{2025} / 10 / 26} + hours{1}, 60}, {summer, 120}, {winter, 60}};
  Price p = price(sys_days{year{2020} / 1 / 1}, rates("1", nullptr, "1"));
  p.windows = {{"early", {0b1000000, 60, 4 * 60, berlin}, {}}};  // of Sunday, 01:00 to 04:00
  const std::vector<Price> prices{p};
  const auto length = [&](TimePoint around) {  // minutes of the window near that time
    int inside = 0;
    for (int minute = -12 * 60; minute < 12 * 60; ++minute)
      inside += price_in_force(prices, usd, 1, around + minutes{minute})->window == "early" ? 1 : 0;
    return inside;
  };
  EXPECT_EQ(length(summer), 120) << "the hour from 02:00 to 03:00 is not there";
  EXPECT_EQ(length(winter), 240) << "the hour from 02:00 to 03:00 is there twice";
  EXPECT_EQ(length(summer + days{7}), 180);
  EXPECT_EQ(price_in_force(prices, usd, 1, summer + days{7} - hours{2})->window, "early") << "23:00 UTC of Saturday";
  EXPECT_EQ(price_in_force(prices, usd, 1, summer + days{7} - hours{2} - minutes{1})->window, "");
}

TEST(NextChange, IsTheFirstMinuteAtWhichOtherRatesHold) {
  auto berlin = std::make_shared<Zone>();
  const TimePoint winter = sys_days{year{2026} / 10 / 25} + hours{1};
  berlin->changes = {{sys_days{year{2026} / 3 / 29} + hours{1}, 120}, {winter, 60}};
  Price p = deepseek_flash();
  for (PriceWindow& window : p.windows) window.time.calendar = a_calendar();
  p.windows.push_back({"night", {0b1111111, 23 * 60, 2 * 60 + 30, berlin}, rates("0.1", nullptr, "0.2")});
  Price later = price(monday + days{9} + minutes{17}, rates("9", nullptr, "9"));
  later.until = monday + days{10};
  Price own = price(monday + days{4}, rates("7", nullptr, "7"));
  own.until = monday + days{4} + hours{5};
  Provider provider;
  provider.discounts = {{monday + days{6} + hours{7}, monday + days{8}, pico_per_unit / 10}};
  Model model;
  model.prices = {p, later};
  Target target;
  target.provider = &provider;
  target.model = &model;
  target.contract = {own};
  for (const TimePoint begin : {TimePoint(monday) - days{1}, winter - days{2}}) {
    std::optional<TimePoint> next;  // found by brute force, from the end on
    for (int minute = 14 * 24 * 60; minute >= 0; --minute) {
      const TimePoint at = begin + minutes{minute};
      ASSERT_EQ(next_change(target, 1, at, begin + days{14}), next) << minute;
      const auto rates_at = [&](TimePoint time) { return price_of(target, 1, time)->rates; };
      if (!(rates_at(at - minutes{1}) == rates_at(at))) next = at;
    }
  }
  EXPECT_EQ(next_change(target, 1, p.from - days{1}, monday), p.from) << "unpriced before";
  provider.currency = cny;
  EXPECT_EQ(next_change(target, 1, monday, monday + days{99}), std::nullopt);
}

TEST(PriceOf, TheContractWinsAndADiscountIsOffTheList) {
  Provider provider;
  provider.discounts = {{{}, {}, *parse_decimal("0.15")}, {monday + days{1}, monday + days{2}, *parse_decimal("0.333333333333")}};
  Model model;
  model.prices = {price(monday - days{9}, rates("1", "0.000000000001", "3"))};
  Price own = price(monday + days{3}, rates("2", nullptr, "2"));
  own.until = monday + days{4};
  Target target;
  target.provider = &provider;
  target.model = &model;
  target.contract = {own};
  const auto at = [&](TimePoint time) { return *price_of(target, 1, time); };
  EXPECT_TRUE(at(monday).rates == rates("0.85", "0.000000000001", "2.55")) << "rounded half up";
  EXPECT_TRUE(at(monday).discount == *parse_decimal("0.15") && !at(monday).contract);
  EXPECT_TRUE(at(monday + days{1}).rates == rates("0.666666666667", "0.000000000001", "2.000000000001")) << "the last that holds";
  EXPECT_TRUE(at(monday + days{2}).rates == at(monday).rates);
  EXPECT_TRUE(at(monday + days{3}).rates == own.rates && at(monday + days{3}).contract && at(monday + days{3}).discount == 0);
  EXPECT_EQ(at(monday + days{3}).entry, &target.contract[0]);
  EXPECT_FALSE(at(monday + days{4}).contract);
  model.prices.clear();
  EXPECT_FALSE(price_of(target, 1, monday)) << "a discount makes no price";
}

TEST(PriceInForce, ThinkingHasItsOwnAmountsInTheEntryAndInEachPartOfIt) {
  Price p = price(monday - days{30}, rates("0.4", "0.08", "1.2"));
  p.thinking = rates(nullptr, nullptr, "4");
  p.tiers = {{256'000, rates("1.2", "0.24", "3.6"), rates(nullptr, nullptr, "12")}, {500'000, rates("2", nullptr, "5")}};
  p.windows = {{"night", {0x7f, 0, 60}, rates("0.2", nullptr, "0.6")}};
  const std::vector<Price> prices{p};
  struct Row {
    std::int64_t input;
    TimePoint at;
    Rates plain, thinking;
    bool differs;
  };
  const Row table[] = {
      {1, monday + hours{2}, rates("0.4", "0.08", "1.2"), rates("0.4", "0.08", "4"), true},
      {256'001, monday + hours{2}, rates("1.2", "0.24", "3.6"), rates("1.2", "0.24", "12"), true},
      {500'001, monday + hours{2}, rates("2", "0.08", "5"), rates("2", "0.08", "5"), false},
      {1, monday, rates("0.2", "0.08", "0.6"), rates("0.2", "0.08", "0.6"), false},
  };
  for (const Row& row : table) {
    const auto plain = *price_in_force(prices, usd, row.input, row.at);
    const auto thinking = *price_in_force(prices, usd, {row.input, true}, row.at);
    EXPECT_TRUE(plain.rates == row.plain && !plain.thinking) << row.input;
    EXPECT_TRUE(thinking.rates == row.thinking && thinking.thinking == row.differs) << row.input;
  }
}

TEST(PriceInForce, AServiceTierMultipliesAllAmountsThatHold) {
  Price p = gpt_luna();
  p.service_tiers[static_cast<int>(ServiceTier::flex)] = pico("0.5");
  p.service_tiers[static_cast<int>(ServiceTier::priority)] = pico("1.75");
  const std::vector<Price> prices{p};
  const auto flex = *price_in_force(prices, usd, {1, false, ServiceTier::flex}, monday);
  EXPECT_TRUE(flex.rates == rates("0.05", "0.005", "0.25") && flex.service_factor == pico("0.5"));
  const auto fast = *price_in_force(prices, usd, {272'001, false, ServiceTier::priority}, monday);
  EXPECT_TRUE(fast.rates == rates("0.35", "0.035", "1.3125") && fast.service_tier == ServiceTier::priority);
  const auto batch = *price_in_force(prices, usd, {1, false, ServiceTier::batch}, monday);
  EXPECT_TRUE(batch.rates == p.rates && batch.service_tier == ServiceTier::batch && !batch.service_factor)
      << "a tier without a price of its own is told, and costs what the standard one costs";
}

TEST(PriceInForce, ARegionalEndpointCostsMoreWhereTheEntrySaysSo) {
  Price p = price(monday - days{30}, rates("0.15", "0.000000000001", "0.6"));
  const std::vector<Price> without{p};
  p.regional = pico("1.1");
  const std::vector<Price> with{p};
  EXPECT_TRUE(price_in_force(with, {usd, "EU", true}, 1, monday)->rates == rates("0.165", "0.000000000001", "0.66"));
  EXPECT_TRUE(price_in_force(with, {usd, "EU", false}, 1, monday)->rates == p.rates);
  EXPECT_TRUE(price_in_force(without, {usd, "EU", true}, 1, monday)->rates == p.rates);
  EXPECT_FALSE(price_in_force(without, {usd, "EU", true}, 1, monday)->regional_factor);
}

TEST(PriceInForce, AnEntryForARegionWinsThereAndOnlyThere) {
  Price everywhere = price(monday - days{3}, rates("1", nullptr, "1")), china = price(monday - days{30}, rates("2", nullptr, "2"));
  china.regions = {"CN", "HK"};
  Price abroad = price(monday - days{1}, rates("3", nullptr, "3"));
  abroad.except_regions = {"CN"};
  const auto input = [](const std::vector<Price>& prices, const char* region) {
    const auto price = price_in_force(prices, {usd, region}, 1, monday);
    return price ? format_decimal(*price->rates.input) : "unpriced";
  };
  EXPECT_EQ(input({everywhere, china}, "CN"), "2");
  EXPECT_EQ(input({everywhere, china}, "US"), "1");
  EXPECT_EQ(input({china, abroad}, "CN"), "2");
  EXPECT_EQ(input({china, abroad}, "HK"), "2");
  EXPECT_EQ(input({china, abroad}, "SG"), "3");
  EXPECT_EQ(input({abroad}, "CN"), "unpriced");
  EXPECT_EQ(input({china}, "US"), "unpriced");
  EXPECT_EQ(input({china}, ""), "2") << "a provider that states no region is billed by what there is";
}

TEST(PriceOf, FactorsThenDiscountThenSurchargeEachRoundedHalfUp) {
  Provider provider;
  provider.regional = true;
  provider.discounts = {{{}, {}, *parse_decimal("0.1")}};
  provider.surcharges = {{monday, monday + days{1}, *parse_decimal("0.25")}};
  Model model;
  Price listed = price(monday - days{9}, rates("0.333333333333", nullptr, "1"));
  listed.regional = pico("1.1");
  listed.service_tiers[static_cast<int>(ServiceTier::flex)] = pico("0.5");
  model.prices = {listed};
  Target target;
  target.provider = &provider;
  target.model = &model;
  const PricedBy flex(1, false, ServiceTier::flex);
  // 0.333333333333 x 0.5 = 0.1666666666665 -> ...667; x 1.1 = 0.1833333333337 -> ...334; x 0.9 = 0.1650000000006 -> ...001
  EXPECT_TRUE(price_of(target, flex, monday - days{1})->rates == rates("0.165000000001", nullptr, "0.495"));
  // x 1.25 = 0.20625000000125
  EXPECT_TRUE(price_of(target, flex, monday)->rates == rates("0.206250000001", nullptr, "0.61875"));
  EXPECT_TRUE(price_of(target, flex, monday)->surcharge == pico("0.25"));
  EXPECT_TRUE(next_change(target, flex, monday, monday + days{9}) == monday + days{1});
  target.contract = {listed};
  EXPECT_TRUE(price_of(target, flex, monday)->rates == rates("0.183333333334", nullptr, "0.55"))
      << "a contract's own factors hold, and nothing else is taken off or put on";
}

TEST(Thinks, TheFirstSwitchThatTheProviderHeedsElseTheModelsHabit) {
  Profile profile;
  Provider provider;
  Model model;
  Target target;
  target.provider = &provider;
  target.model = &model;
  const auto only = [](ThinkingSwitch field) {
    ThinkingWish wish;
    wish.set(field, true);
    return wish.on;
  };
  ThinkingWish wish;
  EXPECT_FALSE(thinks(target, wish));
  model.thinks_by_default = true;
  EXPECT_TRUE(thinks(target, wish));
  wish.set(ThinkingSwitch::reasoning_effort, false);
  EXPECT_FALSE(thinks(target, wish));
  wish.set(ThinkingSwitch::enable_thinking, true);
  EXPECT_TRUE(thinks(target, wish));
  provider.profile = &profile;
  profile.thinking_switches = only(ThinkingSwitch::reasoning_effort);
  EXPECT_FALSE(thinks(target, wish));
  profile.thinking_switches = only(ThinkingSwitch::thinking);
  EXPECT_TRUE(thinks(target, wish)) << "nothing that this provider heeds was said";
}

TEST(UsdRates, TheLatestThatHasBegunCounts) {
  UsdRates rates;
  rates.dated = {{monday, 14}, {monday + days{7}, 15}};
  EXPECT_EQ(rates.at(monday - seconds{1}), nullptr);
  EXPECT_TRUE(rates.at(monday)->usd == 14 && rates.at(monday + days{7} - seconds{1})->usd == 14);
  EXPECT_TRUE(rates.at(monday + days{7})->usd == 15);
  EXPECT_TRUE(UsdRates(7).at(TimePoint{})->usd == 7);
}

TEST(PriceInForce, AWindowOfSundayEndsOnMonday) {
  Price p = price(monday - days{30}, rates("1", nullptr, "1"));
  p.windows = {{"night", {0b1000000, 23 * 60, 60}, {}}};
  const std::vector<Price> prices{p};
  EXPECT_EQ(price_in_force(prices, usd, 1, monday + minutes{59})->window, "night");
  EXPECT_EQ(price_in_force(prices, usd, 1, monday + minutes{60})->window, "");
}

TEST(PriceInForce, AWindowFromMidnightToMidnightIsTheDay) {
  Price p = price(monday - days{30}, rates("1", nullptr, "1"));
  p.windows = {{"day", {0b0000001, 0, 0}, {}}};
  const std::vector<Price> prices{p};
  EXPECT_EQ(price_in_force(prices, usd, 1, monday - microseconds{1})->window, "");
  EXPECT_EQ(price_in_force(prices, usd, 1, monday)->window, "day");
  EXPECT_EQ(price_in_force(prices, usd, 1, monday + days{1} - microseconds{1})->window, "day");
  EXPECT_EQ(price_in_force(prices, usd, 1, monday + days{1})->window, "");
}

TEST(PriceInForce, KeepsTheBasePriceOfAKindThatAWindowOrTierLeavesOut) {
  Price p = price(monday - days{30}, rates("1", "0.1", "4"));
  p.windows = {{"day", {0b0000001, 0, 0}, rates("2", nullptr, nullptr)}};
  p.tiers = {{100, rates("3", nullptr, "12")}};
  const std::vector<Price> prices{p};
  EXPECT_EQ(price_in_force(prices, usd, 100, monday)->rates, rates("2", "0.1", "4"));
  EXPECT_EQ(price_in_force(prices, usd, 101, monday)->rates, rates("3", "0.1", "12"));
}

TEST(PriceInForce, ATierBeginsAboveItsLimitAndHoldsForTheWholeRequest) {
  const std::vector<Price> prices{gpt_luna()};
  EXPECT_EQ(price_in_force(prices, usd, 272'000, monday)->above_input_tokens, 0);
  EXPECT_EQ(price_in_force(prices, usd, 272'001, monday)->above_input_tokens, 272'000);
  EXPECT_EQ(cost(usage(272'000, 0, 1'000, 0), prices, monday), "0.0277");     // 27,200 + 500
  EXPECT_EQ(cost(usage(272'001, 0, 1'000, 0), prices, monday), "0.0551502");  // 54,400.2 + 750
  EXPECT_EQ(cost(usage(1, 272'000, 0, 0), prices, monday), "0.0054402");      // the total decides: 0.2 + 5,440
}

TEST(PriceInForce, TheHighestTierBelowTheInputHolds) {
  Price p = price(monday, rates("1", nullptr, "1"));
  p.tiers = {{32'768, rates("2", nullptr, "2")}, {131'072, rates("3", nullptr, "3")}};
  const std::vector<Price> prices{p};
  const auto tier = [&](std::int64_t input) { return price_in_force(prices, usd, input, monday)->above_input_tokens; };
  EXPECT_EQ(tier(0), 0);
  EXPECT_EQ(tier(32'768), 0);
  EXPECT_EQ(tier(32'769), 32'768);
  EXPECT_EQ(tier(131'072), 32'768);
  EXPECT_EQ(tier(131'073), 131'072);
  EXPECT_EQ(tier(std::numeric_limits<std::int64_t>::max()), 131'072);
}

TEST(PriceInForce, TiersWinOverWindows) {
  Price p = deepseek_flash();
  p.tiers = {{1'000, rates("9", "9", "9")}};
  const std::vector<Price> prices{p};
  const auto in_force = price_in_force(prices, usd, 1'001, monday + hours{2});
  EXPECT_EQ(in_force->rates, rates("9", "9", "9"));
  EXPECT_EQ(in_force->window, "");
}

TEST(PriceInForce, TheLatestEntryThatHasBegunHolds) {
  Price old = price(monday - days{100}, rates("4", nullptr, "4"));
  Price promotion = price(monday - days{10}, rates("1", nullptr, "1"));
  promotion.until = monday;
  Price next = price(monday + days{10}, rates("5", nullptr, "5"));
  for (const std::vector<Price>& prices : {std::vector{old, promotion, next}, std::vector{next, promotion, old}}) {
    const auto input_at = [&](TimePoint at) {
      const auto in_force = price_in_force(prices, usd, 1, at);
      return in_force ? format_decimal(*in_force->rates.input) : "none";
    };
    EXPECT_EQ(input_at(monday - days{100} - microseconds{1}), "none");
    EXPECT_EQ(input_at(monday - days{100}), "4");
    EXPECT_EQ(input_at(monday - days{10}), "1");
    EXPECT_EQ(input_at(monday - microseconds{1}), "1");
    EXPECT_EQ(input_at(monday), "4");  // the promotion is over, and the list price holds again
    EXPECT_EQ(input_at(monday + days{10}), "5");
  }
}

TEST(PriceInForce, ListsInTwoCurrenciesDoNotMix) {
  Price yuan = price(monday, rates("1", nullptr, "4"));
  yuan.currency = cny;
  const std::vector<Price> prices{yuan};
  EXPECT_FALSE(price_in_force(prices, usd, 1, monday));
  const auto in_force = price_in_force(prices, cny, 1, monday);
  ASSERT_TRUE(in_force);
  EXPECT_EQ(cost_of(usage(1'000'000, 0, 0, 0), *in_force)->currency, cny);
}

TEST(CostOf, M04CacheHitsAndReasoningAreEachCountedOnce) {
  const std::vector<Price> prices{deepseek_flash()};
  // Prompt 1,000, of which 600 from the cache; completion 250, of which 100 reasoning: 60 + 1.8 + 150 per million.
  EXPECT_EQ(cost(usage(400, 600, 150, 100), prices, monday), "0.0002118");
  EXPECT_EQ(cost(usage(400, 600, 150, 100), prices, monday + hours{1}), "0.0004236");  // at peak
}

TEST(CostOf, M01M02M03TheSameUsageCostsTheSameHoweverItWasReported) {
  const std::vector<Price> prices{deepseek_flash()};
  Usage absent;  // kinds not reported at all
  absent.input = 1'000;
  absent.output = 100;
  EXPECT_EQ(cost(absent, prices, monday), "0.00021");
  EXPECT_EQ(cost(usage(1'000, 0, 100, 0), prices, monday), "0.00021");
  EXPECT_EQ(cost(usage(1'000, 0, 0, 100), prices, monday), "0.00021");
}

TEST(CostOf, CachedInputAndCacheWritesCostWhatInputCostsWithoutAPriceOfTheirOwn) {
  PriceInForce in_force;
  in_force.rates = rates("2", nullptr, "8");
  Usage u;
  u.cached_input = 10;
  u.cache_write = 100;
  EXPECT_EQ(format_decimal(cost_of(u, in_force)->pico), "0.00022");
  in_force.rates.cached_input = pico("0.5");
  in_force.rates.cache_write = pico("2.5");
  EXPECT_EQ(format_decimal(cost_of(u, in_force)->pico), "0.000255");
}

TEST(CostOf, RoundsHalfUpOnceAtTheEnd) {
  PriceInForce in_force;
  in_force.rates.input = 1;  // 10^-12 per million tokens
  in_force.rates.output = 1;
  EXPECT_TRUE(cost_of(usage(499'999, 0, 0, 0), in_force)->pico == 0);
  EXPECT_TRUE(cost_of(usage(500'000, 0, 0, 0), in_force)->pico == 1);
  EXPECT_TRUE(cost_of(usage(1'499'999, 0, 0, 0), in_force)->pico == 1);
  // Each kind by itself would be rounded away.
  EXPECT_TRUE(cost_of(usage(250'000, 0, 250'000, 0), in_force)->pico == 1);
  EXPECT_TRUE(cost_of(usage(499'999, 499'999, 499'999, 1), in_force)->pico == 1);
}

TEST(CostOf, NothingConsumedCostsNothing) {
  EXPECT_TRUE(cost_of(Usage{}, PriceInForce{})->pico == 0);
  const std::vector<Price> prices{deepseek_flash()};
  EXPECT_EQ(cost(Usage{}, prices, monday), "0");
}

TEST(CostOf, M06AKindWithoutARateIsUnknownAndAPriceOfZeroIsFree) {
  PriceInForce in_force;
  in_force.rates.input = pico("1");
  EXPECT_FALSE(cost_of(usage(1, 0, 1, 0), in_force));
  EXPECT_TRUE(cost_of(usage(1, 0, 0, 0), in_force));
  in_force.rates = rates("0", "0", "0");
  EXPECT_TRUE(cost_of(usage(1'000, 1'000, 1'000, 1'000), in_force)->pico == 0);
}

TEST(CostOf, RefusesAbsurdCounts) {
  PriceInForce in_force;
  in_force.rates = rates("999999999999", "999999999999", "999999999999");
  for (const std::int64_t count :
       {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})
    EXPECT_FALSE(cost_of(usage(count, 0, 0, 0), in_force)) << count;
  // The most that can be asked for does not overflow: 4 * 10^12 tokens at (10^12 - 1) per million.
  const std::int64_t most = 1'000'000'000'000;
  EXPECT_EQ(format_decimal(cost_of(usage(most, most, most, most), in_force)->pico), "3999999999996000000");
}

}  // namespace
}  // namespace fairlead
