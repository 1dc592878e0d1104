// Reports as finance people ask for them, on a small ledger of two months.
#include "cli/usage_report.h"

#include <fairlead/bookkeeper.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <fstream>

#include "cli/commands.h"
#include "cli/time.h"
#include "unit/cli/said.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::Folder;
using test::noon;
using test::Said;
using testing::ElementsAre;
using testing::HasSubstr;
using UsageTestJson = nlohmann::json;

class UsageTest : public testing::Test {
 protected:
  UsageTest() {
    std::ofstream(folder_.file("fairlead.yaml")) << "ledger: sqlite:" + folder_.file("ledger.db") + R"(
fx: {CNY: [{from: 2026-01-01, usd: "0.125"}], EUR: "2"}
providers:
  deepseek: {base_url: "http://127.0.0.1:1"}
  dear: {base_url: "http://127.0.0.1:1"}
routes:
  chat: {targets: [deepseek/deepseek-chat, dear/dear-chat, dear/tiered, dear/thinker, dear/midday, dear/newcomer]}
contracts:
  dear/dear-chat:
    prices: [{from: 2026-01-01, input: "10", cached_input: "1", output: "30"}, {from: 2026-11-01, input: "20", cached_input: "2", output: "60"}]
  dear/tiered:
    prices: [{from: 2026-10-20, input: "1", output: "1", tiers: [{above_input_tokens: 1000, input: "2", output: "2"}]}]
  dear/thinker:
    prices: [{from: 2026-10-20, input: "1", output: "1", thinking: {output: "4"}}]
  dear/midday:
    prices: [{from: 2026-01-01, input: "1", output: "1"}, {from: 2026-09-20T12:00Z, input: "3", output: "3"}]
  dear/newcomer:
    prices: [{from: 2026-09-20T12:30Z, input: "1", output: "1"}]
keys: []
)";
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    // In USD: October a 4, b 1; November a 1, b 3, c 1.
    save(**store, "a", -20, 4);
    save(**store, "b", -1, 1);
    save(**store, "a", 0, 1);
    save(**store, "b", 1, 2);
    save(**store, "b", 2, 1);
    save(**store, "c", 2, 1);
  }
  void save(Store& store, const std::string& team, int day, int dollars) {
    Usage usage;
    usage.input = 1'000'000;
    usage.cached_input = 500'000;
    usage.output = 100'000;
    save_at(store, team, noon + std::chrono::days(day), dollars, usage);
  }
  void save_at(Store& store, const std::string& team, TimePoint at, int dollars, const Usage& usage) {
    const std::string id = "r" + std::to_string(++count_);
    RequestOpen open = test::request_open(id, at);
    open.team = team;
    AttemptSettle settle = test::attempt_settle(id);
    settle.cost = Money{Int128{dollars} * 8 * pico_per_unit, {{'C', 'N', 'Y'}}};
    settle.usd_pico = Int128{dollars} * pico_per_unit;
    settle.charge_usd_pico = *settle.usd_pico * 5 / 4;
    settle.usage = usage;
    const auto done =
        test::save(store, {test::record_of(open, {test::settled_attempt(test::attempt_open(id, 1, "deepseek", at), settle)},
                                           test::request_settle(id))});
    if (!done) throw std::runtime_error(done.error().detail());
  }
  /// Some more, each by a team of its own: when, and how many tokens of input.
  void save_more(const std::vector<std::pair<const char*, std::int64_t>>& sent) {
    const auto store = open_store(url(), StoreMode::write);
    for (const auto& [at, input] : sent) {
      Usage usage;
      usage.input = input;
      save_at(**store, std::string("at ") + at, *parse_time(at), 1, usage);
    }
  }
  /// Takes away the rows before this time, as retention does.
  void let_go(const char* until) const {
    const auto books = open_bookkeeper(url());
    for (;;) {
      while (*(*books)->remove(100) > 0) {
      }
      const auto rows = (*books)->old_rows(*parse_time(until));
      if (!*rows) return;
      ASSERT_TRUE((*books)->let_go(**rows, "", noon));
    }
  }
  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  Said tell(const std::string& command) const {
    return test::say({add_usage, add_close, add_correct}, command + " --config " + folder_.file("fairlead.yaml"));
  }
  UsageTestJson json(const std::string& command) const {
    const Said told = tell("usage --format json " + command);
    return told.exit_code == 0 ? UsageTestJson::parse(told.out) : UsageTestJson(told.err);
  }
  /// One member of each row.
  static std::vector<std::string> column(const UsageTestJson& report, const char* name) {
    std::vector<std::string> all;
    for (const auto& row : report["rows"]) all.push_back(row[name].is_string() ? row[name].get<std::string>() : row[name].dump());
    return all;
  }

  Folder folder_;
  int count_ = 0;
};

TEST_F(UsageTest, GroupsByAnyTwoDimensionsAndPeriods) {
  EXPECT_THAT(column(json("--by month,team"), "cost_usd"), ElementsAre("4", "1", "1", "3", "1"));
  EXPECT_THAT(column(json("--by project,team --month 2026-11"), "cost_usd"), ElementsAre("1", "3", "1"));
  EXPECT_THAT(column(json("--by day --since 2026-11-01 --until 2026-11-03"), "day"), ElementsAre("2026-11-01", "2026-11-02"));
  EXPECT_THAT(column(json("--by hour --month 2026-10"), "hour"), ElementsAre("2026-10-12T12:00Z", "2026-10-31T12:00Z"));
  EXPECT_THAT(column(json("--by week --since 2026-11-01T12:00"), "week"), ElementsAre("2026-10-26", "2026-11-02"));
  EXPECT_EQ(json("--by total")["total"]["charge_usd"], "12.5");
  EXPECT_EQ(json("--by month,team").dump(), json("--by month,team --from-rows").dump());
}

TEST_F(UsageTest, ComparesWithThePeriodBefore) {
  const UsageTestJson report = json("--by team --month 2026-11 --compare");
  EXPECT_EQ(report["before"]["since"], "2026-10-01T00:00:00.000000Z") << "a month before a month, whatever their lengths";
  EXPECT_THAT(column(report, "team"), ElementsAre("a", "b", "c")) << "what changed most comes first";
  EXPECT_THAT(column(report, "change_usd"), ElementsAre("-3", "2", "1"));
  EXPECT_EQ(report["total"]["change_usd"], "0");
  const Said text = tell("usage --by team --month 2026-11 --compare --top 1");
  EXPECT_THAT(text.out, HasSubstr("-75.0 %"));
  EXPECT_THAT(text.out, HasSubstr("2 more groups in the total."));
  EXPECT_THAT(text.out, HasSubstr("Compared with 2026-10-01T00:00Z to 2026-11-01T00:00Z."));
  EXPECT_EQ(json("--by team --since 2026-11-02 --until 2026-11-03 --compare")["before"]["since"], "2026-11-01T00:00:00.000000Z");
  EXPECT_THAT(column(json("--by team --since 2026-11-02 --until 2026-11-03 --compare"), "change_usd"), ElementsAre("2", "-1"));
  EXPECT_EQ(tell("usage --by team --compare").exit_code, 2) << "compared with what?";
  EXPECT_EQ(tell("usage --by day --month 2026-11 --compare").exit_code, 2);
}

TEST_F(UsageTest, TheTopGroupsCostMost) {
  const UsageTestJson report = json("--by team --top 2");
  EXPECT_THAT(column(report, "team"), ElementsAre("a", "b"));
  EXPECT_EQ(report["left_out"], 1);
  EXPECT_EQ(report["total"]["cost_usd"], "10");
}

TEST_F(UsageTest, ShowsAnotherCurrencyAtItsDatedRate) {
  const UsageTestJson report = json("--by team --currency CNY");
  EXPECT_THAT(column(report, "cost"), ElementsAre("40", "32", "8"));
  EXPECT_THAT(column(report, "charge"), ElementsAre("50", "40", "10"));
  EXPECT_EQ(report["currency"], (UsageTestJson{{"code", "CNY"}, {"usd", "0.125"}, {"from", "2026-01-01"}}));
  EXPECT_THAT(tell("usage --currency EUR").out, HasSubstr("One EUR is 2 USD."));
  const Said unknown = tell("usage --currency GBP");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no rate for 'GBP'"));
  EXPECT_EQ(unknown.out, "");
}

TEST_F(UsageTest, TellsWhatAllOfItWouldHaveCostElsewhere) {
  // A million of input, half a million cached, a tenth of output: 13.5 USD in October and 27 in November.
  const UsageTestJson report = json("--by month --elsewhere dear/dear-chat");
  EXPECT_THAT(column(report, "elsewhere_usd"), ElementsAre("27", "108"));
  EXPECT_THAT(column(report, "saved_usd"), ElementsAre("22", "103"));
  EXPECT_EQ(report["total"]["saved_usd"], "125");
  EXPECT_EQ(tell("usage --elsewhere nobody/nothing").exit_code, 2);
}

TEST_F(UsageTest, CorrectionsAndWhatHasNoCostSaveNothing) {
  ASSERT_EQ(tell("correct --amount -16 --currency CNY --reason refund --provider deepseek --day 2026-11-01").exit_code, 0);
  const UsageTestJson report = json("--by month --elsewhere dear/dear-chat");
  EXPECT_THAT(column(report, "saved_usd"), ElementsAre("22", "103", "null")) << "a correction has no tokens";
  EXPECT_EQ(report["total"]["cost_usd"], "8");
  EXPECT_EQ(report["total"]["saved_usd"], "125");
  {
    const auto store = open_store(url(), StoreMode::write);
    AttemptSettle settle = test::attempt_settle("unpriced");
    settle.usage.input = 1'000'000;
    settle.cost = std::nullopt;
    settle.usd_pico = settle.charge_usd_pico = std::nullopt;
    const AttemptOpen open = test::attempt_open("unpriced", 1, "deepseek", noon);
    ASSERT_TRUE(test::save(**store, {test::record_of(test::request_open("unpriced", noon), {test::settled_attempt(open, settle)},
                                                     test::request_settle("unpriced"))}));
  }
  EXPECT_THAT(column(json("--by month --elsewhere dear/dear-chat"), "saved_usd"), ElementsAre("22", "null", "null"));
}

TEST_F(UsageTest, APriceThatBeginsWithinADayHoldsFromThen) {
  // At noon of the 20th and of the 21st, and an hour before that of the 20th.
  save_more({{"2026-09-20T11:00", 1'000'000}, {"2026-09-20T12:40", 1'000'000}, {"2026-09-21T12:00", 1'000'000}});
  EXPECT_THAT(column(json("--by total --since 2026-09-20 --until 2026-09-22 --elsewhere dear/midday"), "elsewhere_usd"),
              ElementsAre("7"));
  EXPECT_THAT(column(json("--by day --since 2026-09-20T12:00Z --until 2026-09-22 --elsewhere dear/newcomer"), "elsewhere_usd"),
              ElementsAre("1", "1"))
      << "nobody sent anything before it began";
  EXPECT_THAT(column(json("--by day --since 2026-09-20 --until 2026-09-22 --elsewhere dear/newcomer"), "elsewhere_usd"),
              ElementsAre("null", "1"));
}

TEST_F(UsageTest, WhatCannotBeAskedTogetherIsRefused) {
  for (const char* wrong : {"--by team,team", "--by total,team", "--top 0", "--top -1", "--format focus --by team",
                            "--format focus --currency EUR", "--format focus --elsewhere dear/dear-chat", "--format focus --top 1",
                            "--format focus --compare --month 2026-11", "--format focus --zone Asia/Kolkata"})
    EXPECT_EQ(tell(std::string("usage ") + wrong).exit_code, 2) << wrong;
  const Said cut = tell("usage --format csv --by team --top 2 --currency CNY");
  EXPECT_EQ(cut.exit_code, 0);
  EXPECT_EQ(cut.err, "fairlead: 1 more groups are left out by --top\nfairlead: One CNY is 0.125 USD since 2026-01-01.\n");
}

TEST_F(UsageTest, APriceByTheRequestsLengthIsTakenByTheRows) {
  save_more({{"2026-11-20", 1000}, {"2026-11-20", 1001}, {"2026-11-21", 2'000'000}});
  // 1 USD per million up to 1,000 tokens of input, 2 above: 0.001, 0.002002 and 4; the others are 1.6 million tokens each.
  EXPECT_THAT(column(json("--by day --elsewhere dear/tiered --since 2026-11-20"), "elsewhere_usd"), ElementsAre("0.003002", "4"));
  EXPECT_THAT(column(json("--by month --elsewhere dear/tiered"), "elsewhere_usd"), ElementsAre("null", "16.803002"))
      << "it had no price on the 12th of October";
  EXPECT_EQ(json("--by total --since 2026-11-20 --elsewhere dear/tiered")["total"]["saved_usd"], "1.003002");
  EXPECT_THAT(column(json("--by week --zone Asia/Kolkata --elsewhere dear/tiered --since 2026-11-21"), "elsewhere_usd"),
              ElementsAre("4"));

  let_go("2026-11-21");
  const Said gone = tell("usage --by month --elsewhere dear/tiered");
  EXPECT_EQ(gone.exit_code, 2);
  EXPECT_THAT(gone.err,
              HasSubstr("what a request costs at dear/tiered depends on its length, and rows before 2026-11-21 are no longer in "
                        "the ledger: ask for a period from then on"));
  EXPECT_THAT(column(json("--by day --elsewhere dear/tiered --since 2026-11-21"), "elsewhere_usd"), ElementsAre("4"));
  EXPECT_EQ(json("--by total --elsewhere dear/dear-chat")["total"]["saved_usd"], "162.04002") << "one price for all needs no rows";
}

TEST_F(UsageTest, APriceOfThinkingIsTakenForThoseThatThought) {
  const auto store = open_store(url(), StoreMode::write);
  Usage plain, thinking;
  plain.output = thinking.output = 1'000'000;
  thinking.reasoning = 1'000'000;
  save_at(**store, "d", noon + std::chrono::days(20), 1, plain);
  save_at(**store, "d", noon + std::chrono::days(20), 1, thinking);
  EXPECT_THAT(column(json("--by day --since 2026-11-20 --elsewhere dear/thinker"), "elsewhere_usd"), ElementsAre("9"))
      << "1 and 2 times 4";
}

TEST_F(UsageTest, PeriodsAreThoseOfAZone) {
  // Berlin's clocks show 00:30 of November, and on 25 October twice 02:30; Kolkata is 5:30 ahead, and goes to another day at 18:30.
  save_more({{"2026-10-31T23:30", 1},
             {"2026-10-25T00:30", 1},
             {"2026-10-25T01:30", 1},
             {"2026-10-25T23:30", 1},
             {"2026-10-24T18:15", 1},
             {"2026-10-24T18:45", 1}});
  for (const char* sums : {"", " --from-rows"}) {
    const auto asked = [&](const std::string& what) { return json(what + sums); };
    EXPECT_THAT(column(asked("--by month --zone Europe/Berlin"), "attempts"), ElementsAre("7", "5"));
    EXPECT_THAT(column(asked("--by month"), "attempts"), ElementsAre("8", "4"));
    EXPECT_THAT(column(asked("--by month --month 2026-11 --zone Europe/Berlin"), "attempts"), ElementsAre("5"));
    EXPECT_THAT(column(asked("--by hour --zone Europe/Berlin --since 2026-10-25 --until 2026-10-26"), "hour"),
                testing::UnorderedElementsAre("2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"))
        << "a day of 25 hours";
    EXPECT_THAT(column(asked("--by day --zone Europe/Berlin --since 2026-10-25 --until 2026-10-27"), "day"),
                ElementsAre("2026-10-25", "2026-10-26"));
    EXPECT_THAT(column(asked("--by day --zone Asia/Kolkata --since 2026-10-24T18:00Z --until 2026-10-24T19:00Z"), "day"),
                ElementsAre("2026-10-24", "2026-10-25"));
    EXPECT_THAT(column(asked("--by day --zone Asia/Kolkata --since 2026-10-25 --until 2026-10-26"), "attempts"), ElementsAre("3"));
    EXPECT_THAT(column(asked("--by hour --zone Asia/Kolkata --until 2026-10-24T18:45:01Z --since 2026-10-24T18:45Z"), "hour"),
                ElementsAre("2026-10-25T00:00+05:30"));
    EXPECT_THAT(column(asked("--by week --zone America/New_York --until 2026-10-25T23:45Z --since 2026-10-25T23:00Z"), "week"),
                ElementsAre("2026-10-19"));
  }
  // The month before November has an hour more than 31 days, by these clocks.
  const UsageTestJson compared = json("--by total --month 2026-11 --zone Europe/Berlin --compare");
  EXPECT_EQ(compared["before"]["since"], "2026-09-30T22:00:00.000000Z");
  EXPECT_EQ(compared["zone"], "Europe/Berlin");
  EXPECT_THAT(tell("usage --zone Mars/Olympus").err, HasSubstr("there is no time zone 'Mars/Olympus'"));
  EXPECT_EQ(tell("usage --zone Europe/Berlin --format focus").exit_code, 2);
}

TEST_F(UsageTest, WithoutRowsAZoneOfOtherHoursIsRefused) {
  const std::string berlin = json("--by day --zone Europe/Berlin").dump();
  let_go("2026-11-01");
  const Said gone = tell("usage --by day --zone Asia/Kolkata");
  EXPECT_EQ(gone.exit_code, 2);
  EXPECT_THAT(gone.err,
              HasSubstr("the hours of Asia/Kolkata are not those that sums are kept of, and rows before 2026-11-01 are no longer "
                        "in the ledger: ask for a period from then on"));
  EXPECT_EQ(tell("usage --by day --zone Asia/Kolkata --since 2026-11-02").exit_code, 0);
  EXPECT_EQ(json("--by day --zone Europe/Berlin").dump(), berlin);
  EXPECT_EQ(tell("usage --by team --zone Asia/Kolkata").exit_code, 0) << "no time is asked for";
}

TEST_F(UsageTest, FocusHasALinePerDayAndCurrency) {
  ASSERT_EQ(tell("correct --amount -8 --currency CNY --reason '=refund' --provider deepseek --day 2026-11-01").exit_code, 0);
  const Said told = tell("usage --format focus --since 2026-11-01");
  std::istringstream lines(told.out);
  std::string titles, first, line, last;
  std::getline(lines, titles);
  std::getline(lines, first);
  int count = 1;
  for (last = first; std::getline(lines, line); ++count) last = line;
  EXPECT_EQ(count, 5);
  EXPECT_THAT(titles, testing::StartsWith("BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,"));
  EXPECT_EQ(
      first,
      "8,deepseek,deepseek,CNY,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,Usage,,Tokens of deepseek-chat at deepseek,Usage-Based,"
      "2026-11-01T00:00:00Z,2026-11-02T00:00:00Z,1600000,Tokens,8,8,deepseek,1600000,Tokens,deepseek,deepseek,"
      "AI and Machine Learning,Generative AI,deepseek-chat,deepseek/deepseek-chat,a,a,"
      R"("{""team"":""a"",""project"":""till"",""key"":""checkout"",""route"":""chat""}")"
      ",1,1.25\r");
  EXPECT_THAT(last, testing::StartsWith("-8,deepseek,"));
  EXPECT_THAT(last, HasSubstr(",Adjustment,Correction,'=refund,One-Time,"));
  EXPECT_THAT(last, HasSubstr(",Generative AI,deepseek,,")) << "each line has a service, be it of no model";
}

TEST_F(UsageTest, CorrectionsAreLinesOfTheirOwn) {
  EXPECT_EQ(tell("close 2026-10").exit_code, 0);
  EXPECT_THAT(tell("close").out, HasSubstr("2026-10 is closed since 20"));
  EXPECT_THAT(tell("close 2026-10").err, HasSubstr("2026-10 is closed already"));
  EXPECT_EQ(tell("close October").exit_code, 2);
  const Said done = tell("correct --amount -16 --currency CNY --charge -1.5 --reason refund --request r1");
  EXPECT_EQ(done.out, "Booked: -16 CNY (-2 USD), charge -1.5 USD: refund\n") << done.err;
  const UsageTestJson report = json("--by team,provider");
  EXPECT_EQ(report["rows"].back()["correction"], "refund");
  EXPECT_EQ(report["rows"].back()["team"], "a") << "the request's";
  EXPECT_EQ(report["rows"].back()["cost_usd"], "-2");
  EXPECT_EQ(report["total"]["cost_usd"], "8");
  EXPECT_EQ(report["total"]["charge_usd"], "11");
  EXPECT_EQ(json("--by team --month 2026-10")["total"]["cost_usd"], "5") << "a closed month stays as it was";
  EXPECT_EQ(tell("correct --amount 1 --reason why").exit_code, 2) << "of what?";
  EXPECT_EQ(tell("correct --amount x --reason why --request r1").exit_code, 2);
}

}  // namespace
}  // namespace fairlead::cli
