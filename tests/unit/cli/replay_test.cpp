// `fairlead replay` as an operator runs it, on a small ledger under its own configuration.
#include <fairlead/bookkeeper.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <fstream>

#include "cli/commands.h"
#include "unit/cli/said.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::Said;
using testing::HasSubstr;
using ReplayTestJson = nlohmann::json;

class ReplayTest : public testing::Test {
 protected:
  ReplayTest() {
    std::ofstream(folder_.file("fairlead.yaml")) << "ledger: " + url() + R"(
providers:
  deepseek: {base_url: "http://127.0.0.1:1"}
routes:
  chat: {targets: [deepseek/deepseek-chat]}
keys:
  - {name: checkout, team: payments, project: till, routes: [chat], hash: "sha256:)" +
                                                        std::string(64, 'a') + "\"}\n";
    store_ = open_store(url(), StoreMode::write).value();
  }
  static RequestOpen opened(const std::string& id, TimePoint at = test::noon) {
    RequestOpen open = test::request_open(id, at);
    open.content = open.facts = "";
    return open;
  }
  void save(const RequestRecord& record) {
    if (const auto done = test::save(*store_, {record}); !done) throw std::runtime_error(done.error().detail());
  }
  void save_served(const std::string& id, TimePoint at) {
    save(test::record_of(opened(id, at),
                         {test::settled_attempt(test::attempt_open(id, 1, "deepseek", at), test::attempt_settle(id))},
                         test::request_settle(id)));
  }
  /// Without any attempt, before there was a plan.
  void save_unsent(const std::string& id, const std::string& error, const std::string& facts, const std::string& model = "chat") {
    RequestOpen open = opened(id);
    open.requested_model = model;
    open.facts = facts;
    open.plan = open.expected = "";
    RequestSettle settle = test::request_settle(id, 0);
    settle.error = error;
    settle.usd_pico = settle.charge_usd_pico = 0;
    save(test::record_of(open, {}, settle));
  }
  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  Said tell(const std::string& command) const {
    return test::say({add_replay, add_explain}, command + " --config " + folder_.file("fairlead.yaml"));
  }
  /// Takes away the rows before this time, as retention does.
  void let_go(TimePoint until) const {
    const auto books = open_bookkeeper(url());
    for (;;) {
      while (*(*books)->remove(100) > 0) {
      }
      const auto rows = (*books)->old_rows(until);
      if (!*rows) return;
      ASSERT_TRUE((*books)->let_go(**rows, "", test::noon));
    }
  }

  test::Folder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(ReplayTest, RepeatsAreSentUnderNoConfiguration) {
  const std::string marks = R"({"idempotency":")" + std::string(64, '5') + R"("})";
  save_served("r1", test::noon);
  save_unsent("r2", "", marks);
  for (const char* error : {"idempotency_in_progress", "idempotency_mismatch", "idempotency_gone"}) save_unsent(error, error, "");
  save_unsent("r3", "app_gone", marks);
  const Said told = tell("replay --format json");
  ASSERT_EQ(told.exit_code, 0) << told.err;
  const ReplayTestJson report = ReplayTestJson::parse(told.out);
  EXPECT_EQ(report["repeats"], 5);
  EXPECT_EQ(report["total"]["requests"], 1);
  EXPECT_EQ(report["outcomes"]["stays"], 1) << report.dump();
  EXPECT_EQ(report["outcomes"]["admitted"], 0);
  EXPECT_THAT(tell("replay").out, HasSubstr("5 repeats with an Idempotency-Key: not sent, then or now. In no sum.\n"));
}

TEST_F(ReplayTest, WhatWasMalformedIsRefusedAgain) {
  save_unsent("no JSON", "bad_request", "", "");
  save_unsent("it broke while it was read", "internal", "", "");
  save_unsent("a wish in the head that is none", "bad_request", "");
  save_unsent("an Idempotency-Key of 300 characters", "bad_request", R"({"tags":["web"]})");
  const Said told = tell("replay --format json");
  ASSERT_EQ(told.exit_code, 0) << told.err;
  const ReplayTestJson report = ReplayTestJson::parse(told.out);
  EXPECT_EQ(report["outcomes"]["kept out"], 4) << report.dump();
  EXPECT_EQ(report["total"]["tokenless_requests"], 0);
  EXPECT_EQ(report["groups"][0]["why"], "bad_request");
}

TEST_F(ReplayTest, WhatTheConfigurationDidNotHaveIsAdmitted) {
  save_unsent("a model of the other configuration", "unknown_model", "");
  save_unsent("a wish for its provider", "bad_request", R"({"wishes":{"only":["deepseek"]}})");
  save_unsent("a wish for nobody's", "bad_request", R"({"wishes":{"only":["nobody"]}})");
  const ReplayTestJson report = ReplayTestJson::parse(tell("replay --format json").out);
  EXPECT_EQ(report["outcomes"]["admitted"], 2) << report.dump();
  EXPECT_EQ(report["outcomes"]["cannot be asked"], 1) << report.dump();
}

TEST_F(ReplayTest, RowsThatAreGoneAreNotTakenForNone) {
  using std::chrono::days;
  for (int day = 0; day < 3; ++day) save_served("r" + std::to_string(day), test::noon + days(day));
  EXPECT_EQ(tell("replay").exit_code, 0);
  EXPECT_EQ(tell("explain nosuch").err, "fairlead: no request 'nosuch' in the ledger\n");
  let_go(std::chrono::floor<days>(test::noon) + days(2));
  const char* gone = "fairlead: rows before 2026-11-03 are no longer in the ledger: ask for a period from then on\n";
  for (const char* period : {"", " --since 2026-11-02T23:59:59", " --until 2026-11-02", " --since 2026-11-01 --until 2026-11-04"}) {
    const Said told = tell("replay" + std::string(period));
    EXPECT_EQ(told.exit_code, 2) << period;
    EXPECT_EQ(told.err, gone) << period;
    EXPECT_EQ(told.out, "") << period;
  }
  const Said kept = tell("replay --since 2026-11-03");
  EXPECT_EQ(kept.exit_code, 0) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("1 request cost"));
  EXPECT_THAT(tell("explain r0").err, HasSubstr("no request 'r0' in the ledger; old ones were archived"));
  EXPECT_EQ(tell("explain r2").exit_code, 0);
}

TEST_F(ReplayTest, WhatWouldHaveNoPriceOrNeverHadTokensIsInNoSum) {
  save_served("r1", test::noon);
  AttemptSettle unanswered = test::attempt_settle("r2");
  unanswered.usage_source = UsageSource::none;
  save(test::record_of(opened("r2"), {test::settled_attempt(test::attempt_open("r2", 1, "deepseek"), unanswered)},
                       test::request_settle("r2")));
  std::ofstream(folder_.file("fairlead.yaml"), std::ios::app)
      << "contracts:\n  deepseek/deepseek-chat: {prices: [{from: 2026-01-01, input: '1', output: '1'}]}\n";
  const auto total = [&] { return ReplayTestJson::parse(tell("replay --format json").out)["total"]; };
  const auto before = total();
  EXPECT_EQ(before["tokenless_requests"], 1);
  EXPECT_EQ(before["cost_usd"], "0.000028672") << "that of the other";
  std::ifstream file(folder_.file("fairlead.yaml"));
  std::string config{std::istreambuf_iterator<char>(file), {}};
  const std::string targets = "{targets: [deepseek/deepseek-chat]}";
  config.replace(config.find(targets), targets.size(),
                 "{strategy: ordered, unpriced: allow, targets: [deepseek/nobody-prices-it, deepseek/deepseek-chat]}");
  std::ofstream(folder_.file("fairlead.yaml")) << config;
  const auto after = total();
  EXPECT_EQ(after["unpriced_requests"], 1) << after.dump();
  EXPECT_EQ(after["cost_usd"], "0") << "nothing is saved by a price that nobody knows";
  EXPECT_EQ(after["difference_usd"], "0");
}

TEST_F(ReplayTest, TheTierThatServedIsPaidAgainAtTheSameTarget) {
  std::ofstream(folder_.file("fairlead.yaml"), std::ios::app)
      << "contracts:\n  deepseek/deepseek-chat: {prices: [{from: 2026-01-01, input: '1', output: '1', service_tiers: {priority: "
         "'2'}}]}\n";
  const auto save_in_tier = [&](const std::string& id, const std::string& tier) {
    AttemptSettle settle = test::attempt_settle(id);
    settle.price = R"({"currency":"USD",)" + tier + R"("input":"1","output":"1"})";
    save(test::record_of(opened(id), {test::settled_attempt(test::attempt_open(id, 1, "deepseek"), settle)},
                         test::request_settle(id)));
  };
  const auto would_cost = [&] { return ReplayTestJson::parse(tell("replay --format json").out)["total"]["would_cost_usd"]; };
  save_in_tier("r1", "");
  EXPECT_EQ(would_cost(), "0.00014");
  save_in_tier("r2", R"("service_tier":"priority","service_factor":"2",)");  // nobody asked for it: the account is set so
  EXPECT_EQ(would_cost(), "0.00042");
}

TEST_F(ReplayTest, APeriodWithoutTimeIsRefused) {
  const Said told = tell("replay --since 2026-11-02 --until 2026-11-02");
  EXPECT_EQ(told.exit_code, 2);
  EXPECT_THAT(told.err, HasSubstr("--until 2026-11-02 is not after --since 2026-11-02"));
}

}  // namespace
}  // namespace fairlead::cli
