#include "exchange/admission.h"

#include <gmock/gmock.h>

#include <limits>
#include <map>
#include <string>

namespace fairlead::exchange {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Admission, durations_are_written_as_openai_writes_them) {
  const std::pair<state::SteadySpan, std::string> table[] = {
      {seconds(0), "0s"},
      {milliseconds(20), "20ms"},
      {microseconds(1), "1ms"},
      {milliseconds(999), "999ms"},
      {seconds(1), "1s"},
      {milliseconds(8'640), "8.64s"},
      {milliseconds(59'999), "59.999s"},
      {minutes(1), "1m0s"},
      {minutes(6), "6m0s"},
      {seconds(61), "1m1s"},
      {hours(1), "1h0m0s"},
      {hours(24) - milliseconds(1), "23h59m59.999s"},
      {hours(24), "24h0m0s"},
      {milliseconds(1'005), "1.005s"},
      {milliseconds(1'500), "1.5s"},
      {seconds(-1), "0s"},
  };
  for (const auto& [span, text] : table) EXPECT_EQ(duration_text(span), text);
}

struct Asking {
  Target target;
  Route route;
  Key key;
  Snapshot snapshot;
  RequestFacts facts;
  Plan plan;
  state::Limits limits;
  state::SteadyTime now{hours(1)};

  Asking() {
    key.name = "app";
    route.name = "chat";
    facts.key = &key;
    facts.route = &route;
    Candidate candidate;
    candidate.target = &target;
    candidate.input_tokens = 100;
    candidate.output_tokens = 300;
    plan.candidates.push_back(candidate);
  }
  std::optional<Admission> ask() { return admit(limits, facts, snapshot, plan, now); }
};

std::map<std::string, std::string> as_map(const net::Fields& fields) { return {fields.begin(), fields.end()}; }

TEST(Admission, without_limits_nothing_is_asked_and_nothing_told) { EXPECT_FALSE(Asking().ask()); }

TEST(Admission, tokens_are_the_input_and_the_cap_of_the_app_or_what_is_expected) {
  struct Row {
    std::optional<std::int64_t> cap;
    std::int64_t choices;
    std::string remaining;
  };
  for (const Row& row : {Row{{}, 1, "600"}, Row{50, 1, "850"}, Row{400, 2, "100"}}) {
    Asking asking;
    asking.key.limits = RateLimits{{0, 0, 1'000, 0, 0}};
    asking.facts.output_tokens_max = row.cap;
    asking.facts.choices = row.choices;
    const auto admission = asking.ask();
    EXPECT_THAT(as_map(admission->fields),
                testing::UnorderedElementsAre(testing::Pair("x-ratelimit-limit-tokens", "1000"),
                                              testing::Pair("x-ratelimit-remaining-tokens", row.remaining),
                                              testing::Pair("x-ratelimit-reset-tokens", "1m0s")));
  }
}

TEST(Admission, a_refusal_says_whose_limit_it_was_and_when_to_come_back) {
  Asking asking;
  asking.key.limits = RateLimits{{10, 0, 0, 0, 0}};
  asking.route.limits = RateLimits{{1, 0, 0, 0, 0}};
  EXPECT_TRUE(asking.ask()->admitted);
  asking.now += milliseconds(1'500);
  const auto refused = asking.ask();
  ASSERT_TRUE(refused->refusal && !refused->admitted);
  EXPECT_EQ(refused->refusal->kind, ErrorKind::rate_limited);
  EXPECT_EQ(refused->refusal->message(), "Rate limit reached for route 'chat': 1 requests per minute. Please try again in 58.5s.");
  EXPECT_EQ(refused->retry_after, milliseconds(58'500));
  EXPECT_THAT(as_map(refused->fields), testing::UnorderedElementsAre(testing::Pair("x-ratelimit-limit-requests", "1"),
                                                                     testing::Pair("x-ratelimit-remaining-requests", "0"),
                                                                     testing::Pair("x-ratelimit-reset-requests", "58.5s")));
}

TEST(Admission, the_keys_of_a_team_share_its_limits) {
  Asking asking;
  asking.snapshot.teams["payments"].limits = RateLimits{{2, 0, 0, 0, 0}};
  asking.snapshot.teams_limited = true;
  EXPECT_FALSE(asking.ask());
  asking.key.team = "payments";
  EXPECT_TRUE(asking.ask()->admitted);
  asking.key.name = "another";
  EXPECT_TRUE(asking.ask()->admitted);
  EXPECT_EQ(asking.ask()->refusal->message(),
            "Rate limit reached for team 'payments': 2 requests per minute. Please try again in 1m0s.");
}

TEST(Admission, what_never_fits_is_told_so) {
  Asking asking;
  asking.key.limits = RateLimits{{0, 0, 0, 99, 0}};
  const auto refused = asking.ask();
  EXPECT_EQ(refused->refusal->message(), "Rate limit reached for key 'app': 99 tokens per day. This request alone asks for more.");
  EXPECT_FALSE(refused->retry_after);
}

TEST(Admission, who_asks_for_more_than_can_be_counted_never_fits_and_takes_nothing_from_others) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const auto& [cap, choices] :
       {std::pair{most, std::int64_t{1}}, {std::int64_t{1} << 62, std::int64_t{4}}, {most, std::int64_t{1'000}}}) {
    Asking asking;
    asking.key.limits = RateLimits{{0, 0, 1'000, 5'000, 0}};
    asking.facts.output_tokens_max = cap;
    asking.facts.choices = choices;
    const auto refused = asking.ask();
    ASSERT_FALSE(refused->admitted) << cap;
    EXPECT_FALSE(refused->retry_after) << cap;
    EXPECT_EQ(as_map(refused->fields).at("x-ratelimit-remaining-tokens"), "1000") << cap;
    asking.key.limits = RateLimits{{10, 0, 0, 0, 0}};
    EXPECT_TRUE(asking.ask()->admitted) << "no limit counts its tokens";
  }
}

}  // namespace
}  // namespace fairlead::exchange
