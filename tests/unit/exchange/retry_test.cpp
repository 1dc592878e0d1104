#include "exchange/retry.h"

#include <gtest/gtest.h>

#include <array>

namespace fairlead::exchange {
namespace {

enum class Sent { nothing, whole_fresh, whole_reused };

Failure failure(ErrorKind kind, Sent sent, int status = 0, Retry retry = Retry::never) {
  Failure f;
  f.error = Error(kind, ErrorOrigin::provider, "m", "", retry);
  f.report.bytes_sent = f.report.sent_whole = sent != Sent::nothing;
  f.report.connection_reused = sent == Sent::whole_reused;
  f.status = status;
  return f;
}

/// The first ones of contexts of 64,000, 32,000 and 128,000 tokens.
std::vector<Candidate> candidates(std::size_t count) {
  static std::array<Model, 3> models;
  static std::array<Target, 3> targets;
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < count; ++i) {
    models.at(i).context_window = std::array{64'000, 32'000, 128'000}.at(i);
    targets.at(i).model = &models.at(i);
    all.emplace_back().target = &targets.at(i);
  }
  return all;
}

/// What follows a first failure, with two candidates and four attempts: "again" (at once, on a fresh connection), "next", "stop".
std::string first_step(const Failure& f, const Route* route = nullptr) {
  AttemptCourse course(route, 4);
  const auto step = course.after(candidates(2), {}, f, Milliseconds{60'000}, 0.5);
  if (!step) return "stop";
  if (step->candidate == 1) return "next";
  return step->fresh_connection ? "again" : "later";
}

struct RetryRow {
  const char* what;
  Failure failure;
  const char* first;
  const char* when_alone;  ///< with a single candidate
};

class Attempts : public testing::TestWithParam<RetryRow> {};

std::string when_alone(const Failure& f) {
  AttemptCourse course(nullptr, 4);
  const auto step = course.after(candidates(1), {}, f, Milliseconds{60'000}, 0.5);
  if (!step) return "stop";
  return step->fresh_connection ? "again" : "later";
}

TEST_P(Attempts, FollowTheTable) {
  EXPECT_EQ(first_step(GetParam().failure), GetParam().first);
  EXPECT_EQ(when_alone(GetParam().failure), GetParam().when_alone);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Attempts,
    testing::Values(RetryRow{"connect", failure(ErrorKind::upstream_connect, Sent::nothing), "again", "again"},
                    RetryRow{"tls", failure(ErrorKind::upstream_tls, Sent::nothing), "again", "again"},
                    RetryRow{"stale", failure(ErrorKind::upstream_closed, Sent::whole_reused, 0, Retry::reused_connection_only),
                             "again", "again"},
                    RetryRow{"unconfirmed", failure(ErrorKind::upstream_closed, Sent::whole_fresh), "next", "stop"},  // M40
                    RetryRow{"late", failure(ErrorKind::upstream_closed, Sent::whole_reused), "next", "stop"},
                    RetryRow{"timeout", failure(ErrorKind::upstream_timeout, Sent::whole_fresh), "next", "stop"},
                    RetryRow{"s408", failure(ErrorKind::upstream_unavailable, Sent::whole_fresh, 408), "next", "later"},
                    RetryRow{"s500", failure(ErrorKind::upstream_unavailable, Sent::whole_fresh, 500), "next", "later"},
                    RetryRow{"s429", failure(ErrorKind::upstream_rate_limit, Sent::whole_fresh, 429), "next", "later"},
                    RetryRow{"s401", failure(ErrorKind::upstream_auth, Sent::whole_fresh, 401), "next", "stop"},
                    RetryRow{"s402", failure(ErrorKind::upstream_no_money, Sent::whole_fresh, 402), "next", "stop"},
                    RetryRow{"s400", failure(ErrorKind::upstream_refused, Sent::whole_fresh, 400), "stop", "stop"},
                    RetryRow{"s422", failure(ErrorKind::upstream_refused, Sent::whole_fresh, 422), "stop", "stop"},
                    RetryRow{"s404", failure(ErrorKind::upstream_refused, Sent::whole_fresh, 404), "next", "stop"},
                    RetryRow{"filter", failure(ErrorKind::upstream_filtered, Sent::whole_fresh, 400), "stop", "stop"},
                    RetryRow{"event", failure(ErrorKind::upstream_error_event, Sent::whole_fresh, 200), "next", "later"},
                    RetryRow{"garbage", failure(ErrorKind::upstream_protocol, Sent::whole_fresh, 200), "next", "stop"},
                    RetryRow{"app", failure(ErrorKind::app_gone, Sent::whole_fresh), "stop", "stop"},
                    RetryRow{"overloaded", failure(ErrorKind::overloaded, Sent::nothing), "next", "stop"},
                    RetryRow{"ours", failure(ErrorKind::ledger_unavailable, Sent::nothing), "stop", "stop"}),
    [](const auto& row) { return row.param.what; });

TEST(AttemptCourse, RetriesAtOnceOnlyOnce) {
  AttemptCourse course(nullptr, 9);
  const Failure refused = failure(ErrorKind::upstream_connect, Sent::nothing);
  const auto second = course.after(candidates(2), {}, refused, Milliseconds{60'000}, 0);
  ASSERT_TRUE(second && second->candidate == 0 && second->fresh_connection);
  const auto third = course.after(candidates(2), *second, refused, Milliseconds{60'000}, 0);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->candidate, 1U);
}

TEST(AttemptCourse, OneCapCountsRetriesAndFallbacksTogether) {  // M40
  for (int cap = 1; cap <= 6; ++cap) {
    AttemptCourse course(nullptr, cap);
    int attempts = 1;
    std::optional<Step> step = Step{};
    while (
        (step = course.after(candidates(3), *step, failure(ErrorKind::upstream_connect, Sent::nothing), Milliseconds{60'000}, 0)))
      ++attempts;
    EXPECT_EQ(attempts, std::min(cap, 6));
  }
}

TEST(AttemptCourse, RouteMayForbidFallback) {
  Route route;
  route.fallback = false;
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_auth, Sent::whole_fresh, 401), &route), "stop");
  route.fallback = true;
  route.fallback_on_unconfirmed = false;
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_closed, Sent::whole_fresh), &route), "stop");
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_closed, Sent::whole_reused), &route), "stop");
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_closed, Sent::whole_reused, 0, Retry::reused_connection_only), &route), "again")
      << "a stale connection is no answer of the provider's";
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_closed, Sent::whole_fresh, 200), &route), "stop")
      << "an answer that had begun is billed";
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_protocol, Sent::whole_fresh, 200), &route), "stop");
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_unavailable, Sent::whole_fresh, 503), &route), "next");
  route.fallback_on_unconfirmed = true;
  EXPECT_EQ(first_step(failure(ErrorKind::upstream_closed, Sent::whole_fresh, 200), &route), "next");
}

TEST(AttemptCourse, FallsBackOnRefusalsOfTheRequestThatTheRouteNames) {
  const Failure too_long = failure(ErrorKind::upstream_refused, Sent::whole_fresh, 400, Retry::larger_window);
  const Failure filtered = failure(ErrorKind::upstream_filtered, Sent::whole_fresh, 400);
  const Failure wrong = failure(ErrorKind::upstream_refused, Sent::whole_fresh, 422);
  const auto after = [](const FallbackOnRefusal& on, const Failure& f, std::size_t made, bool fallback = true) {
    Route route;
    route.fallback = fallback;
    route.fallback_on_refusal = on;
    const auto step = AttemptCourse(&route, 4).after(candidates(3), {made}, f, Milliseconds{60'000}, 0.5);
    return step ? std::to_string(step->candidate) : "stop";
  };
  EXPECT_EQ(after({}, too_long, 0), "stop");
  EXPECT_EQ(after({.context = true}, too_long, 0), "2") << "the second one's context is shorter still";
  EXPECT_EQ(after({.context = true}, too_long, 1), "2");
  EXPECT_EQ(after({.context = true}, too_long, 2), "stop");
  EXPECT_EQ(after({.context = true}, too_long, 0, false), "stop");
  EXPECT_EQ(after({.context = true}, filtered, 0), "stop");
  EXPECT_EQ(after({.context = true}, wrong, 0), "stop");
  EXPECT_EQ(after({.filtered = true}, filtered, 0), "1");
  EXPECT_EQ(after({.filtered = true}, wrong, 0), "stop");
  EXPECT_EQ(after({.refused = true}, wrong, 0), "1");
  EXPECT_EQ(after({.refused = true}, too_long, 0), "stop");
}

TEST(AttemptCourse, AContextThatIsNotStatedMayBeLarger) {
  auto three = candidates(3);
  Model unknown;
  Target open;
  open.model = &unknown;
  three[1].target = &open;
  Route route;
  route.fallback_on_refusal.context = true;
  const Failure too_long = failure(ErrorKind::upstream_refused, Sent::whole_fresh, 400, Retry::larger_window);
  const auto next = [&](std::size_t made) {
    return AttemptCourse(&route, 4).after(three, {made}, too_long, Milliseconds{60'000}, 0.5);
  };
  ASSERT_TRUE(next(0));
  EXPECT_EQ(next(0)->candidate, 1U);
  ASSERT_TRUE(next(1));
  EXPECT_EQ(next(1)->candidate, 2U);
}

TEST(AttemptCourse, WaitsAsLongAsTheProviderSaysButNotBeyondReason) {
  Failure slow = failure(ErrorKind::upstream_rate_limit, Sent::whole_fresh, 429);
  slow.retry_after = Milliseconds{2'000};
  AttemptCourse course(nullptr, 4);
  const auto step = course.after(candidates(1), {}, slow, Milliseconds{60'000}, 0);
  ASSERT_TRUE(step);
  EXPECT_GE(step->delay, Milliseconds{2'000});
  slow.retry_after = Milliseconds{30'000};
  EXPECT_FALSE(AttemptCourse(nullptr, 4).after(candidates(1), {}, slow, Milliseconds{60'000}, 0));
  slow.retry_after = Milliseconds{2'000};
  EXPECT_FALSE(AttemptCourse(nullptr, 4).after(candidates(1), {}, slow, Milliseconds{1'000}, 0)) << "past the deadline";
}

TEST(AttemptCourse, BacksOffLongerEachTime) {
  AttemptCourse course(nullptr, 9);
  Milliseconds before{0};
  std::optional<Step> step = Step{};
  for (int i = 0; i < 4; ++i) {
    step = course.after(candidates(1), *step, failure(ErrorKind::upstream_unavailable, Sent::whole_fresh, 503),
                        Milliseconds{600'000}, 0.5);
    ASSERT_TRUE(step);
    EXPECT_GT(step->delay, before);
    before = step->delay;
  }
}

}  // namespace
}  // namespace fairlead::exchange
