// What keys and routes may ask for, and how repeated requests are known: as it is read.
#include "world.h"

#include <gmock/gmock.h>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string with_limits(const std::string& of_key, const std::string& of_route) {
  std::string text = small_config;
  const auto put = [&text](const std::string& before, const std::string& what) {
    text.insert(text.find(before) + before.size(), what);
  };
  put("targets: [here/m]", of_route);
  put("routes: [chat]", of_key);
  return text;
}

Loaded load(const std::string& text) {
  World world;
  world.files["f.yaml"] = text;
  return world.load();
}

TEST(RateLimitOptions, none_are_set_unless_they_are_written) {
  const auto loaded = load(small_config);
  ASSERT_TRUE(loaded.snapshot);
  EXPECT_FALSE(loaded.snapshot->keys[0].limits || loaded.snapshot->routes[0]->limits);
  EXPECT_EQ(loaded.snapshot->idempotency.window, std::chrono::hours(24));
  EXPECT_EQ(loaded.snapshot->idempotency.memory_bytes_max, 64U << 20);
  EXPECT_EQ(loaded.snapshot->idempotency.answer_bytes_max, 4U << 20);
}

TEST(RateLimitOptions, of_a_key_and_of_a_route) {
  const auto loaded =
      load(with_limits("\n    limits: {requests_per_minute: 600, requests_per_day: 5000, tokens_per_minute: 2000000, parallel: 8}",
                       ", limits: {tokens_per_day: 1000000000}") +
           "idempotency: {window: 0s, memory_bytes_max: 1MiB, answer_bytes_max: 64KiB}\n");
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  EXPECT_THAT(loaded.snapshot->keys[0].limits->most, ElementsAre(600, 5'000, 2'000'000, 0, 8));
  EXPECT_THAT(loaded.snapshot->routes[0]->limits->most, ElementsAre(0, 0, 0, 1'000'000'000, 0));
  EXPECT_EQ(loaded.snapshot->idempotency.window, Milliseconds(0));
  EXPECT_EQ(loaded.snapshot->idempotency.memory_bytes_max, 1U << 20);
  EXPECT_EQ(loaded.snapshot->idempotency.answer_bytes_max, 64U << 10);
}

TEST(RateLimitOptions, of_a_team) {
  const auto loaded = load(small_config + "teams: {payments: {limits: {requests_per_day: 7}}}\n");
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  EXPECT_THAT(loaded.snapshot->team("payments")->limits->most, ElementsAre(0, 7, 0, 0, 0));
  EXPECT_TRUE(loaded.snapshot->teams_limited);
  EXPECT_FALSE(load(small_config + "teams: {payments: {markup: \"0.1\"}}\n").snapshot->teams_limited);
}

TEST(RateLimitOptions, mistakes_are_told_with_their_place) {
  EXPECT_THAT(errors(load(with_limits("\n    limits: {requests_per_minute: 0}", ""))),
              ElementsAre("f.yaml:20:35: keys[0].limits.requests_per_minute: '0' is out of limits; it may be 1 to 1000000000000"));
  EXPECT_THAT(errors(load(with_limits("", ", limits: {token_per_minute: 5}"))),
              ElementsAre(HasSubstr("did you mean 'tokens_per_minute'?")));
  EXPECT_THAT(errors(load(with_limits("", ", limits: {}"))), ElementsAre(HasSubstr("routes.chat.limits")));
  EXPECT_THAT(errors(load(with_limits("", ", limits: {parallel: 1.5}"))), ElementsAre(HasSubstr("a whole number")));
  EXPECT_THAT(errors(load(small_config + "idempotency: {memory_bytes_max: 1MiB, answer_bytes_max: 1MiB}\n")),
              ElementsAre(HasSubstr("no answer of this size would find room; write at most three quarters of memory_bytes_max")));
}

}  // namespace
}  // namespace fairlead::config
