// `fairlead reconcile` as an operator runs it, on a small ledger: what it refuses, and with which exit code.
#include <fairlead/bookkeeper.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "cli/commands.h"
#include "unit/cli/said.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::Said;
using testing::HasSubstr;
using testing::Not;

class ReconcileTest : public testing::Test {
 protected:
  ReconcileTest() {
    write("fairlead.yaml", "ledger: " + url() + R"(
providers:
  deepseek: {base_url: "http://127.0.0.1:1"}
  spare: {base_url: "http://127.0.0.1:1"}
routes:
  chat: {targets: [deepseek/deepseek-chat, spare/spare-chat]}
keys: []
)");
    write("bill.csv", bill_of_days({"2026-11-01"}));
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    save(**store, "r1", test::noon);
  }
  void save(Store& store, const std::string& id, TimePoint at) {
    const auto done = test::save(
        store, {test::record_of(test::request_open(id, at),
                                {test::settled_attempt(test::attempt_open(id, 1, "deepseek", at), test::attempt_settle(id))},
                                test::request_settle(id))});
    if (!done) throw std::runtime_error(done.error().detail());
  }
  /// One request of each day, as the rows of the ledger have them.
  static std::string bill_of_days(const std::vector<std::string>& days) {
    std::string text = "utc_date,model,type,amount\n";
    for (const std::string& day : days)
      for (const char* figure : {"input_cache_miss_tokens,36", "input_cache_hit_tokens,64", "output_tokens,40", "request_count,1"})
        text.append(day).append(",deepseek-chat,").append(figure).append("\n");
    return text;
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_.file(name)) << text; }
  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  std::string with_config() const { return " --config " + folder_.file("fairlead.yaml"); }
  Said tell(const std::string& options, const std::string& bill = "bill.csv") const {
    return test::say({add_reconcile}, "reconcile " + folder_.file(bill) + " " + options);
  }
  void expect_refused(const std::string& options, const std::string& why) const {
    const Said told = tell(options);
    EXPECT_EQ(told.exit_code, 2) << options;
    EXPECT_EQ(told.out, "") << options;
    EXPECT_THAT(told.err, HasSubstr(why)) << options;
  }

  test::Folder folder_;
};

TEST_F(ReconcileTest, NothingComparedIsNoAgreement) {
  EXPECT_EQ(tell("--ledger " + url()).exit_code, 0);
  for (const char* period : {"--since 2026-12-01", "--until 2026-10-31", "--since 2026-12-01 --until 2026-12-31"})
    for (const char* format : {"", " --format json"})
      expect_refused(period + std::string(format) + " --ledger " + url(),
                     "nothing was compared: the bill has 2026-11-01 to 2026-11-01, the ledger 2026-11-01 to 2026-11-01 (UTC), and "
                     "neither has a line of the days that were asked for");
  expect_refused("--since 2026-12-01 --provider spare" + with_config(), "the ledger no attempts of spare, and");
  EXPECT_EQ(tell("--since 2026-11-01 --until 2026-11-01 --ledger " + url()).exit_code, 0) << "both are included";
  expect_refused("--since 2026-11-02 --until 2026-11-01 --ledger " + url(),
                 "--until 2026-11-01 is before --since 2026-11-02: no day is between them");
}

TEST_F(ReconcileTest, WhatKeepsFromComparingIsExitCode2) {
  expect_refused("--ledger sqlite:" + folder_.file("missing.db"), folder_.file("missing.db"));
  write("garbage.db", std::string(5000, 'x'));
  expect_refused("--ledger sqlite:" + folder_.file("garbage.db"), folder_.file("garbage.db"));
  expect_refused("--ledger postgres:x", "postgres");
  expect_refused("--config " + folder_.file("missing.yaml"), folder_.file("missing.yaml"));
  write("broken.yaml", "keys: [\n");
  expect_refused("--config " + folder_.file("broken.yaml"), folder_.file("broken.yaml"));
  for (const char* option : {"--tolerance", "--tolerance-tokens", "--tolerance-cost"}) {
    expect_refused(option + std::string(" -1 --ledger ") + url(), option + std::string(": '-1' is below 0"));
    expect_refused(option + std::string(" 1,5 --ledger ") + url(), "'1,5' is no figure");
  }
  expect_refused("--mapping /proc/self/mem --ledger " + url(), "'/proc/self/mem' cannot be read");  // it opens
  write("map.json", "{\n \"day\" \"utc_date\"}");
  expect_refused("--mapping " + folder_.file("map.json") + " --ledger " + url(),
                 folder_.file("map.json") + ":2:17: it is not JSON");
  write("map.json", R"({"day": "utc_date"})");
  expect_refused("--mapping " + folder_.file("map.json") + " --ledger " + url(),
                 folder_.file("map.json") + ": `day` and `model` are needed");
}

TEST_F(ReconcileTest, RowsThatAreGoneAreNotTakenForNone) {
  using std::chrono::days;
  {
    const auto store = open_store(url(), StoreMode::write);
    save(**store, "r2", test::noon + days(1));
  }
  write("bill.csv", bill_of_days({"2026-11-01", "2026-11-02"}));
  EXPECT_EQ(tell("--ledger " + url()).exit_code, 0);
  const auto books = open_bookkeeper(url());
  const auto rows = (*books)->old_rows(std::chrono::floor<days>(test::noon) + days(1));
  ASSERT_TRUE((*books)->let_go(rows->value(), "", test::noon));
  EXPECT_EQ((*books)->remove(100).value(), 1);
  for (const char* period : {"", " --until 2026-11-01", " --since 2026-11-01"})
    expect_refused("--ledger " + url() + period,
                   "fairlead: rows before 2026-11-02 are no longer in the ledger: ask for a period from then on\n");
  EXPECT_EQ(tell("--since 2026-11-02 --ledger " + url()).exit_code, 0);
  EXPECT_EQ(tell("--since 2026-11-02 --provider deepseek --ledger " + url()).exit_code, 0);
}

TEST_F(ReconcileTest, ARetryAfterMidnightWhoseRequestIsGoneIsTold) {
  using std::chrono::days, std::chrono::seconds;
  const TimePoint midnight = std::chrono::floor<days>(test::noon) + days(1);
  {
    const auto store = open_store(url(), StoreMode::write);
    const auto attempt = [](int number, TimePoint at) {
      return test::settled_attempt(test::attempt_open("late", number, "deepseek", at), test::attempt_settle("late", number));
    };
    const auto late = test::record_of(test::request_open("late", midnight - seconds(2)),
                                      {attempt(1, midnight - seconds(1)), attempt(2, midnight)}, test::request_settle("late", 2));
    ASSERT_TRUE(test::save(**store, {late}));
    save(**store, "r2", midnight + days(1) / 2);
  }
  const std::string of_second = "--since 2026-11-02 --ledger " + url();
  write("bill.csv", bill_of_days({"2026-11-02"}));
  EXPECT_THAT(tell(of_second).out, Not(HasSubstr("were let go"))) << "the bill lacks the retry, and the rows have it";
  const auto books = open_bookkeeper(url());
  const auto rows = (*books)->old_rows(midnight);
  ASSERT_TRUE((*books)->let_go(rows->value(), "", test::noon));
  EXPECT_EQ((*books)->remove(100).value(), 2);
  for (const char* provider : {"", " --provider deepseek"}) {
    const Said told = tell(of_second + provider);
    EXPECT_EQ(told.exit_code, 1) << "rows and bill have the same, but the sums have more";
    EXPECT_THAT(told.out, HasSubstr("1 attempt of 2026-11-02 followed requests of the day before, whose rows were let go"));
  }
  EXPECT_THAT(tell(of_second + " --format json").out, HasSubstr("\"attempts_without_rows\": 1"));
}

TEST_F(ReconcileTest, WhatCameLateAndIsGoneKeepsNoOtherMonthFromBeingCompared) {
  using std::chrono::days;
  const TimePoint october = test::noon - days(1);
  const auto books = [&] {
    const auto store = open_store(url(), StoreMode::write);
    save(**store, "r1", test::noon);
    auto opened = open_bookkeeper(url());
    EXPECT_TRUE((*opened)->close_month(*parse_month("2026-10"), test::noon));
    save(**store, "late", october);  // counts on the first of November
    save(**store, "r3", test::noon + days(1));
    return std::move(*opened);
  }();
  const auto rows = books->old_rows(std::chrono::floor<days>(test::noon));
  ASSERT_TRUE(books->let_go(rows->value(), "", test::noon));
  EXPECT_EQ(books->remove(100).value(), 1);
  write("bill.csv", bill_of_days({"2026-11-01"}));
  const Said told = tell("--ledger " + url());
  EXPECT_EQ(told.exit_code, 0) << told.out << told.err;
}

TEST_F(ReconcileTest, WhatWasBookedByHandOfTheseDaysIsTold) {
  write("bill.csv", "utc_date,model,cost,currency\n2026-11-01,deepseek-chat,0.1002048,CNY\n");
  EXPECT_THAT(tell("--ledger " + url()).out, Not(HasSubstr("correction")));
  const auto book = [&](const std::string& request, std::optional<TimePoint> day, Int128 pico, Currency currency) {
    Correction correction;
    correction.booked_at = test::noon + std::chrono::days(20);
    correction.reason = "invoice 17";
    correction.request_id = request;
    correction.day = day;
    correction.provider = "deepseek";
    correction.amount = {pico, currency};
    correction.usd_pico = pico / 7;
    ASSERT_TRUE((*open_bookkeeper(url()))->correct(correction));
  };
  const Currency cny = *parse_currency("CNY");
  const TimePoint day = std::chrono::floor<std::chrono::days>(test::noon);
  book("", day, pico_per_unit / 5, cny);
  book("r1", {}, -pico_per_unit / 10, cny);
  book("", day + std::chrono::days(1), pico_per_unit, cny);  // another day's
  book("", day, pico_per_unit, Currency{});                  // on another bill, in USD
  for (const char* provider : {"", " --provider deepseek"}) {
    const Said told = tell("--ledger " + url() + provider);
    EXPECT_EQ(told.exit_code, 1) << "attempts are compared, and they differ";
    EXPECT_THAT(told.out, HasSubstr("difference -0.1\n"));
    EXPECT_THAT(
        told.out,
        HasSubstr("2 corrections of these days, 0.1 CNY in all, booked by hand and no part of the ledger's figures here.\n"));
  }
  const std::string json = tell("--format json --ledger " + url()).out;
  EXPECT_THAT(json, HasSubstr("\"corrections\": 2"));
  EXPECT_THAT(json, HasSubstr("\"corrections_cost\": \"0.1\""));
  write("bill.csv", bill_of_days({"2026-11-01"}));
  EXPECT_THAT(tell("--ledger " + url()).out, Not(HasSubstr("correction"))) << "a bill of tokens has none";
}

TEST_F(ReconcileTest, AProviderThatNobodyKnowsIsRefused) {
  EXPECT_EQ(tell("--provider deepseek --ledger " + url()).exit_code, 0);
  expect_refused("--provider deepsek --ledger " + url(), "the ledger knows no provider 'deepsek'; did you mean 'deepseek'?");
  expect_refused("--provider spare --ledger " + url(), "the ledger knows no provider 'spare'; known are deepseek");
  expect_refused("--provider nosuch" + with_config(),
                 "neither the ledger nor the configuration knows a provider 'nosuch'; known are deepseek, spare");
  const Said spare = tell("--provider spare" + with_config());
  EXPECT_EQ(spare.exit_code, 1) << "the configuration knows it, and nothing was sent to it";
  EXPECT_THAT(spare.out, HasSubstr("only in the bill"));
}

}  // namespace
}  // namespace fairlead::cli
