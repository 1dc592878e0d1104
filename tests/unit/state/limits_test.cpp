#include "state/limits.h"

#include <gmock/gmock.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "unit/state/noon.h"

namespace fairlead::state {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

RateLimits of(Limit limit, std::int64_t most) {
  RateLimits limits;
  limits.most.at(static_cast<std::size_t>(limit)) = most;
  return limits;
}

/// One key, asked again and again.
struct Asked {
  Limits limits;
  RateLimits of_key;
  Limits::Answer ask(TokenEstimate tokens, SteadyTime now) {
    const Limited key{LimitedBy::key, "k", &of_key};
    return limits.admit({&key, 1}, tokens, now);
  }
  /// Asked, done and settled at once; was it admitted?
  bool use(std::int64_t tokens, SteadyTime now) {
    auto answer = ask({0, tokens}, now);
    if (answer.admitted) answer.admitted->settle(tokens);
    return answer.admitted != nullptr;
  }
  std::int64_t used(Limit limit, SteadyTime now) { return limits.everything(now).at(0).used.at(static_cast<std::size_t>(limit)); }
};

TEST(RateLimits, requests_of_any_minute_and_the_second_at_which_the_next_fits) {
  Asked asked{{}, of(Limit::requests_per_minute, 3)};
  EXPECT_TRUE(asked.use(1, steady_noon));
  EXPECT_TRUE(asked.use(1, steady_noon + seconds(10)));
  EXPECT_TRUE(asked.use(1, steady_noon + seconds(59)));
  const auto refused = asked.ask({1, 1}, steady_noon + seconds(59));
  ASSERT_EQ(refused.admitted, nullptr);
  EXPECT_EQ(refused.refusal.limit, Limit::requests_per_minute);
  EXPECT_EQ(refused.refusal.most, 3);
  EXPECT_EQ(*refused.refusal.retry_after, seconds(1));
  EXPECT_FALSE(asked.use(1, steady_noon + seconds(60) - milliseconds(1)));
  EXPECT_TRUE(asked.use(1, steady_noon + seconds(60)));
  EXPECT_FALSE(asked.use(1, steady_noon + seconds(69)));
  EXPECT_TRUE(asked.use(1, steady_noon + seconds(70)));
}

// M23: a limit of 1,000 tokens a minute, streams of 400: the third is refused, and admitted within 60 s.
TEST(RateLimits, the_third_stream_of_400_tokens_waits_until_the_first_leaves_the_minute) {
  Asked asked{{}, of(Limit::tokens_per_minute, 1'000)};
  EXPECT_TRUE(asked.use(400, steady_noon));
  EXPECT_TRUE(asked.use(400, steady_noon + seconds(5)));
  const auto refused = asked.ask({10, 390}, steady_noon + seconds(6));
  ASSERT_EQ(refused.admitted, nullptr);
  EXPECT_EQ(*refused.refusal.retry_after, seconds(54));
  EXPECT_EQ(refused.tokens->most, 1'000);
  EXPECT_EQ(refused.tokens->left, 200);
  EXPECT_EQ(refused.tokens->reset, seconds(59));
  EXPECT_FALSE(asked.use(400, steady_noon + seconds(6) + *refused.refusal.retry_after - milliseconds(1)));
  EXPECT_TRUE(asked.use(400, steady_noon + seconds(6) + *refused.refusal.retry_after));
}

TEST(RateLimits, an_estimate_is_held_until_the_usage_is_known) {
  Asked asked{{}, of(Limit::tokens_per_minute, 1'000)};
  auto under_way = asked.ask({100, 700}, steady_noon);
  ASSERT_NE(under_way.admitted, nullptr);
  EXPECT_EQ(under_way.tokens->left, 200);
  EXPECT_FALSE(asked.use(300, steady_noon + seconds(1)));
  under_way.admitted->settle(150);
  EXPECT_EQ(asked.used(Limit::tokens_per_minute, steady_noon + seconds(2)), 150);
  EXPECT_TRUE(asked.use(850, steady_noon + seconds(2)));
  EXPECT_FALSE(asked.use(1, steady_noon + seconds(2)));

  // It may also have been more.
  Asked more{{}, of(Limit::tokens_per_minute, 1'000)};
  auto long_one = more.ask({100, 100}, steady_noon);
  long_one.admitted->settle(1'500);
  EXPECT_EQ(more.ask({1, 0}, steady_noon + seconds(1)).tokens->left, 0);
  EXPECT_TRUE(more.use(1, steady_noon + seconds(60)));
}

TEST(RateLimits, what_ends_after_its_minute_corrects_the_day_and_nobody_elses_minute) {
  Asked asked;
  asked.of_key.most = {0, 0, 1'000, 10'000, 0};
  auto long_one = asked.ask({0, 900}, steady_noon);
  EXPECT_TRUE(asked.use(500, steady_noon + seconds(61)));
  long_one.admitted->settle(100);
  EXPECT_EQ(asked.used(Limit::tokens_per_minute, steady_noon + seconds(62)), 500);
  EXPECT_EQ(asked.used(Limit::tokens_per_day, steady_noon + seconds(62)), 600);
}

TEST(RateLimits, more_than_a_whole_limit_passes_alone_unless_the_input_alone_is_more) {
  Asked asked{{}, of(Limit::tokens_per_minute, 1'000)};
  EXPECT_TRUE(asked.use(10, steady_noon));
  const auto large = asked.ask({500, 4'096}, steady_noon + seconds(1));
  ASSERT_EQ(large.admitted, nullptr);
  EXPECT_EQ(*large.refusal.retry_after, seconds(59));
  EXPECT_NE(asked.ask({500, 4'096}, steady_noon + seconds(60)).admitted, nullptr);
  const auto never = asked.ask({1'001, 0}, steady_noon + hours(1));
  ASSERT_EQ(never.admitted, nullptr);
  EXPECT_FALSE(never.refusal.retry_after);
}

TEST(RateLimits, more_than_can_be_counted_never_fits_and_voids_no_limit) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(), countable = 1'000'000'000'000;
  for (const TokenEstimate& tokens : {TokenEstimate{1, most}, {most, most}, {most, 0}, {0, countable}, {5, countable - 5}}) {
    for (const Limit limit : {Limit::tokens_per_minute, Limit::tokens_per_day}) {
      Asked asked{{}, of(limit, 1'000)};
      for (int i = 0; i < 3; ++i) {
        const auto never = asked.ask(tokens, steady_noon);
        ASSERT_EQ(never.admitted, nullptr) << tokens.input << " + " << tokens.output;
        EXPECT_FALSE(never.refusal.retry_after);
      }
      EXPECT_EQ(asked.used(limit, steady_noon), 0);
    }
    // Without a limit on tokens it is one request as any other.
    Asked asked{{}, of(Limit::requests_per_minute, 1)};
    auto one = asked.ask(tokens, steady_noon);
    ASSERT_NE(one.admitted, nullptr);
    one.admitted->settle(7);
    EXPECT_EQ(asked.ask({1, 1}, steady_noon).admitted, nullptr);
  }
  // The largest that passes alone: everybody else waits, and finds the limit whole once it has ended.
  Asked asked{{}, of(Limit::tokens_per_day, countable)};
  EXPECT_TRUE(asked.use(1'000, steady_noon));
  EXPECT_EQ(asked.ask({0, countable - 1}, steady_noon).admitted, nullptr);
  auto large = asked.ask({0, countable - 1}, steady_noon + hours(24));
  ASSERT_NE(large.admitted, nullptr);
  EXPECT_EQ(asked.ask({1, 1}, steady_noon + hours(25)).admitted, nullptr);
  large.admitted->settle(2'000);
  EXPECT_EQ(asked.used(Limit::tokens_per_day, steady_noon + hours(25)), 2'000);
}

// M22: what one limit refuses consumes none of another.
TEST(RateLimits, what_is_refused_counts_nowhere) {
  Limits limits;
  const RateLimits wide = of(Limit::requests_per_day, 100), narrow = of(Limit::requests_per_minute, 1);
  const std::vector<Limited> both{{LimitedBy::key, "k", &wide}, {LimitedBy::route, "chat", &narrow}};
  std::vector<Limits::Answer> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(limits.admit(both, {10, 10}, steady_noon + seconds(i)));
  EXPECT_NE(answers[0].admitted, nullptr);
  for (int i = 1; i < 50; ++i) {
    ASSERT_EQ(answers[i].admitted, nullptr);
    EXPECT_EQ(answers[i].refusal.by, LimitedBy::route);
    EXPECT_EQ(answers[i].refusal.name, "chat");
    EXPECT_EQ(*answers[i].refusal.retry_after, seconds(60 - i));
  }
  const auto shown = limits.everything(steady_noon + seconds(50));
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].used[static_cast<std::size_t>(Limit::requests_per_day)], 1);
  EXPECT_EQ(shown[0].used[static_cast<std::size_t>(Limit::parallel)], 1);
  EXPECT_EQ(shown[1].refused[static_cast<std::size_t>(Limit::requests_per_minute)], 49U);
  EXPECT_EQ(shown[0].refused, (std::array<std::uint64_t, limit_count>{}));
}

TEST(RateLimits, what_was_withdrawn_was_never_admitted) {
  Asked asked;
  asked.of_key.most = {2, 2, 100, 100, 1};
  for (int i = 0; i < 10; ++i) {
    auto answer = asked.ask({20, 20}, steady_noon + seconds(i));
    ASSERT_NE(answer.admitted, nullptr) << i;
    answer.admitted->withdraw();
  }
  for (std::size_t limit = 0; limit < limit_count; ++limit)
    EXPECT_EQ(asked.used(static_cast<Limit>(limit), steady_noon + seconds(10)), 0) << limit;
}

// M21: the slot is free again however the request ended.
TEST(RateLimits, a_place_is_free_again_on_every_ending) {
  Asked asked{{}, of(Limit::parallel, 2)};
  for (int i = 0; i < 500; ++i) {
    auto one = asked.ask({1, 1}, steady_noon);
    const auto two = asked.ask({1, 1}, steady_noon);
    const auto third = asked.ask({1, 1}, steady_noon);
    ASSERT_TRUE(one.admitted && two.admitted && !third.admitted) << i;
    EXPECT_EQ(third.refusal.limit, Limit::parallel);
    if (i % 3 == 0) one.admitted->settle(7);
    if (i % 3 == 1) one.admitted->withdraw();  // else it is dropped as it is
  }
  EXPECT_EQ(asked.used(Limit::parallel, steady_noon), 0);
}

TEST(RateLimits, the_room_shown_is_that_of_the_narrowest) {
  Limits limits;
  RateLimits key, route;
  key.most = {10, 0, 0, 5'000, 0};
  route.most = {3, 0, 9'000, 0, 0};
  const std::vector<Limited> both{{LimitedBy::key, "k", &key}, {LimitedBy::route, "chat", &route}};
  const auto answer = limits.admit(both, {100, 0}, steady_noon);
  EXPECT_EQ(answer.requests->most, 3);
  EXPECT_EQ(answer.requests->left, 2);
  EXPECT_EQ(answer.requests->reset, seconds(60));
  EXPECT_EQ(answer.tokens->most, 5'000);
  EXPECT_EQ(answer.tokens->left, 4'900);
  EXPECT_EQ(answer.tokens->reset, hours(24));
  const RateLimits parallel = of(Limit::parallel, 5);
  const Limited alone{LimitedBy::team, "t", &parallel};
  const auto without = limits.admit({&alone, 1}, {100, 0}, steady_noon);
  EXPECT_FALSE(without.requests || without.tokens);
}

TEST(RateLimits, a_limit_that_changes_finds_what_was_counted_before) {
  Asked asked{{}, of(Limit::requests_per_minute, 5)};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(asked.use(1, steady_noon));
  asked.of_key = of(Limit::requests_per_minute, 6);
  EXPECT_TRUE(asked.use(1, steady_noon));
  asked.of_key = of(Limit::requests_per_minute, 2);
  const auto refused = asked.ask({1, 1}, steady_noon + seconds(30));
  ASSERT_EQ(refused.admitted, nullptr);
  EXPECT_EQ(*refused.refusal.retry_after, seconds(30));
  EXPECT_EQ(refused.requests->left, 0);
}

TEST(RateLimits, what_an_earlier_process_admitted_counts_for_the_day) {
  Asked asked;
  asked.of_key.most = {10, 5, 0, 1'000, 0};
  asked.limits.recall(std::vector<Limits::Earlier>{{LimitedBy::key, "k", 3, 300, steady_noon - hours(10)},
                                                   {LimitedBy::key, "k", 1, 600, steady_noon - hours(1)}},
                      steady_noon);
  EXPECT_EQ(asked.used(Limit::requests_per_minute, steady_noon), 0);
  const auto refused = asked.ask({100, 100}, steady_noon);
  ASSERT_EQ(refused.admitted, nullptr);
  EXPECT_EQ(refused.refusal.limit, Limit::tokens_per_day);
  EXPECT_EQ(*refused.refusal.retry_after, hours(14));
  EXPECT_TRUE(asked.use(100, steady_noon));
  EXPECT_EQ(asked.ask({1, 0}, steady_noon).refusal.limit, Limit::requests_per_day);
}

TEST(RateLimits, what_earlier_processes_admitted_can_be_told_anew) {
  Asked asked;
  asked.of_key.most = {0, 9, 0, 9'000, 0};
  const auto told = [&](std::int64_t requests, SteadyTime at) {
    return asked.limits.recall(
        std::vector<Limits::Earlier>{{LimitedBy::key, "k", requests, 10 * requests, at}, {LimitedBy::key, "k", 1, 10, at}},
        steady_noon);
  };
  told(1, steady_noon - hours(20));
  EXPECT_TRUE(asked.use(100, steady_noon));
  EXPECT_TRUE(asked.use(100, steady_noon + hours(1)));
  EXPECT_EQ(asked.used(Limit::requests_per_day, steady_noon + hours(1)), 4);
  told(5, steady_noon + hours(1));  // before noon, whatever a step's end says
  EXPECT_EQ(asked.used(Limit::requests_per_day, steady_noon + hours(2)), 8);
  EXPECT_EQ(asked.used(Limit::tokens_per_day, steady_noon + hours(2)), 260);
  EXPECT_EQ(asked.used(Limit::requests_per_day, steady_noon + hours(24)), 1) << "each leaves at its own time";
}

TEST(RateLimits, many_counts_take_little_memory_and_never_let_more_through) {
  // 100,000 requests over ten days at one a 8.64 s, limit 5,000 a day: in no 24 hours more than that.
  Asked asked{{}, of(Limit::requests_per_day, 5'000)};
  std::vector<SteadyTime> admitted;
  for (int i = 0; i < 100'000; ++i) {
    const SteadyTime now = steady_noon + milliseconds(8'640) * i;
    if (asked.use(1, now)) admitted.push_back(now);
  }
  for (std::size_t i = 5'000; i < admitted.size(); ++i) ASSERT_GE(admitted[i] - admitted[i - 5'000], hours(24)) << i;
  EXPECT_GT(admitted.size(), 48'000U);  // 50,000 but for the steps
}

TEST(RateLimits, threads_at_the_limit_admit_exactly_the_limit) {
  constexpr int threads = 8, rounds = 50, most = 100;
  for (int round = 0; round < rounds; ++round) {
    Limits limits;
    RateLimits key = of(Limit::requests_per_minute, most), route = of(Limit::tokens_per_minute, 10 * most);
    const std::vector<Limited> both{{LimitedBy::key, "k", &key}, {LimitedBy::route, "chat", &route}};
    std::atomic<int> admitted{0};
    std::vector<std::thread> all;
    all.reserve(threads);
    for (int t = 0; t < threads; ++t)
      all.emplace_back([&, t] {
        for (int i = 0; i < most / 2; ++i) {
          auto answer = limits.admit(both, {5, 5}, steady_noon + milliseconds(t));
          if (!answer.admitted) continue;
          ++admitted;
          answer.admitted->settle(10);
        }
      });
    for (std::thread& thread : all) thread.join();
    ASSERT_EQ(admitted, most) << round;
    for (const auto& shown : limits.everything(steady_noon + seconds(1)))
      ASSERT_EQ(shown.used[static_cast<std::size_t>(Limit::parallel)], 0);
  }
}

TEST(RateLimits, those_of_whom_nothing_is_counted_are_forgotten) {
  Limits limits;
  const RateLimits one = of(Limit::requests_per_minute, 1);
  const Limited busy{LimitedBy::key, "busy", &one};
  const auto held = limits.admit({&busy, 1}, {1, 1}, steady_noon);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 2 * Limits::kept_max; ++i) names.push_back("k" + std::to_string(i));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Limited limited{LimitedBy::key, names[i], &one};
    EXPECT_NE(limits.admit({&limited, 1}, {1, 1}, steady_noon + minutes(2) * static_cast<int>(i)).admitted, nullptr);
  }
  EXPECT_LE(limits.everything(steady_noon).size(), Limits::kept_max + 1);
}

}  // namespace
}  // namespace fairlead::state
