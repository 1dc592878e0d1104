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
  mutable RequestFacts facts;
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
    e.asked.input_tokens = 100;
    e.asked.facts = &facts;
    e.bytes_per_token[0] = 4.5;
    e.asked.stream = true;
    e.asked.body_bytes = 4'000'000;
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
    f.facts.mode = row.asked;
    end.asked.input_tokens = 0;
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
  end.content = {{450, 0, 0, 0}};
  end.error = Error(ErrorKind::app_gone, ErrorOrigin::app, "m");
  AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_EQ(row.usage_source, UsageSource::estimated);
  EXPECT_EQ(row.usage.input, 100);
  EXPECT_EQ(row.usage.output, 100);
  EXPECT_EQ(row.ended_by, EndedBy::app);
  EXPECT_EQ(format_decimal(row.cost->pico), "0.0003");
  end.bytes_per_token[0] = 9;
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage.output, 50) << "by what was learned of the target";
  f.facts.output_tokens_max = 7;
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage.output, 7) << "no estimate exceeds the app's own limit";
  f.facts.choices = 3;
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage.output, 21) << "which is of each choice";
}

/// How an attempt without usage ended -> its output, by what the provider bills of an answer that was closed on it. -1: none, and
/// the attempt costs nothing.
TEST(Settle, WhatIsBookedOfAClosedAnswerIsWhatItsProviderBills) {  // M10, M11, M12
  using enum BillsAfterClose;
  struct Row {
    const char* what;
    ErrorKind error;
    bool stream;
    int status;
    std::int64_t bytes;  ///< of content that came
    std::array<std::optional<std::int64_t>, 4> output;
  };
  const std::optional<std::int64_t> none = -1, empty;
  // In the order unknown, whole, delivered, nothing; 90 bytes are 20 tokens, and 60 were expected of the whole answer.
  const Row table[] = {
      {"the app left in the middle of a stream", ErrorKind::app_gone, true, 200, 90, {20, 60, 20, none}},
      {"after more than was expected", ErrorKind::app_gone, true, 200, 900, {200, 200, 200, none}},
      {"before the first content of a stream", ErrorKind::app_gone, true, 200, 0, {0, 60, 0, none}},
      {"before the head of a stream", ErrorKind::app_gone, true, 0, 0, {empty, 60, empty, none}},
      {"before a buffered answer", ErrorKind::app_gone, false, 0, 0, {60, 60, empty, none}},
      {"in the middle of a buffered answer", ErrorKind::app_gone, false, 200, 90, {60, 60, 20, none}},
      {"the service went down in a stream", ErrorKind::draining, true, 200, 90, {20, 60, 20, none}},
      {"the provider was too slow", ErrorKind::upstream_timeout, true, 200, 90, {20, 60, 20, none}},
      {"it sent what is no answer", ErrorKind::upstream_protocol, true, 200, 90, {20, 60, 20, none}},
      {"it closed the stream itself", ErrorKind::upstream_closed, true, 200, 90, {20, 20, 20, 20}},
      {"it closed before an answer", ErrorKind::upstream_closed, false, 0, 0, {empty, empty, empty, empty}},
      {"it ended with an error", ErrorKind::upstream_error_event, true, 200, 90, {20, 20, 20, 20}},
  };
  const BillsAfterClose rules[] = {unknown, whole, delivered, nothing};
  Fixture f;
  for (const Row& row : table)
    for (std::size_t i = 0; i < std::size(rules); ++i) {
      f.provider.bills_after_close = rules[i];
      AttemptEnd end = f.end();
      end.error = Error(row.error, row.error == ErrorKind::app_gone ? ErrorOrigin::app : ErrorOrigin::provider, "m");
      end.status = row.status;
      end.asked.stream = row.stream;
      end.asked.output_tokens = 60;
      end.content.of[0] = row.bytes;
      const AttemptSettle settled = settle_attempt("r", 1, end, f.snapshot, f.texts);
      if (row.output[i] == none) {
        EXPECT_EQ(settled.usage_source, UsageSource::none) << row.what;
        EXPECT_EQ(settled.cost->pico, 0) << row.what;
        continue;
      }
      EXPECT_EQ(settled.usage_source, UsageSource::estimated) << row.what;
      EXPECT_EQ(settled.usage.input, 100) << row.what;
      EXPECT_EQ(settled.usage.output, row.output[i]) << row.what << ", rule " << i;
    }
}

TEST(Settle, NoMoreIsExpectedOfAClosedAnswerThanWasHeldForIt) {  // M11
  struct Row {
    const char* what;
    std::optional<std::int64_t> cap;
    std::int64_t model_limit, choices, expected, came, output;
  };
  // 9 bytes are 2 tokens.
  const Row table[] = {
      {"within", {}, 0, 1, 4'000, 0, 4'000},
      {"beyond what is held where nothing is stated", {}, 0, 1, 26'693, 0, 4'096},
      {"beyond it for each choice", {}, 0, 2, 26'693, 0, 8'192},
      {"beyond the app's cap", 70, 9'000, 1, 26'693, 0, 70},
      {"beyond the model's limit", {}, 9'000, 1, 26'693, 0, 9'000},
      {"more came than is held where nothing is stated", {}, 0, 1, 26'693, 27'000, 6'000},
      {"more seems to have come than the model gives", {}, 5'000, 1, 26'693, 27'000, 5'000},
  };
  Fixture f;
  f.provider.bills_after_close = BillsAfterClose::whole;
  for (const Row& row : table)
    for (const bool running : {false, true}) {
      f.facts.output_tokens_max = row.cap;
      f.facts.choices = row.choices;
      f.model.output_tokens_max = row.model_limit;
      AttemptEnd end = f.end();
      end.error = Error(ErrorKind::app_gone, ErrorOrigin::app, "m");
      end.asked.output_tokens = row.expected;
      end.content.of[0] = row.came;
      if (running) {
        end.answer.usage = {100, {}, {}, 1, {}, {}, {}};
        end.answer.usage_source = UsageSource::reported;
      }
      const AttemptSettle settled = settle_attempt("r", 1, end, f.snapshot, f.texts);
      EXPECT_EQ(settled.usage_source, UsageSource::estimated) << row.what;
      EXPECT_EQ(settled.usage.output, row.output) << row.what;
    }
}

/// A report from the middle of an answer, that was closed or went on -> its output, by the rules as above. -1: none.
TEST(Settle, ARunningReportOfAClosedAnswerIsNotItsEnd) {  // M10
  using enum BillsAfterClose;
  struct Row {
    const char* what;
    ErrorKind error;
    bool of_whole;
    std::int64_t bytes;
    std::array<std::int64_t, 4> output;
    UsageSource source = UsageSource::estimated;
  };
  // In the order unknown, whole, delivered, nothing; 18 of output and 2 of reasoning were told, and 60 were expected of the whole.
  const Row table[] = {
      {"the app left", ErrorKind::app_gone, false, 90, {20, 60, 20, -1}},
      {"the service went down", ErrorKind::draining, false, 90, {20, 60, 20, -1}},
      {"the provider was too slow", ErrorKind::upstream_timeout, false, 90, {20, 60, 20, -1}},
      {"more came than was told", ErrorKind::app_gone, false, 450, {100, 100, 100, -1}},
      {"all was told when the app left", ErrorKind::app_gone, true, 90, {20, 20, 20, 20}, UsageSource::reported},
      {"the provider closed it", ErrorKind::upstream_closed, false, 90, {20, 20, 20, 20}, UsageSource::reported},
  };
  const BillsAfterClose rules[] = {unknown, whole, delivered, nothing};
  Fixture f;
  for (const Row& row : table)
    for (std::size_t i = 0; i < std::size(rules); ++i) {
      f.provider.bills_after_close = rules[i];
      AttemptEnd end = f.end();
      end.error = Error(row.error, ErrorOrigin::provider, "m");
      end.asked.output_tokens = 60;
      end.answer.usage = {40, 10, {}, 18, 2, {}, {}};
      end.answer.usage_source = UsageSource::reported;
      end.answer.usage_of_whole = row.of_whole;
      end.content.of[0] = row.bytes;
      const AttemptSettle settled = settle_attempt("r", 1, end, f.snapshot, f.texts);
      if (row.output[i] < 0) {
        EXPECT_EQ(settled.usage_source, UsageSource::none) << row.what;
        EXPECT_EQ(settled.cost->pico, 0) << row.what;
        continue;
      }
      EXPECT_EQ(settled.usage_source, row.source) << row.what << ", rule " << i;
      EXPECT_EQ(settled.usage.input, 40) << row.what;
      EXPECT_EQ(settled.usage.cached_input, 10) << row.what;
      EXPECT_EQ(settled.usage.output_total(), row.output[i]) << row.what << ", rule " << i;
    }
}

TEST(Settle, WhatIsReportedInPartIsFilledUpAndSaysSo) {
  const Fixture f;
  struct Row {
    const char* what;
    std::optional<std::int64_t> input, output, reasoning;
    bool broke;
    UsageSource source;
    std::int64_t booked_input, booked_output;
    std::optional<std::int64_t> cached = {};
  };
  // 450 bytes of content are 100 tokens.
  const Row table[] = {
      {"all of it", 50, 90, {}, false, UsageSource::reported, 50, 90},
      {"input alone", 50, {}, {}, false, UsageSource::estimated, 50, 100},
      {"output alone", {}, 90, {}, false, UsageSource::estimated, 100, 90},
      {"output, and what of the input was cached", {}, 90, {}, false, UsageSource::estimated, 40, 90, 60},
      {"the same, and more than was expected", {}, 90, {}, false, UsageSource::estimated, 0, 90, 160},
      {"the beginning of an answer that broke off", 50, 1, {}, true, UsageSource::estimated, 50, 100},
      {"the beginning, with its reasoning", 50, 1, 4, true, UsageSource::estimated, 50, 96},
      {"nearly all of an answer that broke off", 50, 80, {}, true, UsageSource::reported, 50, 80},
      {"more than came of an answer that broke off", 50, 400, {}, true, UsageSource::reported, 50, 400},
  };
  for (const Row& row : table) {
    AttemptEnd end = f.end();
    end.answer.usage = {row.input, row.cached, {}, row.output, row.reasoning, {}, {}};
    end.answer.usage_source = UsageSource::reported;
    end.content = {{450, 0, 0, 0}};
    end.answer.content_bytes = 450;
    if (row.broke) end.error = broken();
    const AttemptSettle settled = settle_attempt("r", 1, end, f.snapshot, f.texts);
    EXPECT_EQ(settled.usage_source, row.source) << row.what;
    EXPECT_EQ(settled.usage.input, row.booked_input) << row.what;
    EXPECT_EQ(settled.usage.output, row.booked_output) << row.what;
  }
}

TEST(Settle, FiguresThatCannotBeAreNotBelieved) {
  Fixture f;
  struct Row {
    const char* what;
    Usage usage;
    bool can_be;
  };
  const auto used = [](std::int64_t input, std::int64_t output, std::optional<std::int64_t> reasoning = {}) {
    return Usage{input, {}, {}, output, reasoning, {}, {}};
  };
  // The request has 1,000 bytes and allows two answers of 100 tokens; 450 bytes came; the model's limit is 32,000.
  const Row table[] = {
      {"usual", used(250, 90), true},
      {"a hidden prompt", used(150'000, 90), true},
      {"more input than bytes and all that is hidden", used(202'001, 90), false},
      {"the same from the cache", {0, 202'001, {}, 90, {}, {}, {}}, false},
      {"a request without a token", used(0, 90), false},
      {"no output for what came", used(250, 0), false},
      {"no figure for it", {250, {}, {}, {}, {}, {}, {}}, true},
      {"twice the limit, and the margin", used(250, 2 * (2 * 100 + 1'024)), true},
      {"beyond", used(250, 2 * (2 * 100 + 1'024) + 1), false},
      {"reasoning within the model's limit", used(250, 90, 60'000), true},
      {"beyond the model's", used(250, 90, 2 * (64'000 + 1'024) + 1), false},
      {"sound, of which no bytes tell", {250, {}, {}, 9'000, {}, 8'000, {}}, true},
      {"sound up to the model's limit", {250, {}, {}, 130'000, {}, 130'000, {}}, true},
      {"10^9 tokens of it", {250, {}, {}, 1'000'000'000, {}, 1'000'000'000, {}}, false},
      {"10^9 of images", {250, {}, {}, 1'000'000'000, {}, {}, 1'000'000'000}, false},
      {"the same without its total", {250, {}, {}, {}, {}, {}, 1'000'000'000}, false},
      {"more sound than was sent and written", {250, {}, {}, 90, {}, 1'000'000'000, {}}, false},
      {"near to overflow", used(1'000'000'000'000, 1'000'000'000'000), false},
  };
  f.facts.output_tokens_max = 100;
  f.facts.choices = 2;
  f.model.output_tokens_max = 32'000;
  for (const Row& row : table) {
    AttemptEnd end = f.end();
    end.asked.body_bytes = 1'000;
    end.answer.usage = row.usage;
    end.answer.usage_source = UsageSource::reported;
    end.content = {{450, 0, 0, 0}};
    end.answer.content_bytes = 450;
    const AttemptSettle settled = settle_attempt("r", 1, end, f.snapshot, f.texts);
    EXPECT_EQ(settled.usage_source != UsageSource::invalid, row.can_be) << row.what;
    if (row.can_be) continue;
    EXPECT_EQ(settled.usage.input, 100) << row.what;
    EXPECT_EQ(settled.usage.output, 100) << row.what;
  }
  AttemptEnd end = f.end();
  end.asked.body_bytes = 1'000;
  end.answer.usage = used(1'500'000, 90);
  end.answer.usage_source = UsageSource::reported;
  f.facts.needs.add(Capability::vision);
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage_source, UsageSource::reported) << "a film has few bytes of URL";
  f.facts.needs = {};
  end.answer.usage = used(250, 20'000);
  end.answer.content_bytes = 60'000;
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage_source, UsageSource::reported)
      << "a provider that minds no limit said what it counts";
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

TEST(Settle, RefusedOrNeverSentOrSentIntoAClosedConnectionCostsNothing) {
  const Fixture f;
  AttemptEnd refused = f.end();
  refused.status = 429;
  refused.error = broken();
  AttemptEnd unsent = f.end();
  unsent.status = 0;
  unsent.report = {};
  unsent.error = broken();
  AttemptEnd stale = f.end();
  stale.status = 0;
  stale.report.connection_reused = true;
  stale.error = Error(ErrorKind::upstream_closed, ErrorOrigin::provider, "m", {}, Retry::reused_connection_only);
  for (const AttemptEnd& end : {refused, unsent, stale}) {
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

TEST(Settle, NoTokensForAnAnswerAreAbsurd) {
  const Fixture f;
  AttemptEnd end = f.end();
  end.answer.usage.input = 0;
  end.answer.usage.output = 0;
  end.answer.usage_source = UsageSource::reported;
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage_source, UsageSource::invalid) << "its prompt was read";
  end.error = broken();
  EXPECT_EQ(settle_attempt("r", 1, end, f.snapshot, f.texts).usage_source, UsageSource::reported) << "nothing came of it";
  end.error.reset();
  end.answer.content_bytes = 90;
  end.content.of[0] = 90;
  const AttemptSettle row = settle_attempt("r", 1, end, f.snapshot, f.texts);
  EXPECT_EQ(row.usage_source, UsageSource::invalid);
  EXPECT_EQ(row.usage.input, 100);
  EXPECT_EQ(row.usage.output, 20);
  EXPECT_GT(row.cost->pico, 0);
}

}  // namespace
}  // namespace fairlead::exchange
