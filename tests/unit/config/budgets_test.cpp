// Budgets, teams and credit: what the file says is in the snapshot, at each of the places where it may stand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/world.h"

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Loaded with_budgets(const std::string& yaml) {
  World budget_world;
  budget_world.files["f.yaml"] = small_config + yaml;
  return budget_world.load();
}

std::vector<std::string> ids(const std::vector<Budget>& budgets) {
  std::vector<std::string> found;
  for (const Budget& budget : budgets) found.push_back(budget.id);
  return found;
}

TEST(BudgetOptions, StandAtSixPlaces) {
  World budget_world;
  std::string yaml = small_config;
  yaml.replace(yaml.find("    retention: none\n"), 0, "    budget: {usd: 1, per: day}\n");
  yaml.replace(yaml.find("{targets: [here/m]}"), 19, "{targets: [here/m], unpriced: allow, budget: {usd: 2, per: hour}}");
  yaml +=
      "    credit: true\n    budget: [{usd: 3, per: week}, {usd: 4, per: all}]\n"
      "budget: {usd: \"5000.5\", per: month, time_zone: Europe/Berlin, notify_at: [0.95, 0.8]}\n"
      "teams: {payments: {markup: \"0.15\", budget: {usd: 5, per: day}, credit: true}}\n"
      "projects: {till: {budget: {usd: 6, per: day}}}\n"
      "notify: {webhook: \"https://hooks.example.com/x\"}\n";
  budget_world.files["f.yaml"] = yaml;
  const Loaded loaded = budget_world.load();
  ASSERT_THAT(errors(loaded), IsEmpty());
  const Snapshot& snapshot = *loaded.snapshot;
  EXPECT_TRUE(snapshot.budgeted);
  EXPECT_THAT(ids(snapshot.budgets), ElementsAre("installation per month, Europe/Berlin"));
  EXPECT_THAT(ids(snapshot.keys[0].budgets), ElementsAre("key app per week", "key app in all", "key app credit"));
  EXPECT_THAT(ids(snapshot.team("payments")->budgets), ElementsAre("team payments per day", "team payments credit"));
  EXPECT_THAT(ids(snapshot.project("till")->budgets), ElementsAre("project till per day"));
  EXPECT_THAT(ids(snapshot.routes[0]->budgets), ElementsAre("route chat per hour"));
  EXPECT_THAT(ids(snapshot.providers[0]->budgets), ElementsAre("provider here per day"));
  EXPECT_TRUE(snapshot.routes[0]->unpriced_allowed);
  EXPECT_EQ(snapshot.team("payments")->markup, pico_per_unit * 15 / 100);
  EXPECT_EQ(snapshot.budgets[0].usd_pico, Int128{5'000'500'000} * 1'000'000);
  EXPECT_EQ(snapshot.budgets[0].notify_at, (std::vector<Int128>{800'000'000'000, 950'000'000'000}));
  EXPECT_EQ(snapshot.notify_webhook->host, "hooks.example.com");
  EXPECT_EQ(snapshot.team("others"), nullptr);
}

TEST(BudgetOptions, WhatCannotBeIsToldWithItsPlace) {
  const struct {
    const char *yaml, *told;
  } cases[] = {
      {"budget: {usd: 1}\n", "budget[0]: the option 'per' is missing"},
      {"budget: {per: day}\n", "budget[0]: the option 'usd' is missing"},
      {"budget: {usd: 1, per: year}\n", "budget[0].per: expected hour, day, week, month or all, found 'year'"},
      {"budget: {usd: 1, per: day, time_zone: Mars/Base}\n", "budget[0].time_zone: there is no time zone 'Mars/Base'"},
      {"budget: {usd: 1, per: day, notify_at: [80]}\n", "notify_at[0]: a share of the budget is above 0, and 1 at most"},
      {"budget: {usd: 90000000, per: day}\n", "budget[0].usd: this is more than a budget can be"},
      {"budget: [{usd: 1, per: day}, {usd: 2, per: day}]\n", "budget[1]: there are two budgets here per day"},
      {"teams: {payments: {markup: 15}}\n", "teams.payments.markup: a markup of more than 10 times the cost"},
      {"teams: {payments: {mark: 1}}\n", "teams.payments.mark: there is no option 'mark'"},
  };
  for (const auto& one : cases) {
    const Loaded loaded = with_budgets(one.yaml);
    EXPECT_EQ(loaded.snapshot, nullptr) << one.yaml;
    EXPECT_THAT(errors(loaded), ElementsAre(HasSubstr(one.told))) << one.yaml;
  }
}

TEST(BudgetOptions, AWebhookWhoseReferenceIsNotThereIsWarnedOf) {
  const Loaded loaded = with_budgets("notify: {webhook: \"${env:HOOK}\"}\n");
  EXPECT_THAT(warnings(loaded), ElementsAre(HasSubstr("notify.webhook: the environment variable HOOK is not set; notices go to "
                                                      "the log and the metrics alone until then")));
  ASSERT_THAT(errors(loaded), IsEmpty());
  EXPECT_FALSE(loaded.snapshot->notify_webhook);
}

TEST(BudgetOptions, ATeamOrProjectOfNoKeyIsWarnedOf) {
  EXPECT_THAT(
      warnings(with_budgets("teams: {Payments: {markup: 1}}\n")),
      ElementsAre("f.yaml:20:9: warning: teams.Payments: no key has the team 'Payments', so nothing is counted here; did you "
                  "mean 'payments'? here case counts"));
  EXPECT_THAT(warnings(with_budgets("teams: {paymants: {markup: 1}}\n")),
              ElementsAre(HasSubstr("no key has the team 'paymants', so nothing is counted here; did you mean 'payments'?")));
  EXPECT_THAT(warnings(with_budgets("projects: {till: {budget: {usd: 6, per: day}}}\n")),
              ElementsAre(HasSubstr("projects.till: no key has the project 'till', so nothing is counted here")));
  EXPECT_THAT(warnings(with_budgets("teams: {payments: {markup: 1}}\n")), IsEmpty());
}

TEST(BudgetOptions, AKeyMayNameATeamOfWhichNothingIsStated) {
  const Loaded loaded = with_budgets("teams: {others: {markup: 1}}\n");
  ASSERT_TRUE(loaded.snapshot);
  EXPECT_EQ(loaded.snapshot->team("payments"), nullptr);
  EXPECT_FALSE(loaded.snapshot->budgeted);
}

}  // namespace
}  // namespace fairlead::config
