#include "exchange/admission.h"

#include <fairlead/countable.h>

#include "plan/expect.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::exchange {
namespace {

/// As long as it may be where the app says so, else as long as it is expected to be.
state::TokenEstimate estimate_of(const RequestFacts& facts, const Plan& plan) {
  const Candidate& first = plan.candidates.front();
  const auto cap = output_cap(facts, *first.target);
  const std::int64_t output = cap ? countable_tokens(Int128{*cap} * facts.choices) : first.output_tokens;
  return {first.input_tokens, std::max(output, std::int64_t{0})};
}

void add_room(net::Fields& fields, const std::optional<state::Limits::Room>& room, std::array<std::string_view, 3> names) {
  if (!room) return;
  fields.emplace_back(names[0], std::to_string(room->most));
  fields.emplace_back(names[1], std::to_string(room->left));
  fields.emplace_back(names[2], duration_text(room->reset));
}

Error error_of(const state::Limits::Refusal& refusal) {
  std::string limit(to_string(refusal.limit));
  std::replace(limit.begin(), limit.end(), '_', ' ');
  const std::string whose = std::string(to_string(refusal.by)) + " '" + refusal.name + "'";
  std::string message =
      refusal.limit == Limit::parallel
          ? "Rate limit reached for " + whose + ": " + std::to_string(refusal.most) + " requests at the same time."
          : "Rate limit reached for " + whose + ": " + std::to_string(refusal.most) + " " + limit + ".";
  message += refusal.retry_after ? " Please try again in " + duration_text(*refusal.retry_after) + "."
                                 : " This request alone asks for more.";
  return {ErrorKind::rate_limited, ErrorOrigin::fairlead, std::move(message)};
}

}  // namespace

std::optional<Admission> admit(state::Limits& limits, const RequestFacts& facts, const Snapshot& snapshot, const Plan& plan,
                               state::SteadyTime now) {
  std::array<state::Limited, state::limited_by_count> all;
  std::size_t count = 0;
  const Key& key = *facts.key;
  if (key.limits) all[count++] = {state::LimitedBy::key, key.name, &*key.limits};
  const Team* team = snapshot.teams_limited ? snapshot.team(key.team) : nullptr;
  if (team != nullptr && team->limits) all[count++] = {state::LimitedBy::team, key.team, &*team->limits};
  if (facts.route != nullptr && facts.route->limits)
    all[count++] = {state::LimitedBy::route, facts.route->name, &*facts.route->limits};
  if (count == 0) return std::nullopt;

  auto answer = limits.admit({all.data(), count}, estimate_of(facts, plan), now);
  Admission admission;
  admission.admitted = std::move(answer.admitted);
  add_room(admission.fields, answer.requests,
           {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"});
  add_room(admission.fields, answer.tokens,
           {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"});
  if (admission.admitted) return admission;
  admission.refusal = error_of(answer.refusal);
  if (answer.refusal.retry_after) admission.retry_after = std::chrono::ceil<Milliseconds>(*answer.refusal.retry_after);
  return admission;
}

std::string duration_text(state::SteadySpan span) {
  std::int64_t ms = std::max<std::int64_t>(std::chrono::ceil<Milliseconds>(span).count(), 0);
  if (ms == 0) return "0s";
  if (ms < 1'000) return std::to_string(ms) + "ms";
  std::string text;
  if (ms >= 3'600'000) text += std::to_string(ms / 3'600'000) + "h";
  if (ms >= 60'000) text += std::to_string(ms / 60'000 % 60) + "m";
  text += std::to_string(ms / 1'000 % 60);
  if (ms %= 1'000; ms != 0) {
    std::string part = std::to_string(1'000 + ms).substr(1);
    text += "." + part.erase(part.find_last_not_of('0') + 1);
  }
  return text + "s";
}

}  // namespace fairlead::exchange
