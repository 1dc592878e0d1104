#include "exchange/over_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

using testing::HasSubstr;

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
  budget.charged = 9 * Int128{pico_per_unit};
  EXPECT_THAT(over_budget(budget, 1).message(), HasSubstr("has 0 USD left of 5")) << "overdrawn";
}

}  // namespace
}  // namespace fairlead::exchange
