#include "exchange/settle.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

/// A target at 1 and 2 CNY per million, and 0.14 USD for a CNY.
struct Fixture {
  Snapshot snapshot;
  Provider provider;
  Model model;
  Target target;
  mutable Texts texts;
  Fixture() {
    provider.name = "p";
    provider.price_list = "list";
    provider.currency = *parse_currency("CNY");
    model.name = "m";
    Price price;
    price.currency = provider.currency;
    price.rates.input = *parse_decimal("1");
    price.rates.output = *parse_decimal("2");
    model.prices.push_back(price);
    target.name = "p/m";
    target.provider = &provider;
    target.model = &model;
    snapshot.usd_per["CNY"] = *parse_decimal("0.14");
    snapshot.usd_per["USD"] = *parse_decimal("1");
  }
  AttemptEnd end() const {
    AttemptEnd e;
    e.target = &target;
    e.sent_at = TimePoint(std::chrono::seconds(1'000));
    e.ended_at = e.sent_at + std::chrono::milliseconds(5);
    e.status = 200;
    e.report.bytes_sent = e.report.sent_whole = e.report.answer_began = true;
    e.phase = Phase::relay;
    e.input_tokens_estimate = 100;
    return e;
  }
};

Error broken(ErrorOrigin origin = ErrorOrigin::provider) { return {ErrorKind::upstream_closed, origin, "m"}; }

TEST(Settle, ReportedUsageIsTheTruthHoweverItEnded) {
  const Fixture f;
  for (const bool failed : {false, true}) {
    AttemptEnd end = f.end();
    end.answer.usage.input = 1'000'000;
    end.answer.usage.output = 500'000;
    end.answer.usage_source = UsageSource::reported;
    if (failed) end.error = broken();
    const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
    EXPECT_EQ(row.usage_source, UsageSource::reported);
    ASSERT_TRUE(row.cost && row.usd_pico && row.usd_rate);
    EXPECT_EQ(format_decimal(row.cost->pico), "2");
    EXPECT_EQ(row.cost->currency.view(), "CNY");
    EXPECT_EQ(format_decimal(*row.usd_pico), "0.28");
    EXPECT_EQ(row.price, R"({"model":"list/m","from_us":0,"currency":"CNY","input":"1","output":"2"})");
    EXPECT_EQ(row.phase, failed ? Phase::relay : Phase::done);
  }
}

TEST(Settle, WhatTheProviderSaysOfHowItServedWinsOverWhatWasAsked) {
  Fixture f;
  Price& price = f.model.prices.front();
  price.thinking.output = *parse_decimal("8");
  price.service_tiers[static_cast<int>(ServiceTier::priority)] = 2 * pico_per_unit;
  f.snapshot.usd_per["CNY"].dated = {{TimePoint(std::chrono::seconds(900)), *parse_decimal("0.14")}};
  RequestMode thinking, priority;
  thinking.thinking.set(ThinkingSwitch::enable_thinking, true);
  priority.service_tier = ServiceTier::priority;
  const std::string begin = R"({"model":"list/m","from_us":0,"currency":"CNY",)", end_ = R"(,"usd_rate_from_us":900000000})";
  struct Row {
    RequestMode asked;
    std::optional<std::int64_t> reasoning;
    std::optional<ServiceTier> said;
    const char* cost;
    const char* price;
  };
  const Row table[] = {
      {{}, {}, {}, "2", R"("input":"1","output":"2")"},
      {thinking, {}, {}, "8", R"("thinking":true,"input":"1","output":"8")"},
      {thinking, 0, {}, "2", R"("input":"1","output":"2")"},
      {{}, 500'000, {}, "12", R"("thinking":true,"input":"1","output":"8")"},
      {priority, {}, {}, "4", R"("service_tier":"priority","service_factor":"2","input":"2","output":"4")"},
      {priority, {}, ServiceTier::standard, "2", R"("input":"1","output":"2")"},
      {{}, {}, ServiceTier::priority, "4", R"("service_tier":"priority","service_factor":"2","input":"2","output":"4")"},
      {{}, {}, ServiceTier::flex, "2", R"("service_tier":"flex","input":"1","output":"2")"},
  };
  for (const Row& row : table) {
    AttemptEnd end = f.end();
    end.mode = row.asked;
    end.answer.usage.output = 1'000'000;
    end.answer.usage.reasoning = row.reasoning;
    end.answer.usage_source = UsageSource::reported;
    end.answer.service_tier = row.said;
    const AttemptSettle settled = settle_attempt("r", 1, end, f.snapshot, f.texts);
    ASSERT_TRUE(settled.cost);
    EXPECT_EQ(format_decimal(settled.cost->pico), row.cost) << row.price;
    EXPECT_EQ(settled.price, begin + row.price + end_);
  }
}

TEST(Settle, TheRateOfTheDayOfSendingCounts) {
  Fixture f;
  const TimePoint sent = f.end().sent_at;
  f.snapshot.usd_per["CNY"].dated = {{sent, *parse_decimal("0.14")}, {sent + std::chrono::seconds(1), *parse_decimal("0.15")}};
  AttemptEnd end = f.end();
  end.answer.usage.input = 1'000'000;
  end.answer.usage_source = UsageSource::reported;
  const auto usd = [&](std::chrono::seconds later) {
    end.sent_at = sent + later;
    const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
    return row.usd_pico ? format_decimal(*row.usd_pico) + " at " + format_decimal(*row.usd_rate) : "unknown";
  };
  EXPECT_EQ(usd(std::chrono::seconds(-1)), "unknown") << "no rate had begun";
  EXPECT_EQ(usd(std::chrono::seconds(0)), "0.14 at 0.14");
  EXPECT_EQ(usd(std::chrono::seconds(1)), "0.15 at 0.15");
}

TEST(Settle, CutOrCancelledStreamsAreEstimatedFromWhatCame) {  // M09, M10
  const Fixture f;
  AttemptEnd end = f.end();
  end.answer.content_bytes = 350;
  end.error = broken(ErrorOrigin::app);
  AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_EQ(row.usage_source, UsageSource::estimated);
  EXPECT_EQ(row.usage.input, 100);
  EXPECT_EQ(row.usage.output, 100);
  EXPECT_EQ(row.ended_by, EndedBy::app);
  EXPECT_EQ(format_decimal(row.cost->pico), "0.0003");
  end.output_tokens_max = 7;
  row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_EQ(row.usage.output, 7) << "no estimate exceeds the app's own limit";
}

TEST(Settle, AbsurdUsageIsNeverBelieved) {
  const Fixture f;
  AttemptEnd end = f.end();
  end.answer.usage.input = -5;
  end.answer.usage_source = UsageSource::invalid;
  const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_EQ(row.usage_source, UsageSource::invalid);
  EXPECT_EQ(row.usage.input, 100);
}

TEST(Settle, SentWholeWithoutAnAnswerMayBeBilledAndSaysSo) {
  const Fixture f;
  AttemptEnd end = f.end();
  end.status = 0;
  end.error = broken();
  const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_TRUE(row.unconfirmed);
  EXPECT_EQ(row.usage_source, UsageSource::estimated);
  EXPECT_EQ(row.usage.input, 100);
  EXPECT_FALSE(row.usage.output);
}

TEST(Settle, RefusedOrNeverSentCostsNothing) {
  const Fixture f;
  AttemptEnd refused = f.end();
  refused.status = 429;
  refused.error = broken();
  AttemptEnd unsent = f.end();
  unsent.status = 0;
  unsent.report = {};
  unsent.error = broken();
  for (const AttemptEnd& end : {refused, unsent}) {
    const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
    EXPECT_EQ(row.usage_source, UsageSource::none);
    EXPECT_FALSE(row.usage.input);
    EXPECT_FALSE(row.unconfirmed);
    ASSERT_TRUE(row.cost);
    EXPECT_EQ(row.cost->pico, 0);
  }
}

TEST(Settle, WithoutAPriceTheCostIsUnknownAndNotZero) {  // M06
  Fixture f;
  f.model.prices.clear();
  AttemptEnd end = f.end();
  end.answer.usage.input = 10;
  end.answer.usage_source = UsageSource::reported;
  const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_FALSE(row.cost);
  EXPECT_FALSE(row.usd_pico);
  EXPECT_EQ(row.usage.input, 10);
}

TEST(Settle, APriceOfZeroIsFree) {
  Fixture f;
  f.model.prices[0].rates.input = f.model.prices[0].rates.output = Int128{0};
  AttemptEnd end = f.end();
  end.answer.usage.input = 10;
  end.answer.usage_source = UsageSource::reported;
  const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  ASSERT_TRUE(row.cost);
  EXPECT_EQ(row.cost->pico, 0);
}

TEST(Settle, NoTokensForAnAnswerWithContentAreAbsurd) {
  const Fixture f;
  AttemptEnd end = f.end();
  end.answer.usage.input = 0;
  end.answer.usage.output = 0;
  end.answer.usage_source = UsageSource::reported;
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage_source, UsageSource::reported) << "nothing came of it";
  end.answer.content_bytes = 70;
  const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_EQ(row.usage_source, UsageSource::invalid);
  EXPECT_EQ(row.usage.input, 100);
  EXPECT_EQ(row.usage.output, 20);
  EXPECT_GT(row.cost->pico, 0);
}

}  // namespace
}  // namespace fairlead::exchange
