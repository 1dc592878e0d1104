// Whatever comes in whatever order, a group's figures are the sum of its own.
#include "store/sqlite/tally.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>

namespace fairlead::sqlite {
namespace {

using std::chrono::hours;

/// requests, attempts, input, output, cost by currency, estimated attempts, unpriced attempts, USD
using Sum = std::tuple<std::int64_t, std::int64_t, std::optional<std::int64_t>, std::optional<std::int64_t>,
                       std::map<std::string, Int128>, std::int64_t, std::int64_t, Int128>;

Sum sum_of(const ReportRow& row) {
  std::map<std::string, Int128> cost;
  for (const Money& money : row.cost) cost[std::string(money.currency.view())] = money.pico;
  return {row.requests, row.attempts,           row.usage.input,       row.usage.output,
          cost,         row.estimated_attempts, row.unpriced_attempts, row.usd_pico};
}

void add_to(std::optional<std::int64_t>& sum, const std::optional<std::int64_t>& more) {
  if (more) sum = sum.value_or(0) + *more;
}

TEST(Tally, AddsUpTheSameInWhateverOrderItComes) {
  std::mt19937 chance(20261127);
  const auto one_of = [&](int count) { return static_cast<int>(chance() % static_cast<unsigned>(count)); };
  const TimePoint begin = TimePoint(std::chrono::microseconds(1'767'225'600'000'000));  // 2026-01-01
  const PriceCut by_length{false, true, {10, 100'000}};
  for (const ReportQuery& query : {ReportQuery{{}, {}, {}},
                                   {{"key"}, {}, {}},
                                   {{"hour"}, {}, {}},
                                   {{"key", "hour"}, {}, {}},
                                   {{"day", "currency", "hour"}, {}, {}},
                                   {{"team", "day"}, {}, {}, false, by_length}}) {
    ReportTimes times(query);
    Tally tally(query, times);
    for (int round = 0; round < 2; ++round) {
      std::map<std::vector<std::string>, Sum> expected;
      TimePoint at = begin;
      for (int i = 0; i < 3'000; ++i) {
        if (one_of(20) == 0) at = begin + hours(one_of(72));
        Names names;
        names[4] = "key-" + std::to_string(one_of(12));
        names[5] = one_of(2) == 0 ? "team, a" : "";
        names[usage_source_name] =
            std::vector<std::string>{"reported", "estimated", "invalid", ""}[static_cast<std::size_t>(one_of(4))];
        if (one_of(3) > 0) names[currency_name] = one_of(2) == 0 ? "USD" : "CNY";
        Figures figures;
        figures.requests = one_of(2);
        figures.attempts = one_of(3);
        if (one_of(2) == 0) figures.usage.input = one_of(200'000);
        if (one_of(2) == 0) figures.usage.output = one_of(9);
        figures.cost_pico = figures.usd_pico = one_of(1'000'000);
        tally.add(at, tally.place(names), figures);

        std::vector<std::string> group = group_of(query, names, times.texts(times.number(at)));
        if (query.cut) {
          const std::int64_t input = figures.usage.input.value_or(0);
          group.end()[-2] = input > 100'000 ? "100000" : input > 10 ? "10" : "0";
          group.end()[-1] = "0";
        }
        auto& [requests, attempts, input, output, cost, estimated, unpriced, usd] = expected[group];
        requests += figures.requests;
        attempts += figures.attempts;
        add_to(input, figures.usage.input);
        add_to(output, figures.usage.output);
        if (!names[currency_name].empty()) cost[names[currency_name]] += figures.cost_pico;
        if (names[usage_source_name] == "estimated" || names[usage_source_name] == "invalid") estimated += figures.attempts;
        if (names[currency_name].empty() && !names[usage_source_name].empty()) unpriced += figures.attempts;
        usd += figures.usd_pico;
      }
      const auto rows = tally.take_rows();
      ASSERT_TRUE(rows);
      ASSERT_EQ(rows->size(), expected.size());
      auto row = rows->begin();
      for (const auto& [group, sum] : expected) {
        EXPECT_EQ(row->group, group) << "they come in the order of their values";
        EXPECT_TRUE(sum_of(*row) == sum) << testing::PrintToString(group);
        ++row;
      }
    }
  }
}

}  // namespace
}  // namespace fairlead::sqlite
