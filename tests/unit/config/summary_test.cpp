// What `fairlead check` prints of a good file: units clear (M08), no secrets.
#include "config/config.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

TimePoint in_2026() { return std::chrono::sys_days(std::chrono::year(2026) / 6 / 1); }

TEST(Summary, tells_facts_prices_rules_and_keys) {
  World world;
  world.files["f.yaml"] =
      small_config + "policies:\n  - {name: home, when: {team: payments}, allow: {hosting: self}, deny: {retention: trains}}\n";
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("targets: [here/m]"), 17, "targets: [here/m, here/unknown], max_price: {input: 9}, fallback: false");
  const auto loaded = world.load();
  ASSERT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
  EXPECT_EQ(summary(*loaded.snapshot, *loaded.snapshot, in_2026()), R"(providers
  name  operator  region  hosting  retention  at
  here  ZA        ZA      self     none       http://127.0.0.1:9001/v1

route chat (cheapest, no fallback)
  target        input     cached  output  per million tokens  1,000 in + 1,000 out
  here/m        0.5       0.5     2       USD                 0.0025 USD
  here/unknown  unpriced
  no dearer than 9 input, - output, USD per million tokens

policies
  home  when team payments: allow hosting self, deny retention trains

keys
  app  team payments  sha256:00112233...  routes chat

budgets: none

limits: none
)");
}

std::string told(const World& world) {
  Sources sources = world.sources();
  sources.secrets_assumed = true;
  return summary(*world.load().snapshot, *load("f.yaml", sources).snapshot, in_2026());
}

TEST(Summary, tells_of_keys_whose_hash_is_missing) {
  World world;
  world.files["f.yaml"] = small_config + "  - {name: late, hash: \"${env:LATE_HASH}\", team: risk, routes: [chat]}\n";
  EXPECT_THAT(told(world), testing::HasSubstr("\nkeys\n"
                                              "  app   team payments  sha256:00112233...  routes chat\n"
                                              "  late  team risk      disabled: no hash   routes chat\n"));
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("sha256:0011"), 71, "${env:APP_HASH}");
  EXPECT_THAT(told(world), testing::HasSubstr("  app   team payments  disabled: no hash"));
}

TEST(Summary, tells_what_a_route_asks_for) {
  World world;
  world.files["f.yaml"] = small_config;
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("targets: [here/m]"), 17,
               "targets: [{target: here/m, quality: 80}], strategy: balanced, latency_ms_max: 2s, quality_min: 70");
  EXPECT_THAT(told(world), testing::HasSubstr("route chat (balanced within 2000 ms, quality from 70)\n"));
}

TEST(Summary, tells_what_may_be_charged_and_asked_for) {
  World world;
  world.files["f.yaml"] = small_config;
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("targets: [here/m]"), 17, "targets: [here/m], limits: {tokens_per_day: 500}, budget: {usd: 7, per: all}");
  text.replace(text.find("operator: ZA"), 12,
               "operator: ZA\n    budget: {usd: 1000.50, per: month, time_zone: Africa/Johannesburg}");
  text +=
      "  - {name: late, hash: \"${env:LATE_HASH}\", routes: [chat], credit: true, budget: [{usd: 20, per: day}, {usd: 1, per: "
      "hour}]}\n"
      "teams:\n  payments: {limits: {requests_per_minute: 60, parallel: 4}}\n"
      "budget: {usd: 9000, per: week, time_zone: Asia/Shanghai}\n";
  EXPECT_THAT(told(world), testing::HasSubstr("\nbudgets\n"
                                              "  installation   9000 USD per week     Asia/Shanghai\n"
                                              "  key late       20 USD per day        UTC\n"
                                              "  key late       1 USD per hour        UTC\n"
                                              "  key late       credit\n"
                                              "  route chat     7 USD in all\n"
                                              "  provider here  1000.5 USD per month  Africa/Johannesburg\n"
                                              "\nlimits\n"
                                              "  team payments  requests_per_minute 60, parallel 4\n"
                                              "  route chat     tokens_per_day 500\n"));
}

TEST(Summary, holds_no_secret_and_no_whole_hash) {
  World world;
  world.environment = {{"K", "canary-key"}, {"P", "canary-password"}};
  world.files["f.yaml"] = small_config;
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("operator: ZA"), 12, "operator: ZA\n    api_key: ${env:K}\n    proxy: http://me:${env:P}@10.0.0.1:3128");
  const auto loaded = world.load();
  ASSERT_NE(loaded.snapshot, nullptr);
  const std::string told = summary(*loaded.snapshot, *loaded.snapshot, in_2026());
  EXPECT_THAT(told, testing::Not(testing::HasSubstr("canary")));
  EXPECT_THAT(told, testing::Not(testing::HasSubstr("00112233445566778899")));
}

TEST(Summary, says_why_a_provider_is_disabled) {
  World world;
  world.files["f.yaml"] = small_config;
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("operator: ZA"), 12, "operator: ZA\n    api_key: ${env:K}");
  EXPECT_THAT(told(world), testing::HasSubstr("disabled: the environment variable K is not set"));
}

}  // namespace
}  // namespace fairlead::config
