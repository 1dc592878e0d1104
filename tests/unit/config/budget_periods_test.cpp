// M24: a budget's periods begin by the clocks of its zone. What is expected here was computed with Python's zoneinfo.
#include <fairlead/budget.h>

#include <gtest/gtest.h>

#include "config/scalar.h"
#include "config/zones.h"

namespace fairlead::config {
namespace {

struct PeriodCase {
  const char* zone;
  BudgetPeriod per;
  const char *at, *from, *until;
};

const PeriodCase period_cases[] = {
    {"Asia/Singapore", BudgetPeriod::hour, "2026-01-31T15:59:59Z", "2026-01-31T15:00Z", "2026-01-31T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::day, "2026-01-31T15:59:59Z", "2026-01-30T16:00Z", "2026-01-31T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::week, "2026-01-31T15:59:59Z", "2026-01-25T16:00Z", "2026-02-01T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::month, "2026-01-31T15:59:59Z", "2025-12-31T16:00Z", "2026-01-31T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::hour, "2026-01-31T16:00:00Z", "2026-01-31T16:00Z", "2026-01-31T17:00Z"},
    {"Asia/Singapore", BudgetPeriod::day, "2026-01-31T16:00:00Z", "2026-01-31T16:00Z", "2026-02-01T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::week, "2026-01-31T16:00:00Z", "2026-01-25T16:00Z", "2026-02-01T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::month, "2026-01-31T16:00:00Z", "2026-01-31T16:00Z", "2026-02-28T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::hour, "2026-11-26T08:30:00Z", "2026-11-26T08:00Z", "2026-11-26T09:00Z"},
    {"Asia/Singapore", BudgetPeriod::day, "2026-11-26T08:30:00Z", "2026-11-25T16:00Z", "2026-11-26T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::week, "2026-11-26T08:30:00Z", "2026-11-22T16:00Z", "2026-11-29T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::month, "2026-11-26T08:30:00Z", "2026-10-31T16:00Z", "2026-11-30T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::hour, "2028-02-29T15:59:59Z", "2028-02-29T15:00Z", "2028-02-29T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::day, "2028-02-29T15:59:59Z", "2028-02-28T16:00Z", "2028-02-29T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::week, "2028-02-29T15:59:59Z", "2028-02-27T16:00Z", "2028-03-05T16:00Z"},
    {"Asia/Singapore", BudgetPeriod::month, "2028-02-29T15:59:59Z", "2028-01-31T16:00Z", "2028-02-29T16:00Z"},
    {"America/Bogota", BudgetPeriod::hour, "2026-03-01T04:59:59Z", "2026-03-01T04:00Z", "2026-03-01T05:00Z"},
    {"America/Bogota", BudgetPeriod::day, "2026-03-01T04:59:59Z", "2026-02-28T05:00Z", "2026-03-01T05:00Z"},
    {"America/Bogota", BudgetPeriod::week, "2026-03-01T04:59:59Z", "2026-02-23T05:00Z", "2026-03-02T05:00Z"},
    {"America/Bogota", BudgetPeriod::month, "2026-03-01T04:59:59Z", "2026-02-01T05:00Z", "2026-03-01T05:00Z"},
    {"America/Bogota", BudgetPeriod::hour, "2026-03-01T05:00:00Z", "2026-03-01T05:00Z", "2026-03-01T06:00Z"},
    {"America/Bogota", BudgetPeriod::day, "2026-03-01T05:00:00Z", "2026-03-01T05:00Z", "2026-03-02T05:00Z"},
    {"America/Bogota", BudgetPeriod::week, "2026-03-01T05:00:00Z", "2026-02-23T05:00Z", "2026-03-02T05:00Z"},
    {"America/Bogota", BudgetPeriod::month, "2026-03-01T05:00:00Z", "2026-03-01T05:00Z", "2026-04-01T05:00Z"},
    {"America/Bogota", BudgetPeriod::hour, "2026-12-31T23:30:00Z", "2026-12-31T23:00Z", "2027-01-01T00:00Z"},
    {"America/Bogota", BudgetPeriod::day, "2026-12-31T23:30:00Z", "2026-12-31T05:00Z", "2027-01-01T05:00Z"},
    {"America/Bogota", BudgetPeriod::week, "2026-12-31T23:30:00Z", "2026-12-28T05:00Z", "2027-01-04T05:00Z"},
    {"America/Bogota", BudgetPeriod::month, "2026-12-31T23:30:00Z", "2026-12-01T05:00Z", "2027-01-01T05:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-03-28T23:30:00Z", "2026-03-28T23:00Z", "2026-03-29T00:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-03-28T23:30:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-03-28T23:30:00Z", "2026-03-22T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-03-28T23:30:00Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-03-29T00:59:59Z", "2026-03-29T00:00Z", "2026-03-29T01:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-03-29T00:59:59Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-03-29T00:59:59Z", "2026-03-22T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-03-29T00:59:59Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-03-29T01:00:00Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-03-29T01:00:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-03-29T01:00:00Z", "2026-03-22T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-03-29T01:00:00Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-03-29T22:00:00Z", "2026-03-29T22:00Z", "2026-03-29T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-03-29T22:00:00Z", "2026-03-29T22:00Z", "2026-03-30T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-03-29T22:00:00Z", "2026-03-29T22:00Z", "2026-04-05T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-03-29T22:00:00Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-10-24T21:59:59Z", "2026-10-24T21:00Z", "2026-10-24T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-10-24T21:59:59Z", "2026-10-23T22:00Z", "2026-10-24T22:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-10-24T21:59:59Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-10-24T21:59:59Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-10-25T00:30:00Z", "2026-10-25T00:00Z", "2026-10-25T02:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-10-25T00:30:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-10-25T00:30:00Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-10-25T00:30:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-10-25T01:30:00Z", "2026-10-25T00:00Z", "2026-10-25T02:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-10-25T01:30:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-10-25T01:30:00Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-10-25T01:30:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-10-25T22:59:59Z", "2026-10-25T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-10-25T22:59:59Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-10-25T22:59:59Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-10-25T22:59:59Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-10-25T23:00:00Z", "2026-10-25T23:00Z", "2026-10-26T00:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-10-25T23:00:00Z", "2026-10-25T23:00Z", "2026-10-26T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-10-25T23:00:00Z", "2026-10-25T23:00Z", "2026-11-01T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-10-25T23:00:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-02-28T22:59:59Z", "2026-02-28T22:00Z", "2026-02-28T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-02-28T22:59:59Z", "2026-02-27T23:00Z", "2026-02-28T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-02-28T22:59:59Z", "2026-02-22T23:00Z", "2026-03-01T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-02-28T22:59:59Z", "2026-01-31T23:00Z", "2026-02-28T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::hour, "2026-12-31T23:00:00Z", "2026-12-31T23:00Z", "2027-01-01T00:00Z"},
    {"Europe/Berlin", BudgetPeriod::day, "2026-12-31T23:00:00Z", "2026-12-31T23:00Z", "2027-01-01T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::week, "2026-12-31T23:00:00Z", "2026-12-27T23:00Z", "2027-01-03T23:00Z"},
    {"Europe/Berlin", BudgetPeriod::month, "2026-12-31T23:00:00Z", "2026-12-31T23:00Z", "2027-01-31T23:00Z"},
    {"America/New_York", BudgetPeriod::hour, "2026-03-08T06:59:59Z", "2026-03-08T06:00Z", "2026-03-08T07:00Z"},
    {"America/New_York", BudgetPeriod::day, "2026-03-08T06:59:59Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"},
    {"America/New_York", BudgetPeriod::week, "2026-03-08T06:59:59Z", "2026-03-02T05:00Z", "2026-03-09T04:00Z"},
    {"America/New_York", BudgetPeriod::month, "2026-03-08T06:59:59Z", "2026-03-01T05:00Z", "2026-04-01T04:00Z"},
    {"America/New_York", BudgetPeriod::hour, "2026-03-08T07:00:00Z", "2026-03-08T07:00Z", "2026-03-08T08:00Z"},
    {"America/New_York", BudgetPeriod::day, "2026-03-08T07:00:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"},
    {"America/New_York", BudgetPeriod::week, "2026-03-08T07:00:00Z", "2026-03-02T05:00Z", "2026-03-09T04:00Z"},
    {"America/New_York", BudgetPeriod::month, "2026-03-08T07:00:00Z", "2026-03-01T05:00Z", "2026-04-01T04:00Z"},
    {"America/New_York", BudgetPeriod::hour, "2026-11-01T05:30:00Z", "2026-11-01T05:00Z", "2026-11-01T07:00Z"},
    {"America/New_York", BudgetPeriod::day, "2026-11-01T05:30:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"},
    {"America/New_York", BudgetPeriod::week, "2026-11-01T05:30:00Z", "2026-10-26T04:00Z", "2026-11-02T05:00Z"},
    {"America/New_York", BudgetPeriod::month, "2026-11-01T05:30:00Z", "2026-11-01T04:00Z", "2026-12-01T05:00Z"},
    {"America/New_York", BudgetPeriod::hour, "2026-11-01T06:30:00Z", "2026-11-01T05:00Z", "2026-11-01T07:00Z"},
    {"America/New_York", BudgetPeriod::day, "2026-11-01T06:30:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"},
    {"America/New_York", BudgetPeriod::week, "2026-11-01T06:30:00Z", "2026-10-26T04:00Z", "2026-11-02T05:00Z"},
    {"America/New_York", BudgetPeriod::month, "2026-11-01T06:30:00Z", "2026-11-01T04:00Z", "2026-12-01T05:00Z"},
    {"America/New_York", BudgetPeriod::hour, "2026-11-02T04:59:59Z", "2026-11-02T04:00Z", "2026-11-02T05:00Z"},
    {"America/New_York", BudgetPeriod::day, "2026-11-02T04:59:59Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"},
    {"America/New_York", BudgetPeriod::week, "2026-11-02T04:59:59Z", "2026-10-26T04:00Z", "2026-11-02T05:00Z"},
    {"America/New_York", BudgetPeriod::month, "2026-11-02T04:59:59Z", "2026-11-01T04:00Z", "2026-12-01T05:00Z"},
    {"America/Santiago", BudgetPeriod::hour, "2026-09-06T03:59:59Z", "2026-09-06T03:00Z", "2026-09-06T04:00Z"},
    {"America/Santiago", BudgetPeriod::day, "2026-09-06T03:59:59Z", "2026-09-05T04:00Z", "2026-09-06T04:00Z"},
    {"America/Santiago", BudgetPeriod::week, "2026-09-06T03:59:59Z", "2026-08-31T04:00Z", "2026-09-07T03:00Z"},
    {"America/Santiago", BudgetPeriod::month, "2026-09-06T03:59:59Z", "2026-09-01T04:00Z", "2026-10-01T03:00Z"},
    {"America/Santiago", BudgetPeriod::hour, "2026-09-06T04:00:00Z", "2026-09-06T04:00Z", "2026-09-06T05:00Z"},
    {"America/Santiago", BudgetPeriod::day, "2026-09-06T04:00:00Z", "2026-09-06T04:00Z", "2026-09-07T03:00Z"},
    {"America/Santiago", BudgetPeriod::week, "2026-09-06T04:00:00Z", "2026-08-31T04:00Z", "2026-09-07T03:00Z"},
    {"America/Santiago", BudgetPeriod::month, "2026-09-06T04:00:00Z", "2026-09-01T04:00Z", "2026-10-01T03:00Z"},
    {"America/Santiago", BudgetPeriod::hour, "2026-04-05T02:30:00Z", "2026-04-05T02:00Z", "2026-04-05T04:00Z"},
    {"America/Santiago", BudgetPeriod::day, "2026-04-05T02:30:00Z", "2026-04-04T03:00Z", "2026-04-05T04:00Z"},
    {"America/Santiago", BudgetPeriod::week, "2026-04-05T02:30:00Z", "2026-03-30T03:00Z", "2026-04-06T04:00Z"},
    {"America/Santiago", BudgetPeriod::month, "2026-04-05T02:30:00Z", "2026-04-01T03:00Z", "2026-05-01T04:00Z"},
    {"America/Santiago", BudgetPeriod::hour, "2026-04-05T03:30:00Z", "2026-04-05T02:00Z", "2026-04-05T04:00Z"},
    {"America/Santiago", BudgetPeriod::day, "2026-04-05T03:30:00Z", "2026-04-04T03:00Z", "2026-04-05T04:00Z"},
    {"America/Santiago", BudgetPeriod::week, "2026-04-05T03:30:00Z", "2026-03-30T03:00Z", "2026-04-06T04:00Z"},
    {"America/Santiago", BudgetPeriod::month, "2026-04-05T03:30:00Z", "2026-04-01T03:00Z", "2026-05-01T04:00Z"},
    {"Australia/Lord_Howe", BudgetPeriod::hour, "2026-04-04T14:45:00Z", "2026-04-04T14:00Z", "2026-04-04T15:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::day, "2026-04-04T14:45:00Z", "2026-04-04T13:00Z", "2026-04-05T13:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::week, "2026-04-04T14:45:00Z", "2026-03-29T13:00Z", "2026-04-05T13:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::month, "2026-04-04T14:45:00Z", "2026-03-31T13:00Z", "2026-04-30T13:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::hour, "2026-04-04T15:15:00Z", "2026-04-04T14:00Z", "2026-04-04T15:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::day, "2026-04-04T15:15:00Z", "2026-04-04T13:00Z", "2026-04-05T13:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::week, "2026-04-04T15:15:00Z", "2026-03-29T13:00Z", "2026-04-05T13:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::month, "2026-04-04T15:15:00Z", "2026-03-31T13:00Z", "2026-04-30T13:30Z"},
    {"Australia/Lord_Howe", BudgetPeriod::hour, "2026-10-03T15:45:00Z", "2026-10-03T15:30Z", "2026-10-03T16:00Z"},
    {"Australia/Lord_Howe", BudgetPeriod::day, "2026-10-03T15:45:00Z", "2026-10-03T13:30Z", "2026-10-04T13:00Z"},
    {"Australia/Lord_Howe", BudgetPeriod::week, "2026-10-03T15:45:00Z", "2026-09-27T13:30Z", "2026-10-04T13:00Z"},
    {"Australia/Lord_Howe", BudgetPeriod::month, "2026-10-03T15:45:00Z", "2026-09-30T13:30Z", "2026-10-31T13:00Z"},
    {"Asia/Kathmandu", BudgetPeriod::hour, "2026-05-31T18:14:59Z", "2026-05-31T17:15Z", "2026-05-31T18:15Z"},
    {"Asia/Kathmandu", BudgetPeriod::day, "2026-05-31T18:14:59Z", "2026-05-30T18:15Z", "2026-05-31T18:15Z"},
    {"Asia/Kathmandu", BudgetPeriod::week, "2026-05-31T18:14:59Z", "2026-05-24T18:15Z", "2026-05-31T18:15Z"},
    {"Asia/Kathmandu", BudgetPeriod::month, "2026-05-31T18:14:59Z", "2026-04-30T18:15Z", "2026-05-31T18:15Z"},
    {"Asia/Kathmandu", BudgetPeriod::hour, "2026-05-31T18:15:00Z", "2026-05-31T18:15Z", "2026-05-31T19:15Z"},
    {"Asia/Kathmandu", BudgetPeriod::day, "2026-05-31T18:15:00Z", "2026-05-31T18:15Z", "2026-06-01T18:15Z"},
    {"Asia/Kathmandu", BudgetPeriod::week, "2026-05-31T18:15:00Z", "2026-05-31T18:15Z", "2026-06-07T18:15Z"},
    {"Asia/Kathmandu", BudgetPeriod::month, "2026-05-31T18:15:00Z", "2026-05-31T18:15Z", "2026-06-30T18:15Z"},
};

TEST(BudgetPeriods, AreThoseOfZoneinfo) {
  for (const PeriodCase& one : period_cases) {
    Budget budget;
    budget.per = one.per;
    budget.zone = find_zone(one.zone);
    ASSERT_TRUE(budget.zone) << one.zone;
    const BudgetSpan span = period_of(budget, *parse_instant(one.at));
    const std::string where = std::string(one.zone) + ", per " + std::string(to_string(one.per)) + ", at " + one.at;
    EXPECT_EQ(span.from, *parse_instant(one.from)) << where;
    EXPECT_EQ(span.until, parse_instant(one.until)) << where;
  }
}

/// Whatever the zone, every instant is in one period, and periods follow each other without a gap.
TEST(BudgetPeriods, FollowEachOther) {
  for (const char* zone : {"Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Africa/Cairo"})
    for (const BudgetPeriod per : {BudgetPeriod::hour, BudgetPeriod::day, BudgetPeriod::week, BudgetPeriod::month}) {
      Budget budget;
      budget.per = per;
      budget.zone = find_zone(zone);
      const TimePoint end = *parse_instant("2027-01-20");
      BudgetSpan span = period_of(budget, *parse_instant("2025-12-30"));
      for (TimePoint at = span.from; at < end; at += std::chrono::minutes(15)) {
        const BudgetSpan here = period_of(budget, at);
        ASSERT_LE(here.from, at) << zone << " " << to_string(per);
        ASSERT_GT(*here.until, at) << zone << " " << to_string(per);
        if (here.from != span.from) {
          ASSERT_EQ(here.from, *span.until) << zone << " " << to_string(per) << " " << at.time_since_epoch().count();
        }
        span = here;
      }
    }
}

TEST(BudgetPeriods, WithoutAZoneTheyAreThoseOfUtc) {
  Budget budget;
  budget.per = BudgetPeriod::month;
  EXPECT_EQ(period_of(budget, *parse_instant("2028-02-29T23:59:59Z")).until, parse_instant("2028-03-01"));
  EXPECT_EQ(period_of(budget, *parse_instant("2026-12-31T23:59Z")).until, parse_instant("2027-01-01"));
  budget.per = BudgetPeriod::all;
  EXPECT_EQ(period_of(budget, *parse_instant("2026-12-31")).until, std::nullopt);
}

}  // namespace
}  // namespace fairlead::config
