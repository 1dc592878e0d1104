#include "store/sqlite/report_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <random>

namespace fairlead::sqlite {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::sys_days;
using testing::ElementsAre;

TimePoint at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  return sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)} + hours(hour) + minutes(minute);
}

ReportQuery by_times(const Zone& zone) {
  return {{"month", "week", "day", "hour"}, {}, {}, false, {}, std::make_shared<const Zone>(zone)};
}

std::vector<std::string> texts(const ReportQuery& query, TimePoint time) {
  ReportTimes times(query);
  return times.texts(times.number(time));
}

TEST(ReportTimes, AreThoseThatTheClocksShow) {
  const ReportQuery utc{{"month", "team", "week", "day", "hour"}, {}, {}};
  EXPECT_THAT(texts(utc, at(2026, 11, 1, 23, 59)), ElementsAre("2026-11", "", "2026-10-26", "2026-11-01", "2026-11-01T23:00Z"));
  const auto berlin = by_times({"Berlin", {{at(2026, 3, 29, 1), 120}, {at(2026, 10, 25, 1), 60}}});
  EXPECT_THAT(texts(berlin, at(2026, 10, 24, 22)), ElementsAre("2026-10", "2026-10-19", "2026-10-25", "2026-10-25T00:00+02:00"));
  EXPECT_THAT(texts(berlin, at(2026, 10, 25, 0, 59)), ElementsAre("2026-10", "2026-10-19", "2026-10-25", "2026-10-25T02:00+02:00"));
  EXPECT_THAT(texts(berlin, at(2026, 10, 25, 1)), ElementsAre("2026-10", "2026-10-19", "2026-10-25", "2026-10-25T02:00+01:00"));
  EXPECT_THAT(texts(berlin, at(2026, 12, 31, 23)), ElementsAre("2027-01", "2026-12-28", "2027-01-01", "2027-01-01T00:00+01:00"));
  const auto auckland = by_times({"Auckland", {{at(2026, 4, 4, 14), 720}, {at(2026, 9, 26, 14), 780}}});
  EXPECT_THAT(texts(auckland, at(2026, 9, 26, 13, 59)),
              ElementsAre("2026-09", "2026-09-21", "2026-09-27", "2026-09-27T01:00+12:00"));
  EXPECT_THAT(texts(auckland, at(2026, 9, 26, 14)), ElementsAre("2026-09", "2026-09-21", "2026-09-27", "2026-09-27T03:00+13:00"));
  const auto india = by_times({"India", {{at(2000, 1, 1), 330}}});
  EXPECT_THAT(texts(india, at(2026, 2, 28, 18, 29)), ElementsAre("2026-02", "2026-02-23", "2026-02-28", "2026-02-28T23:00+05:30"));
  EXPECT_THAT(texts(india, at(2026, 2, 28, 18, 30)), ElementsAre("2026-03", "2026-02-23", "2026-03-01", "2026-03-01T00:00+05:30"));
  const auto marquesas = by_times({"Marquesas", {{at(2000, 1, 1), -570}}});
  EXPECT_THAT(texts(marquesas, at(2028, 3, 1, 9, 29)),
              ElementsAre("2028-02", "2028-02-28", "2028-02-29", "2028-02-29T23:00-09:30"));
}

/// Asked of SQLite, whose calendar is not ours; in any order, so that what is remembered of the last time is never taken for
/// another.
TEST(ReportTimes, AreThoseOfAnotherCalendarForAnyTime) {
  sqlite3* connection = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &connection), SQLITE_OK);
  sqlite3_stmt* asked = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(connection,
                               "SELECT strftime('%Y-%m', ?1, 'unixepoch'), date(?1, 'unixepoch', 'weekday 0', '-6 days'), "
                               "date(?1, 'unixepoch'), strftime('%Y-%m-%dT%H:00', ?1, 'unixepoch')",
                               -1, &asked, nullptr),
            SQLITE_OK);
  std::mt19937_64 random(3);
  const TimePoint begin = at(1999, 12, 25);
  Zone zone{"Anywhere", {}};
  for (TimePoint change = begin; change < at(2040, 1, 1); change += minutes(random() % 400'000))
    zone.changes.push_back({change, static_cast<int>(random() % 113) * 15 - 720});
  const ReportQuery query = by_times(zone);
  ReportTimes times(query);
  TimePoint time = begin;
  for (int i = 0; i < 20'000; ++i) {
    time = i % 3 == 0 ? begin + microseconds(random() % (std::uint64_t{40} * 365 * 86'400'000'000)) : time + minutes(random() % 50);
    const std::int64_t local =
        std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count() + zone.offset_minutes(time) * 60;
    sqlite3_bind_int64(asked, 1, local);
    ASSERT_EQ(sqlite3_step(asked), SQLITE_ROW);
    const auto& told = times.texts(times.number(time));
    for (int column = 0; column < 4; ++column)
      ASSERT_EQ(told.at(static_cast<std::size_t>(column)).substr(0, 16),
                reinterpret_cast<const char*>(sqlite3_column_text(asked, column)))
          << time.time_since_epoch().count();
    sqlite3_reset(asked);
  }
  sqlite3_finalize(asked);
  sqlite3_close(connection);
}

}  // namespace
}  // namespace fairlead::sqlite
