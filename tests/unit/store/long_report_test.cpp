// Reports that two threads read are of one moment, and the same as those that one thread reads.
#include "store/sqlite/long_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "store/sqlite/sums.h"
#include "unit/store/rows.h"

namespace fairlead::sqlite {
namespace {

using std::chrono::hours;
using test::noon;
using testing::SizeIs;

constexpr int groups = 100, days = 300;
constexpr std::int64_t milli_of_sum = 1'000'000;
const TimePoint begin = std::chrono::floor<std::chrono::days>(noon);

/// Keys whose every tenth day has an hour with sums. Nobody reads rows: there are none.
class LongReportTest : public testing::Test {
 protected:
  LongReportTest() {
    store = std::move(*open_store("sqlite:" + path, StoreMode::write));
    Database writer = open();
    run(writer, "BEGIN");
    for (int group = 1; group <= groups; ++group) {
      const std::string number = std::to_string(group), key = "key-" + std::to_string(group % 7);
      run(writer, "INSERT INTO sum_groups VALUES (" + number + ", '" + key + "', 'team-" + number +
                      "', '', 'chat', 'deepseek', 'm', 'deepseek/m', 'reported', '" + (group % 2 == 0 ? "USD" : "CNY") + "')");
      for (int day = group % 10; day < days; day += 10)
        for (const SumTable& table : sum_tables)
          run(writer, "INSERT INTO " + std::string(table.name) + " VALUES (" + at(day, table) + ", " + number +
                          ", 1, 2, 1, 10, NULL, 3, 4, NULL, NULL, NULL, 7, 1, " + std::to_string(milli_of_sum) + ", 2, 8, 3)");
    }
    run(writer, "COMMIT");
  }

  /// The beginning of the sum that has two o'clock of this day.
  static std::string at(int day, const SumTable& table) {
    const TimePoint time = begin + std::chrono::days(day) + hours(2);
    return std::to_string((time - time.time_since_epoch() % table.length).time_since_epoch().count());
  }
  Database open() const { return std::move(*Database::open(path, SQLITE_OPEN_READWRITE)); }
  static void run(Database& database, const std::string& sql) {
    const auto done = database.execute(sql);
    ASSERT_TRUE(done) << sql << ": " << done.error().detail();
  }
  /// From all sums of one day to those of another, in one transaction.
  static void move_milli(Database& writer, int from, int to, std::int64_t milli) {
    std::string sql = "BEGIN IMMEDIATE;";
    for (const SumTable& table : sum_tables)
      for (const auto& [day, change] : {std::pair(from, -milli), {to, milli}})
        sql += "UPDATE " + std::string(table.name) + " SET usd_milli = usd_milli + " + std::to_string(change) +
               " WHERE at = " + at(day, table) + ";";
    run(writer, sql + "COMMIT");
  }
  static Int128 usd_pico(const std::vector<ReportRow>& rows) {
    Int128 sum = 0;
    for (const ReportRow& row : rows) sum += row.usd_pico;
    return sum;
  }

  test::Folder folder;
  const std::string path = folder.file("ledger.db");
  std::unique_ptr<Store> store;
  const ReportQuery by_hour{{"hour"}, {}, {}};
};

std::string told(const std::vector<ReportRow>& rows) {
  std::string text;
  for (const ReportRow& row : rows) {
    for (const std::string& value : row.group) text += value + " ";
    text += row.correction;
    for (const auto count : {row.requests, row.attempts, row.failed_attempts, row.estimated_attempts, row.unpriced_attempts,
                             row.usage.input.value_or(-1), row.usage.cached_input.value_or(-1), row.usage.output.value_or(-1)})
      text += " " + std::to_string(count);
    for (const Money& cost : row.cost) text += " " + format_decimal(cost.pico) + std::string(cost.currency.view());
    for (const Int128 amount : {row.usd_pico, row.charge_usd_pico, row.estimated_usd_pico}) text += " " + format_decimal(amount);
    text += "\n";
  }
  return text;
}

TEST_F(LongReportTest, HalvesMakeTheWholeWhereverItIsCut) {
  Database first = open(), second = open();
  for (const int day : {30, 200})
    run(first, "INSERT INTO corrections (booked_at, sum_group, reason, request_id, cost_pico, usd_pico, charge_usd_pico) SELECT " +
                   at(day, sum_tables[0]) + ", id, 'bill ' || id, '', -5, -5, -5 FROM sum_groups WHERE id > 97");
  const auto zone = std::make_shared<const Zone>(Zone{"Somewhere", {{begin - hours(9), -300}, {begin + hours(999), 600}}});
  for (const auto& by : {std::vector<std::string>{}, {"key"}, {"hour"}, {"month", "key"}, {"team", "week", "currency"}})
    for (const auto& query : {ReportQuery{by, {}, {}}, {by, begin + hours(77), begin + hours(2'345), false, {}, zone}}) {
      run(first, "BEGIN");
      const auto whole = read_report(first, query);
      ASSERT_TRUE(whole);
      EXPECT_FALSE(whole->empty());
      for (const int day : {4, 30, 77, 97}) {
        ASSERT_TRUE(*share_moment(first, second));
        const auto halves = read_halves(first, second, query, begin + std::chrono::days(day));
        ASSERT_TRUE(halves);
        EXPECT_EQ(told(*halves), told(*whole)) << day;
      }
      run(first, "ROLLBACK");
    }
}

TEST_F(LongReportTest, AReportIsCutWhereHalfOfItsSumsAreBefore) {
  Database database = open();
  EXPECT_EQ(*middle_of(database, by_hour), begin + std::chrono::days(days / 2));
  EXPECT_EQ(*middle_of(database, {{"hour"}, begin + std::chrono::days(20), {}}), begin + std::chrono::days((days + 20) / 2));
  EXPECT_EQ(*middle_of(database, {{"day"}, {}, {}}), std::nullopt) << "these are few";
  EXPECT_EQ(*middle_of(database, {{"hour"}, {}, begin + std::chrono::days(40)}), std::nullopt);
  EXPECT_EQ(*middle_of(database, {{"hour"}, begin + std::chrono::days(2 * days), {}}), std::nullopt) << "nothing is then";
  EXPECT_EQ(*middle_of(database, {{"hour"}, {}, {}, true}), std::nullopt) << "of rows";
}

/// Runs in the midst of a connection's work: before each of its statements.
int call(unsigned /*kind*/, void* callback, void* /*statement*/, void* /*text*/) {
  (*static_cast<std::function<void()>*>(callback))();
  return 0;
}

TEST_F(LongReportTest, BothSeeOneMomentAlthoughOthersCommit) {
  for (const int commits : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1'000'000}) {
    Database first = open(), second = open(), writer = open();
    run(first, "BEGIN");
    ASSERT_TRUE(first.integer("SELECT count(*) FROM sum_groups"));
    int left = commits;
    std::function<void()> commit = [&] {
      if (left-- > 0) move_milli(writer, 3, 203, 1);
    };
    for (Database* const database : {&first, &second})
      ASSERT_EQ(sqlite3_trace_v2(database->handle(), SQLITE_TRACE_STMT, call, &commit), SQLITE_OK);
    EXPECT_EQ(*share_moment(first, second), commits < 1'000'000) << "it gives up in the end";
    left = 0;
    if (commits == 1'000'000) continue;
    move_milli(writer, 3, 203, 1);
    const std::string_view sums = "SELECT sum(usd_milli * (at / 86400000000 - 20000)) FROM hour_sums";
    EXPECT_EQ(*first.integer(sums), *second.integer(sums)) << commits;
    EXPECT_NE(*first.integer(sums), *writer.integer(sums)) << "both keep to what they saw";
  }
}

TEST_F(LongReportTest, WhatIsMovedWhileItIsReadIsNeitherMissedNorTwiceThere) {
  Database database = open();
  ASSERT_TRUE(*middle_of(database, by_hour)) << "two threads read it";
  const auto before = store->report(by_hour);
  ASSERT_THAT(*before, SizeIs(days));
  std::atomic<bool> ended = false;
  std::atomic<int> moved = 0;
  std::thread moving([&] {
    Database writer = open();
    run(writer, "PRAGMA synchronous = OFF");  // the more often it commits
    for (int day = 0; !ended; day = (day + 1) % (days / 2), ++moved) move_milli(writer, day, day + days / 2, 7);
  });
  for (int reports = 0; reports < 80 || moved < 200; ++reports) {
    const auto rows = store->report(by_hour);
    EXPECT_TRUE(rows && usd_pico(*rows) == usd_pico(*before)) << "report " << reports << " after " << moved;
  }
  ended = true;
  moving.join();
  const auto after = store->report(by_hour);
  EXPECT_NE(told(*after), told(*before));
  EXPECT_TRUE(usd_pico(*after) == usd_pico(*before));
}

}  // namespace
}  // namespace fairlead::sqlite
