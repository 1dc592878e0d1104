#include "state/replays.h"

#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "unit/state/noon.h"

namespace fairlead::state {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Standing = Replays::Standing;

Mark mark(int number) {
  Mark made{};
  for (std::size_t i = 0; i < 4; ++i) made[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return made;
}

std::shared_ptr<const KeptAnswer> answer(std::string body) {
  return std::make_shared<const KeptAnswer>(KeptAnswer{"req_1", "p/m", false, std::move(body)});
}

TEST(Replays, a_request_runs_once_and_its_answer_is_kept) {
  Replays replays;
  const Idempotency rules;
  auto first = replays.begin(mark(1), mark(10), rules, steady_noon);
  ASSERT_EQ(first.standing, Standing::first);
  EXPECT_EQ(replays.begin(mark(1), mark(10), rules, steady_noon).standing, Standing::running);
  EXPECT_EQ(replays.begin(mark(1), mark(11), rules, steady_noon).standing, Standing::other);
  EXPECT_EQ(replays.begin(mark(2), mark(10), rules, steady_noon).standing, Standing::first);
  first.turn->finish(answer("hello"), rules, steady_noon + seconds(1));
  const auto again = replays.begin(mark(1), mark(10), rules, steady_noon + hours(24));
  ASSERT_EQ(again.standing, Standing::answered);
  EXPECT_EQ(again.answer->body, "hello");
  EXPECT_EQ(replays.begin(mark(1), mark(11), rules, steady_noon + hours(24)).standing, Standing::other);
  EXPECT_EQ(replays.begin(mark(1), mark(10), rules, steady_noon + hours(24) + seconds(1)).standing, Standing::first);
  EXPECT_EQ(replays.stats().replayed, 1U);
}

TEST(Replays, what_failed_is_forgotten) {
  Replays replays;
  const Idempotency rules;
  for (int i = 0; i < 3; ++i) {
    const auto found = replays.begin(mark(1), mark(10 + i), rules, steady_noon);
    EXPECT_EQ(found.standing, Standing::first) << i;
  }
  EXPECT_EQ(replays.stats().known, 0U);
}

TEST(Replays, memory_is_bounded_and_a_repeat_without_its_answer_is_not_done_again) {
  Replays replays;
  Idempotency rules;
  rules.memory_bytes_max = 20'000;
  for (int i = 0; i < 50; ++i) {
    auto found = replays.begin(mark(i), mark(i), rules, steady_noon + seconds(i));
    found.turn->finish(answer(std::string(3'000, 'x')), rules, steady_noon + seconds(i));
    EXPECT_LE(replays.stats().bytes, rules.memory_bytes_max);
  }
  EXPECT_EQ(replays.begin(mark(49), mark(49), rules, steady_noon + seconds(60)).standing, Standing::answered);
  EXPECT_EQ(replays.begin(mark(0), mark(0), rules, steady_noon + seconds(60)).standing, Standing::gone);
  // Only when even the names are too many, the oldest are forgotten.
  for (int i = 50; i < 500; ++i)
    replays.begin(mark(i), mark(i), rules, steady_noon + seconds(i)).turn->finish(nullptr, rules, steady_noon);
  EXPECT_LE(replays.stats().bytes, rules.memory_bytes_max);
  EXPECT_EQ(replays.begin(mark(0), mark(0), rules, steady_noon + seconds(600)).standing, Standing::first);
  EXPECT_EQ(replays.begin(mark(499), mark(499), rules, steady_noon + seconds(600)).standing, Standing::gone);
}

TEST(Replays, answers_under_way_count_too) {
  Replays replays;
  Idempotency rules;
  rules.memory_bytes_max = 10'000;
  replays.begin(mark(1), mark(1), rules, steady_noon).turn->finish(answer(std::string(4'000, 'x')), rules, steady_noon);
  auto second = replays.begin(mark(2), mark(2), rules, steady_noon);
  EXPECT_TRUE(second.turn->hold(4'000, rules));
  EXPECT_EQ(replays.begin(mark(1), mark(1), rules, steady_noon).standing, Standing::answered);
  EXPECT_TRUE(second.turn->hold(7'000, rules));
  EXPECT_EQ(replays.begin(mark(1), mark(1), rules, steady_noon).standing, Standing::gone);  // it went for the newer one
  auto third = replays.begin(mark(3), mark(3), rules, steady_noon);
  EXPECT_FALSE(third.turn->hold(4'000, rules));
  EXPECT_TRUE(third.turn->hold(500, rules));
  EXPECT_LE(replays.stats().bytes, rules.memory_bytes_max);
  second.turn.reset();
  EXPECT_TRUE(third.turn->hold(4'000, rules));
  third.turn->finish(answer("hello"), rules, steady_noon);
  EXPECT_LT(replays.stats().bytes, 1'000U);
}

// A name that is forgotten is done and paid again.
TEST(Replays, answers_under_way_push_out_no_name) {
  Replays replays;
  const Idempotency rules;  // 64 MiB
  std::vector<Replays::Found> under_way;
  for (int i = 0; i < 8; ++i) {
    under_way.push_back(replays.begin(mark(1'000 + i), mark(1), rules, steady_noon));
    (void)under_way.back().turn->hold((8 << 20) - 1'024, rules);
  }
  constexpr int served = 80'000;
  for (int i = 0; i < served; ++i)
    replays.begin(mark(10'000 + i), mark(1), rules, steady_noon).turn->finish(answer("hello"), rules, steady_noon);
  for (int i = 0; i < served; ++i)
    ASSERT_NE(replays.begin(mark(10'000 + i), mark(1), rules, steady_noon).standing, Standing::first) << i;
  EXPECT_EQ(replays.begin(mark(10'000 + served - 1), mark(1), rules, steady_noon).standing, Standing::answered);
  EXPECT_LE(replays.stats().bytes, rules.memory_bytes_max);
  for (int i = served; i < 2 * served; ++i)
    replays.begin(mark(10'000 + i), mark(1), rules, steady_noon).turn->finish(answer("hello"), rules, steady_noon);
  EXPECT_EQ(replays.begin(mark(10'000), mark(1), rules, steady_noon).standing, Standing::gone)
      << "names alone have all of the room";
  EXPECT_FALSE(under_way[0].turn->hold(8 << 20, rules)) << "nor is there any for who asks";
}

TEST(Replays, answers_do_not_go_for_one_that_finds_no_room_anyway) {
  Replays replays;
  const Idempotency rules;
  for (int i = 0; i < 100; ++i)
    replays.begin(mark(i), mark(1), rules, steady_noon).turn->finish(answer(std::string(1'000, 'x')), rules, steady_noon);
  auto large = replays.begin(mark(100), mark(1), rules, steady_noon);
  EXPECT_FALSE(large.turn->hold(64 << 20, rules));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(replays.begin(mark(i), mark(1), rules, steady_noon).standing, Standing::answered) << i;
  EXPECT_TRUE(large.turn->hold(48 << 20, rules));
  EXPECT_EQ(replays.begin(mark(99), mark(1), rules, steady_noon).standing, Standing::answered);
}

TEST(Replays, without_a_window_nothing_stays) {
  Replays replays;
  Idempotency rules;
  replays.begin(mark(1), mark(1), rules, steady_noon).turn->finish(answer("hello"), rules, steady_noon);
  replays.forget_old(rules, steady_noon + hours(24) - seconds(1));
  EXPECT_EQ(replays.stats().known, 1U);
  rules.window = {};
  replays.forget_old(rules, steady_noon + seconds(1));
  EXPECT_EQ(replays.stats().known, 0U);
  EXPECT_EQ(replays.stats().bytes, 0U);
}

TEST(Replays, an_answer_that_is_being_sent_outlives_its_place) {
  Replays replays;
  Idempotency rules;
  replays.begin(mark(1), mark(1), rules, steady_noon).turn->finish(answer("hello"), rules, steady_noon);
  const auto found = replays.begin(mark(1), mark(1), rules, steady_noon);
  rules.memory_bytes_max = 0;
  replays.begin(mark(2), mark(2), rules, steady_noon).turn->finish(answer("x"), rules, steady_noon);
  EXPECT_EQ(replays.stats().known, 0U);
  EXPECT_EQ(replays.stats().bytes, 0U);
  EXPECT_EQ(found.answer->body, "hello");
}

TEST(Replays, what_an_earlier_process_did_is_not_done_again) {
  Replays replays;
  const Idempotency rules;
  replays.recall(mark(1), mark(10), steady_noon - hours(23));
  EXPECT_EQ(replays.begin(mark(1), mark(10), rules, steady_noon).standing, Standing::gone);
  EXPECT_EQ(replays.begin(mark(1), mark(11), rules, steady_noon).standing, Standing::other);
  EXPECT_EQ(replays.begin(mark(1), mark(10), rules, steady_noon + hours(1)).standing, Standing::first);
}

TEST(Replays, what_is_told_again_of_an_earlier_process_is_known_for_as_long_as_it_should_be) {
  Replays replays;
  const Idempotency rules;
  replays.recall(mark(2), mark(20), steady_noon - hours(20));
  replays.begin(mark(3), mark(30), rules, steady_noon).turn->finish(answer("hello"), rules, steady_noon);
  for (const int known : {3, 2, 1})
    replays.recall(mark(known), mark(10 * known), steady_noon - hours(4 - known));  // the clock was 18 hours ahead
  EXPECT_EQ(replays.begin(mark(2), mark(20), rules, steady_noon + hours(20)).standing, Standing::gone);
  EXPECT_EQ(replays.begin(mark(3), mark(30), rules, steady_noon + hours(20)).standing, Standing::answered);
  EXPECT_EQ(replays.begin(mark(1), mark(10), rules, steady_noon + hours(20)).standing, Standing::gone);
  EXPECT_EQ(replays.begin(mark(1), mark(10), rules, steady_noon + hours(21)).standing, Standing::first);
}

TEST(Replays, of_threads_that_ask_at_once_one_is_the_first) {
  Replays replays;
  const Idempotency rules;
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> firsts{0};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        auto found = replays.begin(mark(round), mark(1), rules, steady_noon);
        if (found.standing != Standing::first) return;
        ++firsts;
        found.turn->finish(answer("x"), rules, steady_noon);
      });
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(firsts, 1) << round;
  }
}

}  // namespace
}  // namespace fairlead::state
