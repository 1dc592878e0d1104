#include "exchange/over_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "exchange/settle.h"

namespace fairlead::exchange {
namespace {

using testing::HasSubstr;

/// In USD per million tokens; 0: no amount of its own.
Rates usd(int input, int output) {
  Rates rates;
  if (input != 0) rates.input = Int128{input} * pico_per_unit;
  if (output != 0) rates.output = Int128{output} * pico_per_unit;
  return rates;
}

/// 1 USD per million tokens of input, 4 of output: 10^6 and 4 * 10^6 of 10^-12 USD for a token.
struct Priced {
  Priced() {
    Price price;
    price.rates.input = pico_per_unit;
    price.rates.output = 4 * Int128{pico_per_unit};
    model.prices.push_back(price);
    provider.profile = &profile;
    target.provider = &provider;
    target.model = &model;
    snapshot.usd_per["USD"] = pico_per_unit;
    candidate.target = &target;
    candidate.input_tokens = 20;
    chat.body = std::string(100, 'x');
    facts.output_tokens_max = 10;
  }
  /// In 10^-6 USD: so many tokens of input, and four times so many of output.
  std::int64_t worst() const {
    return static_cast<std::int64_t>(worst_cost(candidate, facts, chat, snapshot, TimePoint()).value_or(-1) / 1'000'000);
  }
  Snapshot snapshot;
  Profile profile;
  Provider provider;
  Model model;
  Target target;
  Candidate candidate;
  ChatRequest chat;
  RequestFacts facts;
};

TEST(WorstCost, IsABoundOfInputAndOutput) {
  Priced p;
  EXPECT_EQ(p.worst(), 100 + 40) << "a byte for a token, and the app's cap";
  p.chat.choices = 3;
  EXPECT_EQ(p.worst(), 100 + 120) << "for each choice";
  p.chat.choices = 1;
  p.model.context_window = 60;
  EXPECT_EQ(p.worst(), 60 + 40) << "no more than the window holds";
  p.candidate.input_tokens = 80;
  EXPECT_EQ(p.worst(), 80 + 40) << "never less than the estimate";
  p.facts.output_tokens_max.reset();
  EXPECT_EQ(p.worst(), 80 + 4 * 4096) << "nobody states a cap";
  p.model.output_tokens_max = 50;
  EXPECT_EQ(p.worst(), 80 + 200) << "the model does";
  p.model.prices[0].rates.cache_write = 2 * Int128{pico_per_unit};
  EXPECT_EQ(p.worst(), 160 + 200) << "all of it may be written to a cache";
  p.model.prices.clear();
  EXPECT_EQ(worst_cost(p.candidate, p.facts, p.chat, p.snapshot, TimePoint()), std::nullopt) << "not 0";
}

TEST(WorstCost, IsThatOfWhatCanBeCountedForWhoAsksForMore) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(), countable = 1'000'000'000'000;
  struct Row {
    std::int64_t cap, choices, tokens;
  };
  for (const Row& row : {Row{countable, 1, countable}, Row{countable + 1, 1, countable}, Row{most, 1, countable},
                         Row{std::int64_t{1} << 62, 4, countable}, Row{4, std::int64_t{1} << 62, countable},
                         Row{most, most, countable}, Row{1, most, countable}, Row{0, most, 0}, Row{1'000, 1'000, 1'000'000}}) {
    Priced p;
    p.facts.output_tokens_max = row.cap;
    p.chat.choices = row.choices;
    EXPECT_EQ(p.worst(), 100 + 4 * row.tokens) << row.cap << " * " << row.choices;
  }
}

TEST(WorstCost, IsOfTheDearestTierThatAnAnswerMayName) {
  Priced p;
  auto& tiers = p.model.prices[0].service_tiers;
  tiers[static_cast<std::size_t>(ServiceTier::flex)] = pico_per_unit / 2;
  for (const auto asked : {ServiceTier::standard, ServiceTier::flex, ServiceTier::priority}) {
    p.facts.mode.service_tier = asked;
    EXPECT_EQ(p.worst(), 140) << "an answer may always be a standard one";
  }
  tiers[static_cast<std::size_t>(ServiceTier::priority)] = 2 * Int128{pico_per_unit};
  for (const auto asked : {ServiceTier::standard, ServiceTier::flex, ServiceTier::priority}) {
    p.facts.mode.service_tier = asked;
    EXPECT_EQ(p.worst(), 280);
  }
}

TEST(WorstCost, IsThatOfThinkingUnlessTheRequestTurnsItOff) {
  Priced p;
  p.model.prices[0].thinking.output = 16 * Int128{pico_per_unit};
  EXPECT_EQ(p.worst(), 100 + 160) << "it does not say";
  p.facts.mode.thinking.set(ThinkingSwitch::enable_thinking, false);
  EXPECT_EQ(p.worst(), 140);
  p.profile.thinking_switches = 1 << static_cast<int>(ThinkingSwitch::reasoning_effort);
  EXPECT_EQ(p.worst(), 100 + 160) << "the provider heeds another switch";
  p.model.prices[0].thinking.output = pico_per_unit;
  EXPECT_EQ(p.worst(), 140) << "who does not think in spite of being asked to is dearer here";
}

TEST(WorstCost, IsOfTheDearestPartThatAsMuchInputOrLessMayFallInto) {
  Priced p;
  p.model.prices[0].tiers = {{50, usd(0, 3)}, {100, usd(9, 0)}};
  EXPECT_EQ(p.worst(), 100 + 40) << "output is cheaper here after more than 50 tokens, and there may be fewer";
  p.chat.body = std::string(101, 'x');
  EXPECT_EQ(p.worst(), 909 + 40);
  p.model.prices[0].rates.cached_input = 10 * Int128{pico_per_unit};
  EXPECT_EQ(p.worst(), 1'010 + 40);
}

TEST(WorstCost, IsNoLessThanSettlementFindsHoweverItWasServed) {
  Priced p;
  Price& price = p.model.prices[0];
  price.rates.cache_write = 2 * Int128{pico_per_unit};
  price.thinking.output = 7 * Int128{pico_per_unit};
  price.service_tiers = {std::nullopt, pico_per_unit / 2, 3 * Int128{pico_per_unit}, pico_per_unit / 4};
  price.tiers = {{60, usd(0, 5), usd(0, 6)}};
  int compared = 0;
  for (const bool on : {false, true})
    for (int asked = 0; asked < service_tier_count; ++asked) {
      p.facts.mode = {{static_cast<ThinkingSwitches>(on), 0}, static_cast<ServiceTier>(asked)};
      const auto worst = worst_cost(p.candidate, p.facts, p.chat, p.snapshot, TimePoint());
      for (int served = -1; served < service_tier_count; ++served)
        for (const std::int64_t input : {1, 60, 61, 100})
          for (const std::int64_t reasoning : {-1, 0, 5, 10}) {
            Usage usage;
            usage.cache_write = input;
            usage.output = 10 - std::max<std::int64_t>(reasoning, 0);
            if (reasoning >= 0) usage.reasoning = reasoning;
            Served how{p.facts.mode, {}};
            if (served >= 0) how.service_tier = static_cast<ServiceTier>(served);
            const auto cost = cost_at(p.target, usage, how, TimePoint(), p.snapshot);
            ASSERT_TRUE(worst && cost && cost->usd_pico <= *worst) << on << asked << served << " " << input << " " << reasoning;
            ++compared;
          }
    }
  EXPECT_EQ(compared, 2 * 4 * 5 * 4 * 4);
}

TEST(OverBudget, SaysWhichWhatIsLeftAndUntilWhen) {
  state::BudgetState budget;
  budget.of = BudgetOf::team;
  budget.name = "payments";
  budget.per = BudgetPeriod::month;
  budget.limit = 5 * Int128{pico_per_unit};
  budget.charged = 4 * Int128{pico_per_unit};
  budget.span.until = TimePoint(std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}) + std::chrono::hours(23);
  const Error error = over_budget(budget, 2 * Int128{pico_per_unit});
  EXPECT_EQ(error.kind, ErrorKind::over_budget);
  EXPECT_EQ(error.message(),
            "the budget of team payments per month has 1 USD left of 5, and this request may cost up to 2; it begins anew at "
            "2026-12-01T23:00:00Z");
  EXPECT_EQ(error.retry, Retry::never);
  budget.charged = 9 * Int128{pico_per_unit};
  EXPECT_THAT(over_budget(budget, 1).message(), HasSubstr("has 0 USD left of 5")) << "overdrawn";
}

TEST(OverBudget, IsForNowAloneWhereOthersHoldWhatIsNotSpent) {
  state::BudgetState budget;
  budget.of = BudgetOf::key;
  budget.name = "app";
  budget.per = BudgetPeriod::day;
  budget.limit = 5 * Int128{pico_per_unit};
  budget.charged = 1 * Int128{pico_per_unit};
  budget.held = 3 * Int128{pico_per_unit};
  const Error held = over_budget(budget, 4 * Int128{pico_per_unit});
  EXPECT_EQ(held.retry, Retry::before_commit);
  EXPECT_EQ(
      held.message(),
      "the budget of key app per day has 1 USD left of 5, and this request may cost up to 4; 1 are spent, and 3 held for requests "
      "under way: try again when these have ended");
  EXPECT_EQ(over_budget(budget, 4 * Int128{pico_per_unit} + 1).retry, Retry::never) << "it would not fit then either";
}

}  // namespace
}  // namespace fairlead::exchange
