// Months, corrections and old rows.
#include "store/sqlite/line_digests.h"

#include <fairlead/bookkeeper.h>
#include <fairlead/store.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <map>
#include <utility>
#include <vector>

#include "unit/store/rows.h"

namespace fairlead {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::attempt_open;
using test::attempt_settle;
using test::Folder;
using test::noon;
using test::record_of;
using test::request_open;
using test::request_settle;
using test::settled_attempt;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class Cells final : public CellSink {
 public:
  Result<void> row(std::span<const std::string_view> cells) override {
    rows.emplace_back(cells.begin(), cells.end());
    return {};
  }
  std::vector<std::vector<std::string>> rows;
};

RequestRecord sent_at(const std::string& id, TimePoint at, int attempts = 1) {
  std::vector<RequestRecord::Attempt> all;
  for (int number = 1; number <= attempts; ++number)
    all.push_back(settled_attempt(attempt_open(id, number, "deepseek", at), attempt_settle(id, number)));
  return record_of(request_open(id, at), std::move(all), request_settle(id, attempts));
}

class BookkeepingTest : public testing::Test {
 protected:
  BookkeepingTest() {
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    store_ = std::move(*store);
    books_ = std::move(*open_bookkeeper(url()));
  }

  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  void save(const std::vector<RequestRecord>& records) { ASSERT_TRUE(test::save(*store_, records)); }
  /// The message of an error of another program that has the file open; empty if it may.
  std::string stranger(const std::string& sql) const {
    sqlite3* connection = nullptr;
    sqlite3_open(folder_.file("ledger.db").c_str(), &connection);
    const int code = sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
    const std::string said = code == SQLITE_OK ? "" : sqlite3_errmsg(connection);
    sqlite3_close(connection);
    return said;
  }
  int count(const std::string& table) const {
    sqlite3* connection = nullptr;
    sqlite3_stmt* statement = nullptr;
    sqlite3_open(folder_.file("ledger.db").c_str(), &connection);
    sqlite3_prepare_v2(connection, ("SELECT count(*) FROM " + table).c_str(), -1, &statement, nullptr);
    const int rows = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return rows;
  }
  std::int64_t attempts_in(const std::string& month) {
    const auto rows = store_->report({{"month"}, {}, {}});
    for (const ReportRow& row : *rows)
      if (row.group.at(0) == month && row.correction.empty()) return row.attempts;
    return 0;
  }
  std::string refusal(const std::string& month, TimePoint now) {
    const auto closed = books_->close_month(*parse_month(month), now);
    return closed ? "" : closed.error().message();
  }
  void let_all_go(TimePoint until) {
    for (;;) {
      while (*books_->remove(2) > 0) {
      }
      const auto rows = books_->old_rows(until);
      ASSERT_TRUE(rows);
      if (!*rows) return;
      ASSERT_TRUE(books_->let_go(**rows, "", noon));
    }
  }

  /// All that an audit finds, "link 2: what; " each.
  std::string found() {
    std::string text;
    const auto chain = store_->check_chain({});
    const auto sums = store_->check_sums();
    if (!chain || !sums) return "no audit: " + (chain ? sums.error() : chain.error()).detail();
    for (const auto& finding : chain->findings)
      text += finding.request + " link " + std::to_string(finding.link) + ": " + finding.what + "; ";
    for (const std::string& what : sums->findings) text += what + "; ";
    return text;
  }
  /// A copy of the line of `like` that says it was sealed by this link, with the seal that its text must have.
  void forge(const std::string& id, std::int64_t n, std::int64_t batch, TimePoint at, const std::string& like) {
    const std::string us = std::to_string(at.time_since_epoch().count());
    ASSERT_EQ(stranger("CREATE TEMP TABLE copy AS SELECT * FROM lines WHERE id = '" + like + "'; UPDATE copy SET id = '" + id +
                       "', n = " + std::to_string(n) + ", batch = " + std::to_string(batch) + ", started_at = " + us +
                       ", sent_at = " + us + "; INSERT INTO lines SELECT * FROM copy"),
              "");
    auto database = sqlite::Database::open(folder_.file("ledger.db"), SQLITE_OPEN_READWRITE);
    sqlite::LineDigests::Line line;
    ASSERT_TRUE(*sqlite::LineDigests(*database, "id = '" + id + "'").next(line));
    ASSERT_EQ(stranger("UPDATE lines SET seal = " + std::to_string(sqlite::seal_of(line.digest)) + " WHERE id = '" + id + "'"), "");
  }

  Folder folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Bookkeeper> books_;
};

const TimePoint october = noon - days(10);  // noon is on the first of November
const TimePoint december = noon + days(40);

TEST_F(BookkeepingTest, SumsAreCheckedAgainstRowsEachOtherAndClosings) {
  save({sent_at("r1", october, 2), sent_at("r2", noon + days(1), 3)});
  ASSERT_TRUE(books_->close_month(*parse_month("2026-09"), noon));
  ASSERT_TRUE(books_->close_month(*parse_month("2026-10"), noon));
  const auto findings = [&] {
    const auto check = store_->check_sums();
    EXPECT_TRUE(check);
    return check->findings;
  };
  const std::int64_t us_of_noon = noon.time_since_epoch().count();
  EXPECT_THAT(findings(), testing::IsEmpty());
  EXPECT_EQ(store_->check_sums()->compared, 2);
  EXPECT_EQ(store_->check_sums()->closed_months, 2);
  const auto add = [&](const std::string& sum, const std::string& change) {
    ASSERT_EQ(stranger("UPDATE " + sum + "_sums SET " + change + " WHERE at > " + std::to_string(us_of_noon - 86'400'000'000)), "");
  };
  add("hour", "attempts = attempts + 1");
  EXPECT_THAT(findings(),
              testing::ElementsAre(AllOf(HasSubstr("2026-11-02 12:00"), HasSubstr("hour_sums and six_hour_sums differ")),
                                   AllOf(HasSubstr("2026-11-02"), HasSubstr("the sums say"))));
  add("hour", "attempts = attempts - 1");
  add("day", "usd_milli = usd_milli + 1000");
  EXPECT_THAT(findings(), testing::ElementsAre(HasSubstr("six_hour_sums and day_sums differ")));
  add("day", "usd_milli = usd_milli - 1000");
  EXPECT_THAT(findings(), testing::IsEmpty());
  ASSERT_EQ(stranger("DROP TRIGGER closed_day_update;"
                     "UPDATE day_sums SET usd_milli = usd_milli + 1000 WHERE at < " +
                     std::to_string(us_of_noon - 86'400'000'000)),
            "");
  EXPECT_THAT(findings(), testing::Contains(HasSubstr("2026-10 was closed with")));
  let_all_go(noon);
  EXPECT_EQ(store_->check_sums()->compared, 1) << "of what rows are there";
  EXPECT_THAT(findings(), testing::Contains(HasSubstr("2026-10 was closed with")));
}

TEST_F(BookkeepingTest, SumsThatWereMovedWithinADayAreSeen) {
  save({sent_at("r1", october), sent_at("r2", noon), sent_at("r3", noon + hours(3))});
  ASSERT_EQ(found(), "");
  const std::string of_noon = " WHERE at = (SELECT max(at) FROM hour_sums)",
                    six = " WHERE at = (SELECT max(at) FROM six_hour_sums)";
  const struct {
    std::string sql, back;
    const char* told;
  } cases[] = {
      {"UPDATE hour_sums SET at = at + 3600000000" + of_noon, "UPDATE hour_sums SET at = at - 3600000000" + of_noon,
       "the sums say 0 requests"},
      {"UPDATE hour_sums SET at = at + 10800000000" + of_noon, "UPDATE hour_sums SET at = at - 10800000000" + of_noon,
       "2026-11-01 18:00, deepseek/deepseek-chat, key checkout: hour_sums and six_hour_sums differ"},
      {"UPDATE hour_sums SET at = at + 1" + of_noon, "UPDATE hour_sums SET at = at - 1" + of_noon,
       "2026-11-01 12:00, deepseek/deepseek-chat, key checkout: hour_sums and six_hour_sums differ"},
      {"UPDATE six_hour_sums SET at = at + 1" + six, "UPDATE six_hour_sums SET at = at - 1" + six,
       "hour_sums and six_hour_sums differ"},
      {"UPDATE six_hour_sums SET at = at + 21600000000" + six, "UPDATE six_hour_sums SET at = at - 21600000000" + six,
       "hour_sums and six_hour_sums differ"},
      {"UPDATE day_sums SET at = at + 1", "UPDATE day_sums SET at = at - 1", "six_hour_sums and day_sums differ"},
  };
  for (const auto& c : cases) {
    ASSERT_EQ(stranger(c.sql), "");
    EXPECT_THAT(found(), HasSubstr(c.told)) << c.sql;
    ASSERT_EQ(stranger(c.back), "");
    EXPECT_EQ(found(), "") << c.back;
  }
  let_all_go(noon);
  ASSERT_EQ(found(), "");
  ASSERT_EQ(stranger("UPDATE hour_sums SET at = at - 43200000000 WHERE at < 1793000000000000"), "");
  EXPECT_THAT(found(), HasSubstr("hour_sums and six_hour_sums differ")) << "also of rows that are gone";
}

TEST_F(BookkeepingTest, NoRowOfAnotherTableKeepsSumsFromBeingCompared) {
  save({sent_at("r1", october), sent_at("r2", noon), sent_at("r3", december), sent_at("r4", december)});
  ASSERT_EQ(refusal("2026-10", noon), "");
  save({sent_at("late", october + days(1)), sent_at("r5", december)});
  let_all_go(noon);
  ASSERT_EQ(found(), "");
  ASSERT_EQ(stranger("UPDATE hour_sums SET usd_milli = usd_milli + 1000 WHERE at > 1795000000000000; UPDATE six_hour_sums SET "
                     "usd_milli = usd_milli + 1000 WHERE at > 1795000000000000; UPDATE day_sums SET usd_milli = usd_milli + 1000 "
                     "WHERE at > 1795000000000000"),
            "");
  ASSERT_THAT(found(), HasSubstr("the sums say"));
  const struct {
    const char* sql;
    const char* back;
    const char* told;
  } cases[] = {
      {"INSERT INTO late VALUES (99999, 1, 3999974400000000)", "DELETE FROM late WHERE line = 99999", "attempt 1 of line 99999"},
      {"INSERT INTO late VALUES (1, 1, 3999974400000000)", "DELETE FROM late WHERE line = 1", "attempt 1 of line 1 counts as one"},
      {"INSERT INTO late VALUES (3, 1, 1793491200000000)", "DELETE FROM late WHERE line = 3", "attempt 1 of line 3 counts as one"},
  };
  for (const auto& c : cases) {
    ASSERT_EQ(stranger(c.sql), "");
    EXPECT_THAT(found(), AllOf(HasSubstr(c.told), HasSubstr("the sums say"))) << c.sql;
    ASSERT_EQ(stranger(c.back), "");
  }
  ASSERT_EQ(stranger("INSERT INTO let_go VALUES (3999974400000000, 1, 1, 1, 0, '', 1, 1)"), "");
  EXPECT_THAT(found(), AllOf(HasSubstr("no link has a record of it"), HasSubstr("rows were let go up to 2096-10-02")));
}

TEST_F(BookkeepingTest, SumsOfRowsThatWentWithAnotherDayAreNoFindings) {
  const TimePoint midnight = std::chrono::floor<days>(noon), before = midnight - std::chrono::seconds(1);
  save({record_of(request_open("over midnight", before),
                  {settled_attempt(attempt_open("over midnight", 1, "deepseek", before), attempt_settle("over midnight")),
                   settled_attempt(attempt_open("over midnight", 2, "qwen", midnight), attempt_settle("over midnight", 2))},
                  request_settle("over midnight", 2)),
        sent_at("r2", noon), sent_at("r3", december)});
  ASSERT_TRUE(books_->close_month(*parse_month("2026-10"), noon));
  save({sent_at("late", october), sent_at("last", december)});
  for (const TimePoint until : {october, noon - days(1), noon, noon + days(2)}) {
    let_all_go(until);
    const auto check = store_->check_sums();
    ASSERT_TRUE(check) << check.error().message();
    EXPECT_THAT(check->findings, testing::IsEmpty());
  }
  EXPECT_EQ(store_->check_sums()->compared, 1);
}

TEST_F(BookkeepingTest, AMonthIsClosedOnceItIsOverAndNothingOfItIsOpen) {
  save({sent_at("r1", october, 2),
        record_of(request_open("r2", october), {test::open_attempt(attempt_open("r2", 1, "qwen", october))})});
  EXPECT_THAT(refusal("2026-11", noon), HasSubstr("is not over yet"));
  EXPECT_THAT(refusal("2026-10", noon), HasSubstr("still has open attempts (1)"));
  ASSERT_TRUE(store_->recover(noon));
  const auto closed = books_->close_month(*parse_month("2026-10"), noon);
  ASSERT_TRUE(closed) << closed.error().message();
  ASSERT_THAT(*closed, SizeIs(1));
  const Closing* closing = &closed->front();
  EXPECT_EQ(closing->attempts, 3);
  EXPECT_TRUE(closing->usd_pico == 2 * 28'672'000 + 33'600'000);
  EXPECT_THAT(refusal("2026-10", noon), HasSubstr("is closed already"));
  EXPECT_THAT(refusal("2026-09", noon), HasSubstr("is closed already"));
  ASSERT_THAT(*books_->closings(), SizeIs(1));
  EXPECT_TRUE(books_->closings()->at(0).charge_usd_pico == closing->charge_usd_pico);
}

TEST_F(BookkeepingTest, EachMonthThatIsClosedAlongWithALaterOneIsHeldToItsOwnSums) {
  save({sent_at("august", october - days(60), 2), sent_at("october", october)});
  const auto closed = books_->close_month(*parse_month("2026-10"), noon);
  ASSERT_TRUE(closed) << closed.error().message();
  std::vector<std::pair<std::string, std::int64_t>> attempts;
  for (const Closing& closing : *closed) attempts.emplace_back(closing.month, closing.attempts);
  EXPECT_THAT(attempts, testing::ElementsAre(testing::Pair("2026-08", 2), testing::Pair("2026-10", 1)))
      << "there is nothing of September";
  EXPECT_THAT(*books_->closings(), SizeIs(2));
  EXPECT_EQ(count("chain WHERE note LIKE '%closing%'"), 2) << "each is a link";
  EXPECT_THAT(refusal("2026-09", noon), HasSubstr("is closed already"));
  std::string changes = "DROP TRIGGER closed_hour_update; DROP TRIGGER closed_six_hour_update; DROP TRIGGER closed_day_update;";
  for (const std::string unit : {"hour", "six_hour", "day"})
    changes += "UPDATE " + unit + "_sums SET usd_milli = usd_milli + 1000 WHERE at < " +
               std::to_string((october - days(30)).time_since_epoch().count()) + ";";
  ASSERT_EQ(stranger(changes), "");
  EXPECT_THAT(store_->check_sums()->findings, testing::Contains(HasSubstr("2026-08 was closed with")));
  save({sent_at("november", noon)});
  const auto next = books_->close_month(*parse_month("2026-12"), december + days(60));
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_THAT(*next, SizeIs(2)) << "since the last that was closed, and itself, though nothing is of it";
}

TEST_F(BookkeepingTest, ARowOfAClockThatWasWrongClosesNoMonthsInBetween) {
  save({sent_at("wrong", TimePoint() + days(3)), sent_at("october", october)});
  Correction correction;
  correction.booked_at = noon - days(70);
  correction.reason = "in august";
  correction.amount = {5, {{'U', 'S', 'D'}}};
  ASSERT_TRUE(books_->correct(correction));
  ASSERT_EQ(refusal("2026-10", noon), "");
  std::vector<std::string> months;
  const auto closings = books_->closings();
  for (const Closing& closing : *closings) months.push_back(closing.month);
  EXPECT_THAT(months, ElementsAre("1970-01", "2026-08", "2026-10"));
  save({sent_at("late", TimePoint() + days(9'000))});
  EXPECT_EQ(count("late"), 1) << "what lies in between is closed all the same";
  EXPECT_EQ(found(), "");
}

TEST_F(BookkeepingTest, AClosedMonthNeverChanges) {
  save({sent_at("r1", october, 2), sent_at("r2", noon)});
  ASSERT_EQ(refusal("2026-10", noon), "");
  const std::string refused[] = {
      "UPDATE lines SET cost_pico = 1 WHERE id = 'r1'",
      "UPDATE retries SET cost_pico = 1",
      "DELETE FROM requests WHERE id = 'r1'",
      "DELETE FROM retries",
      "UPDATE hour_sums SET usd_milli = 0",
      "UPDATE day_sums SET usd_milli = 0",
      "DELETE FROM day_sums",
      "DELETE FROM six_hour_sums",
      "UPDATE six_hour_sums SET usd_milli = 0",
      "INSERT INTO hour_sums SELECT at - 3600000000, sum_group, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM hour_sums "
      "LIMIT 1",
      "DELETE FROM closings",
      "UPDATE closings SET until = 0",
  };
  for (const std::string& sql : refused) EXPECT_THAT(stranger(sql), HasSubstr("close")) << sql;
  EXPECT_EQ(stranger("DELETE FROM requests WHERE id = 'r2'"), "") << "of a month that is not closed";
  EXPECT_EQ(attempts_in("2026-10"), 2);
}

TEST_F(BookkeepingTest, WhatComesLateCountsInTheNextMonth) {
  save({sent_at("r1", october)});
  ASSERT_EQ(refusal("2026-10", noon), "");
  // As a journal that was fed only now; the second goes on after that.
  save({sent_at("late", october + hours(1)),
        record_of(request_open("open", october), {test::open_attempt(attempt_open("open", 1, "qwen", october))})});
  save({sent_at("open", october)});
  EXPECT_EQ(attempts_in("2026-10"), 1);
  EXPECT_EQ(attempts_in("2026-11"), 2);
  EXPECT_EQ((*store_->request("late"))->attempts.at(0).open.sent_at, october + hours(1)) << "the row says what happened";
  const auto rows = store_->report({{"month"}, {}, {}, true});
  EXPECT_EQ(rows->at(1).attempts, 2) << "also of the rows themselves";
  const TimePoint begin = noon - hours(12);
  EXPECT_EQ(store_->report({{}, begin, begin + std::chrono::minutes(1)})->at(0).attempts, 2) << "in the first moment";
}

TEST_F(BookkeepingTest, ACorrectionIsALineOfItsOwnInTheMonthInWhichItIsBooked) {
  save({sent_at("r1", october)});
  ASSERT_EQ(refusal("2026-10", noon), "");
  Correction correction;
  correction.booked_at = noon;
  correction.reason = "invoice 17: billed twice";
  correction.request_id = "r1";
  correction.amount = {-204'800'000, {{'C', 'N', 'Y'}}};
  correction.usd_pico = -28'672'000;
  ASSERT_TRUE(books_->correct(correction));
  const auto rows = store_->report({{"month", "team", "provider"}, {}, {}});
  ASSERT_THAT(*rows, SizeIs(2));
  EXPECT_EQ(rows->at(1).correction, "invoice 17: billed twice");
  EXPECT_THAT(rows->at(1).group, ElementsAre("2026-11", "payments", "deepseek"));
  EXPECT_TRUE(rows->at(1).usd_pico == -28'672'000);
  EXPECT_TRUE(rows->at(1).cost.at(0) == correction.amount);
  EXPECT_EQ(rows->at(1).attempts, 0);
  EXPECT_THAT(*store_->report({{"month"}, {}, noon - hours(12)}), SizeIs(1)) << "not in October";

  correction.booked_at = october;
  EXPECT_THAT(books_->correct(correction).error().message(), HasSubstr("is closed"));
  correction.booked_at = noon;
  correction.request_id = "nobody";
  EXPECT_THAT(books_->correct(correction).error().message(), HasSubstr("no request nobody"));
  EXPECT_THAT(stranger("DELETE FROM corrections"), HasSubstr("another one takes it back"));
  EXPECT_THAT(stranger("UPDATE corrections SET usd_pico = 0"), HasSubstr("another one takes it back"));
}

TEST_F(BookkeepingTest, RowsGoByTheDayAndReportsStay) {
  save({sent_at("r1", october, 2), sent_at("r2", october + hours(1)), sent_at("r3", october + days(1)), sent_at("r4", december)});
  save({record_of(request_open("refused", october), {}, request_settle("refused", 0))});
  save({sent_at("newest", december)});
  ASSERT_EQ(refusal("2026-10", noon), "") << "closed rows may go too, once they are let go";
  std::vector<std::vector<ReportRow>> before, after;
  for (const auto& by : {std::vector<std::string>{"day", "key"}, {"hour", "target"}, {}})
    before.push_back(*store_->report({by, {}, {}}));

  const auto rows = *books_->old_rows(noon);
  ASSERT_TRUE(rows);
  EXPECT_EQ(day_text(rows->day), "2026-10-22");
  EXPECT_EQ(rows->requests, 3) << "also what was refused";
  EXPECT_EQ(*books_->remove(100), 0) << "not before they are let go";
  Cells cells;
  ASSERT_TRUE(books_->read_rows(*rows, cells));
  ASSERT_THAT(cells.rows, SizeIs(1 + 4)) << "titles, and a row per attempt; a request without any has one";
  EXPECT_EQ(cells.rows[0][0], "id");
  EXPECT_EQ(cells.rows[2][0], "r1");
  EXPECT_THAT(cells.rows, testing::Each(SizeIs(cells.rows[0].size())));

  let_all_go(noon);
  EXPECT_FALSE(*store_->request("r1"));
  EXPECT_FALSE(*store_->request("refused"));
  EXPECT_FALSE(*store_->request("r3"));
  EXPECT_TRUE(*store_->request("r4"));
  EXPECT_EQ(count("retries"), 0) << "none is left without its request";
  for (const auto& by : {std::vector<std::string>{"day", "key"}, {"hour", "target"}, {}})
    after.push_back(*store_->report({by, {}, {}}));
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    ASSERT_EQ(after[i].size(), before[i].size());
    for (std::size_t j = 0; j < after[i].size(); ++j) {
      EXPECT_EQ(after[i][j].group, before[i][j].group);
      EXPECT_EQ(after[i][j].attempts, before[i][j].attempts);
      EXPECT_TRUE(after[i][j].usd_pico == before[i][j].usd_pico);
    }
  }
  const auto of_rows = store_->report({{}, {}, {}, true});
  EXPECT_THAT(of_rows.error().message(), HasSubstr("rows before 2026-10-24 are no longer in the ledger"));
  EXPECT_TRUE(store_->report({{}, noon - days(7), {}, true}));
}

TEST_F(BookkeepingTest, OnlyHoursThatSumsDoNotTellNeedRows) {
  save({sent_at("r1", october), sent_at("r2", october + days(1)), sent_at("r3", noon)});
  ASSERT_EQ(refusal("2026-10", noon), "");
  save({sent_at("late", october), sent_at("r4", december)});
  const auto zone = std::make_shared<const Zone>(Zone{"Asia/Kolkata", {{october - days(400), 330}}});
  const TimePoint november = noon - hours(12), half_past = noon - days(9) + std::chrono::minutes(30);
  const auto message = [&](const ReportQuery& query) {
    const auto rows = store_->report(query);
    return rows ? "" : rows.error().message();
  };
  EXPECT_EQ(message({{"day"}, {}, {}, false, {}, zone}), "");
  EXPECT_EQ(store_->report({{}, november, november + std::chrono::minutes(1)})->at(0).attempts, 1) << "the late one";

  let_all_go(noon - days(1));
  EXPECT_THAT(message({{"day"}, {}, {}, false, {}, zone}),
              HasSubstr("the hours of Asia/Kolkata are not those that sums are kept of"));
  EXPECT_EQ(message({{"day"}, october + days(2), {}, false, {}, zone}), "");
  ASSERT_EQ(message({{"month"}, {}, {}, false, {}, zone}), "") << "November began when there were rows";
  EXPECT_EQ(store_->report({{"month"}, {}, {}, false, {}, zone})->at(0).attempts, 2);
  EXPECT_THAT(message({{}, half_past, {}}), HasSubstr("ask for whole hours, whose sums are kept"));
  EXPECT_EQ(message({{}, half_past + days(1), {}}), "");
  EXPECT_THAT(message({{}, november, november + std::chrono::minutes(1)}), HasSubstr("are no longer in the ledger"))
      << "the late one, which was sent before";
  EXPECT_EQ(message({{}, november, {}}), "");
}

TEST_F(BookkeepingTest, OpenRowsStayAndSoDoesTheirDay) {
  save({sent_at("r1", october),
        record_of(request_open("open", october), {test::open_attempt(attempt_open("open", 1, "qwen", october))}),
        sent_at("r2", noon)});
  EXPECT_FALSE(*books_->old_rows(noon));
  save({sent_at("open", october)});
  EXPECT_TRUE(*books_->old_rows(noon));
  EXPECT_FALSE(*books_->old_rows(october)) << "the day is not over then";
}

TEST_F(BookkeepingTest, ARetryAfterMidnightThatIsOpenKeepsTheDayOfItsRequest) {
  const TimePoint midnight = std::chrono::floor<days>(october) + days(1), late = midnight - std::chrono::seconds(1);
  // It broke: the request has ended, and its last attempt has not.
  save({record_of(request_open("broke", late),
                  {settled_attempt(attempt_open("broke", 1, "deepseek", late), attempt_settle("broke", 1)),
                   test::open_attempt(attempt_open("broke", 2, "qwen", midnight))},
                  request_settle("broke", 2)),
        sent_at("r2", noon)});
  EXPECT_FALSE(*books_->old_rows(noon));
  ASSERT_TRUE(store_->recover(noon));
  EXPECT_TRUE(*books_->old_rows(noon));
}

TEST_F(BookkeepingTest, WhatSomebodyOpenedAgainKeepsNothingElse) {
  save({sent_at("unsealed", october - days(1)), sent_at("reopened", october), sent_at("r1", october),
        sent_at("r2", october + days(1)), sent_at("r3", noon)});
  ASSERT_EQ(stranger("UPDATE lines SET batch = NULL WHERE id = 'unsealed'; UPDATE lines SET ending = 0 WHERE id = 'reopened'"), "");
  for (const int requests : {2, 1}) {
    const auto rows = *books_->old_rows(noon);
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->requests, requests);
    ASSERT_TRUE(books_->let_go(*rows, "", noon));
    EXPECT_EQ(*books_->remove(100), requests);
  }
  EXPECT_FALSE(*books_->old_rows(noon)) << "or it would be let go without an end";
  EXPECT_TRUE(*store_->request("unsealed")) << "for the audit to show";
}

TEST_F(BookkeepingTest, ARequestThatBrokeCountsOnceAndInTheEndWithWhatItsAttemptBecame) {
  save({record_of(request_open("first"), {test::open_attempt(attempt_open("first"))}, request_settle("first")),
        record_of(request_open("second"),
                  {settled_attempt(attempt_open("second"), attempt_settle("second")),
                   test::open_attempt(attempt_open("second", 2, "qwen"))},
                  request_settle("second", 2)),
        sent_at("whole", noon)});
  using BySource = std::map<std::string, std::int64_t>;
  const auto requests = [&](bool from_rows) {
    BySource by_source;
    const auto rows = store_->report({{"usage_source"}, {}, {}, from_rows});
    for (const ReportRow& row : *rows) by_source[row.group.at(0)] += row.requests;
    return by_source;
  };
  EXPECT_EQ(requests(false), (BySource{{"", 2}, {"reported", 1}})) << "while nobody knows";
  EXPECT_THAT(store_->check_sums()->findings, testing::IsEmpty());
  ASSERT_TRUE(store_->recover(noon + hours(1)));
  EXPECT_THAT(store_->check_sums()->findings, testing::IsEmpty());
  for (const bool from_rows : {false, true}) EXPECT_EQ(requests(from_rows), (BySource{{"estimated", 2}, {"reported", 1}}));
}

TEST_F(BookkeepingTest, WhatComesAfterItsDayWentGoesAsAnotherPart) {
  save({sent_at("r1", october), sent_at("r2", noon)});
  let_all_go(noon);
  save({sent_at("late", october), sent_at("r3", noon)});
  const auto rows = *books_->old_rows(noon);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->part, 2);
  EXPECT_EQ(rows->requests, 1);
}

TEST_F(BookkeepingTest, ALineThatIsAddedUnderAnArchivedLinkIsSeen) {
  save({sent_at("r1", october), sent_at("r2", october), sent_at("r3", october)});
  save({sent_at("r4", october + days(1)), sent_at("r5", noon)});
  save({sent_at("r6", noon)});
  const auto rows = *books_->old_rows(noon);
  ASSERT_TRUE(books_->let_go(*rows, "", noon));
  EXPECT_EQ(found(), "") << "what may go is still there";
  ASSERT_EQ(*books_->remove(2), 2);
  EXPECT_EQ(found(), "") << "and so is a part of it";
  forge("early", 100, 1, october, "r6");
  EXPECT_THAT(found(), HasSubstr("early link 1: it was added")) << "it is none of those that may go";
  ASSERT_EQ(stranger("DELETE FROM lines WHERE id = 'early'"), "");
  let_all_go(noon - days(5));
  EXPECT_EQ(found(), "");
  for (const std::int64_t batch : {1, 2}) {
    forge("forged", batch == 1 ? 2 : 4, batch, october, "r6");
    EXPECT_THAT(found(), HasSubstr("forged link " + std::to_string(batch) + ": it"));
    ASSERT_EQ(stranger("DELETE FROM lines WHERE id = 'forged'"), "");
  }
  EXPECT_EQ(found(), "");
}

TEST_F(BookkeepingTest, WhatWasLetGoIsInTheChainAndSoAreTheLinksThatWentWhole) {
  save({sent_at("r1", october), sent_at("r2", october)});
  save({sent_at("r3", october + days(1))});
  save({sent_at("r4", noon)});
  let_all_go(noon - days(5));
  ASSERT_EQ(found(), "");
  EXPECT_EQ(count("let_go"), 2);
  const struct {
    const char* sql;
    const char* back;
    const char* told;
  } cases[] = {
      {"INSERT INTO let_go VALUES (3999974400000000, 1, 1, 1, 0, '', 1, 1)", "DELETE FROM let_go WHERE day = 3999974400000000",
       "rows of 2096-10-02 were let go, and no link has a record of it"},
      {"UPDATE let_go SET day = day + 86400000000 * 9 WHERE n_min = 3",
       "UPDATE let_go SET day = day - 86400000000 * 9 WHERE n_min = 3", "link 5: what was let go is not in the table let_go"},
      {"UPDATE let_go SET part = 2", "UPDATE let_go SET part = 1", "link 4: what was let go"},
      {"UPDATE let_go SET n_max = 9 WHERE n_min = 1", "UPDATE let_go SET n_max = 2 WHERE n_min = 1", "link 4: what was let go"},
      {"UPDATE let_go SET n_min = 0 WHERE n_min = 3", "UPDATE let_go SET n_min = 3 WHERE n_min = 0", "link 5: what was let go"},
      {"UPDATE let_go SET requests = requests + 1", "UPDATE let_go SET requests = requests - 1", "link 4: what was let go"},
      {"UPDATE let_go SET file = 'x'", "UPDATE let_go SET file = ''", "link 5: what was let go"},
      {"UPDATE let_go SET at = at + 1", "UPDATE let_go SET at = at - 1", "link 5: what was let go"},
      {"CREATE TABLE kept AS SELECT * FROM let_go; DELETE FROM let_go WHERE n_min = 1",
       "INSERT INTO let_go SELECT * FROM kept WHERE n_min = 1; DROP TABLE kept", "link 4: what was let go is not in the table"},
      {"UPDATE chain SET lines = 7 WHERE n = 4", "UPDATE chain SET lines = 2 WHERE n = 4",
       "link 4: it says that 7 were archived, and its record 2"},
      {"UPDATE chain SET lines = 7 WHERE n = 1", "UPDATE chain SET lines = 2 WHERE n = 1",
       "link 4: of the links that were archived whole, one is not what it was then"},
      {"UPDATE chain SET hash = zeroblob(32) WHERE n = 2; UPDATE chain SET lines = 1 WHERE n = 2", nullptr,
       "link 5: of the links that were archived whole, one is not what it was then"},
  };
  for (const auto& c : cases) {
    ASSERT_EQ(stranger(c.sql), "");
    EXPECT_THAT(found(), HasSubstr(c.told)) << c.sql;
    if (c.back == nullptr) break;
    ASSERT_EQ(stranger(c.back), "");
    EXPECT_EQ(found(), "") << c.back;
  }
}

}  // namespace
}  // namespace fairlead
