#include <fairlead/strategy.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

namespace fairlead {
namespace {

struct Row {
  const char* name;
  std::optional<Int128> usd_pico = {};
  std::optional<AnswerTimes> times = {};
  int weight = 1;
  bool unhealthy = false;
};

/// The names in the order of the strategy; one that is explored has a '*'.
std::string ranked(std::string_view strategy, const std::vector<Row>& rows, std::uint32_t seed = 1,
                   std::optional<Milliseconds> latency = {}) {
  std::vector<Target> targets(rows.size());
  std::vector<Candidate> candidates;
  Conditions conditions;
  conditions.seed = seed;
  Route route;
  route.latency_ms_max = latency;
  RequestFacts facts;
  facts.route = &route;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    targets[i].name = rows[i].name;
    targets[i].index = static_cast<int>(i);
    conditions.unhealthy.push_back(rows[i].unhealthy);
    Candidate candidate{&targets[i], std::nullopt, 1'000, 100};
    if (rows[i].usd_pico) candidate.expected.emplace().usd_pico = *rows[i].usd_pico;
    candidate.times = rows[i].times;
    candidate.terms.weight = rows[i].weight;
    candidates.push_back(std::move(candidate));
  }
  find_strategy(strategy)->rank(candidates, facts, conditions);
  std::string names;
  for (const Candidate& candidate : candidates) names += candidate.target->name + (candidate.explored ? "*" : "");
  return names;
}

constexpr std::nullopt_t unpriced = std::nullopt, unmeasured = std::nullopt;

/// A seed by which a request looks at what is not measured, and one by which it does not.
std::uint32_t seed_that(bool explores) {
  for (std::uint32_t seed = 0;; ++seed)
    if ((ranked("fastest", {{"a"}}, seed) == "a*") == explores) return seed;
}

TEST(Strategy, TheFilesOfTheFolderAreTheRegistry) {
  EXPECT_THAT(strategy_names(), ::testing::UnorderedElementsAre("balanced", "cheapest", "fastest", "ordered", "weighted"));
  for (const std::string_view name : strategy_names()) EXPECT_NE(find_strategy(name), nullptr) << name;
  for (const char* name : {"", "Cheapest", "cheapest ", "cheap"}) EXPECT_EQ(find_strategy(name), nullptr) << name;
}

TEST(Strategy, NothingToRankIsNoTrouble) {
  for (const std::string_view name : strategy_names()) EXPECT_EQ(ranked(name, {}), "") << name;
}

TEST(Cheapest, TheTable) {
  EXPECT_EQ(ranked("cheapest", {{"a", unpriced}}), "a");
  EXPECT_EQ(ranked("cheapest", {{"a", 3}, {"b", 1}, {"c", 2}}), "bca");
  EXPECT_EQ(ranked("cheapest", {{"a", unpriced}, {"b", 1}, {"c", unpriced}, {"d", 0}}), "dbac")
      << "M06: unpriced last, 0 is a price";
  EXPECT_EQ(ranked("cheapest", {{"a", 1}, {"b", 1}, {"c", 0}, {"d", 1}}), "cabd") << "ties keep their order";
  EXPECT_EQ(ranked("cheapest", {{"a", Int128{1} << 100}, {"b", (Int128{1} << 100) - 1}}), "ba") << "compared exactly";
}

TEST(Ordered, KeepsTheOrder) { EXPECT_EQ(ranked("ordered", {{"a", 3}, {"b", unpriced}, {"c", 1}}), "abc"); }

// Of 100 tokens of output: a first token, and 100 more.
constexpr AnswerTimes quick_start{200'000, 400'000, 20'000};   // 2.2 s
constexpr AnswerTimes steady{900'000, 1'000'000, 5'000};       // 1.4 s
constexpr AnswerTimes sluggish{3'000'000, 9'000'000, 50'000};  // 8 s

TEST(Fastest, TheTable) {
  const std::uint32_t seed = seed_that(false);
  EXPECT_EQ(ranked("fastest", {{"a", 1, sluggish}, {"b", 1, quick_start}, {"c", unpriced, steady}}, seed), "cba");
  EXPECT_EQ(ranked("fastest", {{"a", 1, steady}, {"b", 0, steady}}, seed), "ab") << "ties keep their order";
  EXPECT_EQ(ranked("fastest", {{"a", 1, unmeasured}, {"b", 1, sluggish}, {"c", 1, unmeasured}}, seed), "bac")
      << "nobody knows how fast the unmeasured are";
  EXPECT_EQ(ranked("fastest", {{"a"}, {"b"}}, seed), "ab");
}

TEST(Fastest, SomeRequestsLookAtWhatIsNotMeasured) {
  const std::uint32_t seed = seed_that(true);
  EXPECT_EQ(ranked("fastest", {{"a", 1, sluggish}, {"b", 1, unmeasured}, {"c", 1, unmeasured}}, seed), "b*ac");
  EXPECT_EQ(ranked("fastest", {{"a", 1, sluggish}, {"b", 1, unmeasured, 1, true}, {"c", 1, unmeasured}}, seed), "c*ab")
      << "but not at what is ill";
  EXPECT_EQ(ranked("fastest", {{"a", 1, sluggish}, {"b", 1, steady}}, seed), "ba") << "everything is measured";
  int explored = 0;
  for (std::uint32_t each = 0; each < 16'000; ++each)
    explored += ranked("fastest", {{"a", 1, steady}, {"b"}}, each * 2'654'435'761) == "b*a" ? 1 : 0;
  EXPECT_NEAR(explored, 1'000, 100) << "one in sixteen";
}

TEST(Balanced, TheTable) {
  const std::uint32_t seed = seed_that(false);
  const auto within = [&](int ms, const std::vector<Row>& rows) { return ranked("balanced", rows, seed, Milliseconds(ms)); };
  const std::vector<Row> rows{{"a", 1, sluggish}, {"b", 3, quick_start}, {"c", 2, steady}, {"d", unpriced, quick_start}};
  EXPECT_EQ(within(10'000, rows), "acbd") << "all are within: the cheapest first, unpriced last";
  EXPECT_EQ(within(1'000, rows), "cbda") << "one is too slow, nine times in ten it must be met";
  EXPECT_EQ(within(999, rows), "bdca");
  EXPECT_EQ(within(1, rows), "bdca") << "all are too slow: the fastest first, then by cost";
  EXPECT_EQ(within(1'000, {{"a", 1, unmeasured}, {"b", 0, sluggish}, {"c", 9, steady}, {"d", 0, unmeasured}}), "cdab")
      << "the unmeasured stand between, by cost";
}

TEST(Balanced, LooksAtWhatIsNotMeasuredWhereItWouldBeTheCheapest) {
  const std::uint32_t seed = seed_that(true);
  const auto rank = [&](const std::vector<Row>& rows) { return ranked("balanced", rows, seed, Milliseconds(1'000)); };
  EXPECT_EQ(rank({{"a", 5, steady}, {"b", 9, unmeasured}, {"c", 2, unmeasured}}), "c*ab");
  EXPECT_EQ(rank({{"a", 5, steady}, {"b", 9, unmeasured}, {"c", 5, unmeasured}}), "acb") << "it could win nothing";
}

TEST(Weighted, WithoutWeightComesBehindAndOneWeightDecides) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(ranked("weighted", {{.name = "a", .weight = 0}, {.name = "b", .weight = 0}, {.name = "c", .weight = 7}}, seed),
              "cab");
    EXPECT_EQ(ranked("weighted", {{.name = "a", .weight = 0}, {.name = "b", .weight = 0}}, seed), "ab");
  }
}

TEST(Weighted, DrawsInProportionAndEachPlaceFromTheRest) {
  constexpr std::uint32_t draws = 20'000;
  std::map<std::string, int> seen;
  for (std::uint32_t i = 0; i < draws; ++i)
    ++seen[ranked("weighted", {{.name = "a", .weight = 1}, {.name = "b", .weight = 3}, {.name = "c", .weight = 6}}, i)];
  const std::map<std::string, double> shares{{"abc", 0.1 * 3 / 9}, {"acb", 0.1 * 6 / 9}, {"bac", 0.3 * 1 / 7},
                                             {"bca", 0.3 * 6 / 7}, {"cab", 0.6 * 1 / 4}, {"cba", 0.6 * 3 / 4}};
  for (const auto& [order, share] : shares)
    EXPECT_NEAR(seen[order] / static_cast<double>(draws), share, 4 * std::sqrt(share * (1 - share) / draws)) << order;
}

TEST(Weighted, TheSameSeedDrawsTheSame) {
  const std::vector<Row> rows{{.name = "a", .weight = 5}, {.name = "b", .weight = 5}, {.name = "c", .weight = 5}};
  EXPECT_EQ(ranked("weighted", rows, 42), ranked("weighted", rows, 42));
}

TEST(Strategy, OnlyWhatIsLookedAtIsAskedFor) {
  for (const std::string_view name : strategy_names()) {
    const Strategy::Needs needs = find_strategy(name)->needs();
    EXPECT_EQ(needs.times, name == "fastest" || name == "balanced") << name;
    EXPECT_EQ(needs.seed, needs.times || name == "weighted") << name;
  }
}

}  // namespace
}  // namespace fairlead
