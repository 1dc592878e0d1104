#include <fairlead/strategy.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <optional>
#include <string>

namespace fairlead {
namespace {

struct Row {
  const char* name;
  std::optional<Int128> usd_pico;
};

/// The names in the order of the strategy.
std::string ranked(std::string_view strategy, const std::vector<Row>& rows) {
  std::vector<Target> targets(rows.size());
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    targets[i].name = rows[i].name;
    Candidate candidate{&targets[i], std::nullopt};
    if (rows[i].usd_pico) candidate.expected.emplace().usd_pico = *rows[i].usd_pico;
    candidates.push_back(std::move(candidate));
  }
  find_strategy(strategy)->rank(candidates, RequestFacts{}, Conditions{});
  std::string names;
  for (const Candidate& candidate : candidates) names += candidate.target->name;
  return names;
}

constexpr std::nullopt_t unpriced = std::nullopt;

TEST(Strategy, TheFilesOfTheFolderAreTheRegistry) {
  EXPECT_THAT(strategy_names(), ::testing::IsSupersetOf({"cheapest", "ordered"}));
  for (const std::string_view name : strategy_names()) EXPECT_NE(find_strategy(name), nullptr) << name;
  for (const char* name : {"", "Cheapest", "cheapest ", "cheap"}) EXPECT_EQ(find_strategy(name), nullptr) << name;
}

TEST(Cheapest, TheTable) {
  EXPECT_EQ(ranked("cheapest", {}), "");
  EXPECT_EQ(ranked("cheapest", {{"a", unpriced}}), "a");
  EXPECT_EQ(ranked("cheapest", {{"a", 3}, {"b", 1}, {"c", 2}}), "bca");
  EXPECT_EQ(ranked("cheapest", {{"a", unpriced}, {"b", 1}, {"c", unpriced}, {"d", 0}}), "dbac")
      << "M06: unpriced last, 0 is a price";
  EXPECT_EQ(ranked("cheapest", {{"a", 1}, {"b", 1}, {"c", 0}, {"d", 1}}), "cabd") << "ties keep their order";
  EXPECT_EQ(ranked("cheapest", {{"a", Int128{1} << 100}, {"b", (Int128{1} << 100) - 1}}), "ba") << "compared exactly";
}

TEST(Ordered, KeepsTheOrder) { EXPECT_EQ(ranked("ordered", {{"a", 3}, {"b", unpriced}, {"c", 1}}), "abc"); }

}  // namespace
}  // namespace fairlead
