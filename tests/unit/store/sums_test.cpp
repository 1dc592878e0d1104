// The sums that reports are made of, against the rows themselves.
#include <fairlead/bookkeeper.h>
#include <fairlead/store.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>

#include "store/sqlite/sum_ranges.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

using std::chrono::minutes;
using test::Folder;
using test::noon;
using testing::HasSubstr;
using testing::SizeIs;

std::unique_ptr<Store> open_sums(const std::string& path) {
  auto store = open_store("sqlite:" + path, StoreMode::write);
  if (!store) throw std::runtime_error(store.error().message());
  return std::move(*store);
}

/// All that a row says.
std::string told(const ReportRow& row) {
  std::string text;
  for (const std::string& value : row.group) text += value + "|";
  text += std::to_string(row.requests) + " " + std::to_string(row.attempts) + " " + std::to_string(row.failed_attempts);
  for (const auto& kind : {row.usage.input, row.usage.cached_input, row.usage.cache_write, row.usage.output, row.usage.reasoning,
                           row.usage.audio, row.usage.image})
    text += kind ? " " + std::to_string(*kind) : " -";
  text += " " + std::to_string(row.estimated_attempts) + " " + std::to_string(row.unpriced_attempts);
  for (const Money& cost : row.cost) text += " " + format_decimal(cost.pico) + std::string(cost.currency.view());
  for (const Int128 amount : {row.usd_pico, row.charge_usd_pico, row.estimated_usd_pico}) text += " " + format_decimal(amount);
  return text;
}

std::vector<std::string> told(Store& store, ReportQuery query) {
  const auto rows = store.report(query);
  if (!rows) return {rows.error().message() + rows.error().detail()};
  std::vector<std::string> all;
  for (const ReportRow& row : *rows)
    if (row.correction.empty()) all.push_back(told(row));
  return all;
}

/// Of all groups.
std::array<Int128, 4> counts(Store& store, const ReportQuery& query) {
  std::array<Int128, 4> sums{};
  const auto rows = store.report(query);
  for (const ReportRow& row : *rows) {
    sums[0] += row.requests;
    sums[1] += row.attempts;
    sums[2] += row.usage.input.value_or(0);
    sums[3] += row.usd_pico;
  }
  return sums;
}

/// Requests that begin, go on, end, are saved again, in any order.
class Storm {
 public:
  explicit Storm(unsigned seed) : random_(seed) {}

  /// The next transaction.
  std::vector<RequestRecord> some() {
    std::vector<RequestRecord> records;
    for (std::size_t left = one_of(8); left > 0; --left) {
      if (open_.empty() || one_of(3) == 0) begin();
      auto at = std::next(open_.begin(), static_cast<std::ptrdiff_t>(one_of(open_.size())));
      go_on(at->second);
      records.push_back(at->second);
      if (at->second.state == RowState::open) continue;
      ended_.push_back(std::move(at->second));
      open_.erase(at);
    }
    if (!ended_.empty() && one_of(4) == 0) records.push_back(ended_[one_of(ended_.size())]);  // as a journal that is replayed
    return records;
  }
  /// Those under way are gone with their process.
  void die() { open_.clear(); }
  std::size_t one_of(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
  std::size_t ended() const { return ended_.size(); }

  TimePoint clock = noon;

 private:
  void begin() {
    const char* names[] = {"", "a", "b", "=cmd()", "a b"};
    const TimePoint at = one_of(10) == 0 ? clock - std::chrono::days(20) : clock;  // as a journal that was fed late
    RequestOpen open = test::request_open("r" + std::to_string(++begun_), at);
    open.key = names[one_of(5)];
    open.team = names[one_of(5)];
    open.project = names[one_of(3)];
    open_.emplace(open.id, test::record_of(open));
  }

  void go_on(RequestRecord& record) {
    clock += std::chrono::seconds(one_of(6'000));
    const std::string& id = record.open.id;
    for (auto& attempt : record.attempts)
      if (attempt.state == RowState::open && one_of(3) > 0) settle(attempt);
    const bool all_settled = record.attempts.empty() || record.attempts.back().state != RowState::open;
    if (!all_settled) return;
    if (record.attempts.size() < 3 && one_of(2) == 0) {
      const char* providers[] = {"deepseek", "openai", "qwen"};
      record.attempts.push_back(test::open_attempt(
          test::attempt_open(id, static_cast<int>(record.attempts.size()) + 1, providers[one_of(3)], record.open.started_at)));
    } else if (one_of(2) == 0) {
      record.state = RowState::settled;
      record.settle = test::request_settle(id, static_cast<int>(record.attempts.size()));
    }
  }

  void settle(RequestRecord::Attempt& attempt) {
    attempt.state = RowState::settled;
    attempt.settle = test::attempt_settle(attempt.open.request_id, attempt.open.number);
    AttemptSettle& s = attempt.settle;
    if (one_of(3) == 0) s.error = "upstream_closed";
    s.usage_source = static_cast<UsageSource>(one_of(4));
    for (auto* kind : {&s.usage.input, &s.usage.cached_input, &s.usage.cache_write, &s.usage.reasoning, &s.usage.image})
      *kind = one_of(2) == 0 ? std::optional<std::int64_t>() : std::optional<std::int64_t>(one_of(100'000));
    const std::int64_t amounts[] = {0, 1, 999'999'999, 1'000'000'000, 3'625, std::numeric_limits<std::int64_t>::max() / 4};
    s.cost->pico = amounts[one_of(6)];
    s.cost->currency = one_of(2) == 0 ? Currency{} : Currency{{'C', 'N', 'Y'}};
    s.usd_pico = amounts[one_of(6)];
    s.charge_usd_pico = amounts[one_of(6)];
    if (one_of(5) == 0) s.cost.reset(), s.usd_pico.reset(), s.charge_usd_pico.reset();
  }

  std::mt19937 random_;
  int begun_ = 0;
  std::map<std::string, RequestRecord> open_;
  std::vector<RequestRecord> ended_;
};

/// A request whose rows can never be saved: nor are those saved with it.
RequestRecord impossible() {
  AttemptSettle settle = test::attempt_settle("impossible");
  settle.usd_pico = Int128{std::numeric_limits<std::int64_t>::max()} + 1;
  return test::record_of(test::request_open("impossible"), {test::settled_attempt(test::attempt_open("impossible"), settle)},
                         test::request_settle("impossible"));
}

const std::vector<std::vector<std::string>> groupings = {
    {}, {"provider"}, {"team", "project"}, {"day", "key"}, {"hour"}, {"month", "target"}, {"week", "usage_source", "currency"}};

std::shared_ptr<const Zone> zone_of(std::string name, std::vector<Zone::Change> changes) {
  return std::make_shared<const Zone>(Zone{std::move(name), std::move(changes)});
}

const std::vector<std::shared_ptr<const Zone>> zones = {
    zone_of("Somewhere",
            {{noon - std::chrono::days(400), -300}, {noon + std::chrono::hours(200), -240}, {noon + std::chrono::hours(700), 780}}),
    zone_of("Berlin", {{noon - std::chrono::days(200), 120}, {noon - std::chrono::hours(7 * 24 + 11), 60}}),
    zone_of("Auckland", {{noon - std::chrono::days(30), 720}, {noon + std::chrono::hours(14 * 24 + 2), 780}}),
    zone_of("Kolkata", {{noon - std::chrono::days(400), 330}}),
    zone_of("Kathmandu", {{noon - std::chrono::days(400), 345}}),
    zone_of("Adelaide", {{noon - std::chrono::days(400), 570}, {noon + std::chrono::minutes((10 * 24 + 4) * 60 + 30), 630}}),
    // Clocks that are set at a minute after midnight show the day before once more.
    zone_of("Newfoundland", {{noon - std::chrono::days(400), -120}, {noon + std::chrono::minutes(14 * 60 + 1), -180}}),
};

/// M-numbers: none; issue 5, "retention and growth". FAIRLEAD_SUMS_STEPS makes it longer.
TEST(Sums, AreThoseOfTheRowsWhateverHappens) {
  const char* more = std::getenv("FAIRLEAD_SUMS_STEPS");
  const int steps = more == nullptr ? 400 : std::atoi(more);
  for (const unsigned seed : {1u, 2u, 3u}) {
    Folder folder;
    const std::string path = folder.file("ledger.db");
    auto store = open_sums(path);
    Storm storm(seed);
    int closed = 0, died = 0, failed = 0;
    for (int step = 0; step < steps; ++step) {
      std::vector<RequestRecord> records = storm.some();
      if (storm.one_of(10) == 0) {
        std::vector<RequestRecord> doomed = records;
        doomed.push_back(impossible());
        EXPECT_FALSE(test::save(*store, doomed));
        ++failed;
      }
      const auto saved = test::save(*store, records);
      ASSERT_TRUE(saved) << saved.error().message() << saved.error().detail();
      if (storm.one_of(40) == 0) {
        store.reset();
        store = open_sums(path);
        ASSERT_TRUE(store->recover(storm.clock));
        storm.die();
        ++died;
        if (const auto books = open_bookkeeper("sqlite:" + path))
          closed += (*books)
                        ->close_month(*parse_month(day_text(storm.clock - std::chrono::days(25)).substr(0, 7)), storm.clock)
                        .has_value();
      }
      if (step % 40 != 0 && step + 1 != steps) continue;
      for (const auto& by : groupings)
        ASSERT_EQ(told(*store, {by, {}, {}}), told(*store, {by, {}, {}, true})) << "seed " << seed << ", step " << step;
    }
    const TimePoint since = noon + std::chrono::hours(24 * 3 + 5), until = since + std::chrono::hours(24 * 7 + 1);
    EXPECT_EQ(told(*store, {{"key"}, since, until}), told(*store, {{"key"}, since, until, true}));
    for (const auto& zone : zones)
      for (const auto& by : groupings)
        for (const auto& [from, to] : {std::pair<std::optional<TimePoint>, std::optional<TimePoint>>(),
                                       {since, until},
                                       {since + minutes(17), until + minutes(41)},
                                       {since + minutes(17), since + minutes(59)}})
          EXPECT_EQ(told(*store, {by, from, to, false, {}, zone}), told(*store, {by, from, to, true, {}, zone}))
              << "seed " << seed << ", " << zone->name;
    EXPECT_NE(told(*store, {{"week"}, {}, {}, false, {}, zones[0]}), told(*store, {{"week"}, {}, {}}));
    // What counts before a time and what counts from then on is all, also around the time at which late rows count.
    const TimePoint november = noon - std::chrono::hours(12);
    const auto all = counts(*store, {});
    for (const TimePoint cut : {november - minutes(1), november, november + minutes(1), since + minutes(30), until - minutes(1)}) {
      const auto before = counts(*store, {{}, {}, cut}), after = counts(*store, {{}, cut, {}});
      for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_TRUE(before[i] + after[i] == all[i]) << "seed " << seed << ", figure " << i;
    }
    EXPECT_THAT(store->check_sums()->findings, testing::IsEmpty());
    EXPECT_GT(storm.ended(), static_cast<std::size_t>(steps / 4));
    EXPECT_GT(died, 0);
    EXPECT_GT(failed, 0);
    EXPECT_GT(closed, 0) << "no month was closed in this storm";
  }
}

TEST(Sums, ARequestCountsInTheGroupOfItsLastAttempt) {
  Folder folder;
  auto store = open_sums(folder.file("ledger.db"));
  ASSERT_TRUE(test::save(
      *store, {test::record_of(test::request_open("r1"),
                               {test::settled_attempt(test::attempt_open("r1"), test::attempt_settle("r1")),
                                test::settled_attempt(test::attempt_open("r1", 2, "openai"), test::attempt_settle("r1", 2))},
                               test::request_settle("r1", 2))}));
  const auto rows = store->report({{"provider"}, {}, {}});
  ASSERT_THAT(*rows, SizeIs(2));
  EXPECT_EQ(rows->at(0).requests, 0);
  EXPECT_EQ(rows->at(0).attempts, 1);
  EXPECT_EQ(rows->at(1).requests, 1);
}

TEST(Sums, WeeksBeginOnMonday) {
  Folder folder;
  auto store = open_sums(folder.file("ledger.db"));  // noon is that of a Sunday
  for (const auto& [id, days] : {std::pair("r1", -6), {"r2", 0}, {"r3", 1}}) {
    const TimePoint at = noon + std::chrono::days(days);
    ASSERT_TRUE(test::save(
        *store, {test::record_of(test::request_open(id, at),
                                 {test::settled_attempt(test::attempt_open(id, 1, "deepseek", at), test::attempt_settle(id))},
                                 test::request_settle(id))}));
  }
  const auto rows = store->report({{"week"}, {}, {}});
  ASSERT_THAT(*rows, SizeIs(2));
  EXPECT_EQ(rows->at(0).group.at(0), "2026-10-26");
  EXPECT_EQ(rows->at(0).attempts, 2);
  EXPECT_EQ(rows->at(1).group.at(0), "2026-11-02");
}

TEST(Sums, OfSixHoursAreMadeOfTheHoursThatAnOlderLedgerHas) {
  Folder folder;
  const std::string path = folder.file("ledger.db");
  auto store = open_sums(path);
  Storm storm(7);
  for (int step = 0; step < 60; ++step) ASSERT_TRUE(test::save(*store, storm.some()));
  const auto by_day = [&] { return told(*store, {{"day", "key"}, {}, {}, false, {}, zones[1]}); };
  const auto before = by_day();
  store.reset();
  sqlite3* connection = nullptr;
  sqlite3_open(path.c_str(), &connection);
  ASSERT_EQ(sqlite3_exec(connection, "DROP TABLE six_hour_sums; DROP TABLE sweeps; DROP TABLE journaled; PRAGMA user_version = 2",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(connection);
  store = open_sums(path);
  EXPECT_EQ(by_day(), before);
  EXPECT_GT(before.size(), 20U);
}

/// What is read of the ten days from noon's on, one behind the other without a gap: first how many sums of a group, then how many
/// hours of rows.
std::pair<std::int64_t, std::int64_t> read_of_ten_days(const std::vector<std::string>& by, int offset_minutes) {
  const ReportQuery query{by, {}, {}, false, {}, zone_of("There", {{noon, offset_minutes}})};
  sqlite::ReportTimes times(query);
  const TimePoint from = std::chrono::floor<std::chrono::days>(noon), until = from + std::chrono::days(10);
  std::pair<std::int64_t, std::int64_t> read;
  TimePoint at = from;
  for (const sqlite::SumRange& range : sqlite::sum_ranges(times, from, until)) {
    EXPECT_EQ(range.from, at);
    at = range.until;
    const auto length = range.until - range.from;
    (range.table != nullptr ? read.first : read.second) += length / (range.table != nullptr ? range.table->length : minutes(60));
  }
  EXPECT_EQ(at, until);
  return read;
}

/// A report of a year by days of any zone that is whole hours from UTC reads no more than nine sums for a day and group.
TEST(Sums, FewAreReadForDaysOfAnotherZone) {
  for (int offset = -12; offset <= 14; ++offset)
    EXPECT_EQ(read_of_ten_days({"day"}, offset * 60), std::pair(offset == 0 ? 10L : offset % 6 == 0 ? 40L : 90L, 0L)) << offset;
}

TEST(Sums, DoNotTellOfAnHourInWhichADayBegins) {
  EXPECT_EQ(read_of_ten_days({"day"}, 330), std::pair(80L, 10L)) << "of the six hours in which a day begins, five are read";
  EXPECT_EQ(read_of_ten_days({"month"}, -330), std::pair(9L + 3 + 5, 1L)) << "November begins at five o'clock";
  EXPECT_EQ(read_of_ten_days({"hour"}, 345), std::pair(0L, 240L));
  EXPECT_EQ(read_of_ten_days({"team"}, 330), std::pair(10L, 0L));
}

/// The first and the last hour of a period may be in it only partly.
TEST(Sums, OfPartsOfHoursThereAreNone) {
  const ReportQuery query{{"team"}, {}, {}};
  sqlite::ReportTimes times(query);
  const TimePoint day = std::chrono::floor<std::chrono::days>(noon), from = day + minutes(59), until = day + minutes(36 * 60 + 1);
  const auto ranges = sqlite::sum_ranges(times, from, until);
  ASSERT_THAT(ranges, SizeIs(4)) << "between the parts, hours and six hours";
  EXPECT_TRUE(ranges[0].table == nullptr && ranges[0].from == from && ranges[0].until == day + minutes(60));
  EXPECT_TRUE(ranges[3].table == nullptr && ranges[3].from == day + minutes(36 * 60) && ranges[3].until == until);
  EXPECT_THAT(sqlite::sum_ranges(times, from, from + minutes(1)), SizeIs(1));
}

}  // namespace
}  // namespace fairlead
