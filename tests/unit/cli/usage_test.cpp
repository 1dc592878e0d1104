// Reports as finance people ask for them, on a small ledger of two months.
#include "cli/usage_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fstream>

#include "cli/commands.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::Folder;
using test::noon;
using testing::ElementsAre;
using testing::HasSubstr;
using UsageTestJson = nlohmann::json;

struct Told {
  int exit_code = 0;
  std::string out, err;
};

class UsageTest : public testing::Test {
 protected:
  UsageTest() {
    std::ofstream(folder_.file("fairlead.yaml")) << "ledger: sqlite:" + folder_.file("ledger.db") + R"(
fx: {CNY: [{from: 2026-01-01, usd: "0.125"}], EUR: "2"}
providers:
  deepseek: {base_url: "http://127.0.0.1:1"}
  dear: {base_url: "http://127.0.0.1:1"}
routes:
  chat: {targets: [deepseek/deepseek-chat, dear/dear-chat, dear/tiered]}
contracts:
  dear/dear-chat:
    prices: [{from: 2026-01-01, input: "10", cached_input: "1", output: "30"}, {from: 2026-11-01, input: "20", cached_input: "2", output: "60"}]
  dear/tiered:
    prices: [{from: 2026-10-20, input: "1", output: "1", tiers: [{above_input_tokens: 1000, input: "2", output: "2"}]}]
keys: []
)";
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message);
    // In USD: October a 4, b 1; November a 1, b 3, c 1.
    save(**store, "a", -20, 4);
    save(**store, "b", -1, 1);
    save(**store, "a", 0, 1);
    save(**store, "b", 1, 2);
    save(**store, "b", 2, 1);
    save(**store, "c", 2, 1);
  }
  void save(Store& store, const std::string& team, int day, int dollars) {
    const std::string id = "r" + std::to_string(++count_);
    const TimePoint at = noon + std::chrono::days(day);
    RequestOpen open = test::request_open(id, at);
    open.team = team;
    AttemptSettle settle = test::attempt_settle(id);
    settle.cost = Money{Int128{dollars} * 8 * pico_per_unit, {{'C', 'N', 'Y'}}};
    settle.usd_pico = Int128{dollars} * pico_per_unit;
    settle.charge_usd_pico = *settle.usd_pico * 5 / 4;
    settle.usage = {};
    settle.usage.input = 1'000'000;
    settle.usage.cached_input = 500'000;
    settle.usage.output = 100'000;
    const auto done =
        test::save(store, {test::record_of(open, {test::settled_attempt(test::attempt_open(id, 1, "deepseek", at), settle)},
                                           test::request_settle(id))});
    if (!done) throw std::runtime_error(done.error().detail);
  }
  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  Told tell(const std::string& command) const {
    CLI::App app;
    Told told;
    add_usage(app, told.exit_code);
    add_close(app, told.exit_code);
    add_correct(app, told.exit_code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      app.parse(command + " --config " + folder_.file("fairlead.yaml"));
    } catch (const CLI::ParseError& error) {
      told.exit_code = 2;
      std::cerr << error.what();
    }
    told.out = testing::internal::GetCapturedStdout();
    told.err = testing::internal::GetCapturedStderr();
    return told;
  }
  UsageTestJson json(const std::string& command) const {
    const Told told = tell("usage --format json " + command);
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
  const Told text = tell("usage --by team --month 2026-11 --compare --top 1");
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
  const Told unknown = tell("usage --currency GBP");
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
  EXPECT_EQ(report["elsewhere"]["approximate"], false);
  const UsageTestJson tiered = json("--by month --elsewhere dear/tiered");
  EXPECT_EQ(tiered["elsewhere"]["approximate"], true);
  EXPECT_THAT(column(tiered, "elsewhere_usd"), ElementsAre("null", "6.4")) << "it had no price on the 12th of October";
  EXPECT_EQ(tell("usage --elsewhere nobody/nothing").exit_code, 2);
}

TEST_F(UsageTest, FocusHasALinePerDayAndCurrency) {
  ASSERT_EQ(tell("correct --amount -8 --currency CNY --reason '=refund' --provider deepseek --day 2026-11-01").exit_code, 0);
  const Told told = tell("usage --format focus --since 2026-11-01");
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
}

TEST_F(UsageTest, CorrectionsAreLinesOfTheirOwn) {
  EXPECT_EQ(tell("close 2026-10").exit_code, 0);
  EXPECT_THAT(tell("close").out, HasSubstr("2026-10 is closed since 20"));
  EXPECT_THAT(tell("close 2026-10").err, HasSubstr("2026-10 is closed already"));
  EXPECT_EQ(tell("close October").exit_code, 2);
  const Told done = tell("correct --amount -16 --currency CNY --charge -1.5 --reason refund --request r1");
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
