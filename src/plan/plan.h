#pragma once
// plan(): the heart of the product. Pure: no I/O, no clock, no randomness of its own. Any thread.
#include <fairlead/plan.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// Candidates in the order of the route, narrowed by capability, policy and price, ranked by the route's strategy; with every
/// rejection and its reason. Same input, same plan. No candidates and at least one rejection by policy alone: refuse with 403.
Plan make_plan(const RequestFacts& facts, const Snapshot& snapshot, const Conditions& conditions, TimePoint now);
/// The name of the strategy that ranks it: the route's, or the request's own wish.
std::string_view strategy_of(const RequestFacts& facts);

/// The plan as the ledger keeps it, in two parts. What is the same for many requests:
/// {"strategy","policies":["name"...],"candidates":[{"target","currency","rates","price_from"...}],
/// "rejections":[{"target","by","rule","reason"}]};
/// and what is this one's: [[uncached input, cached input, output tokens, USD in 10^-12], ...], with first token p50 and p90 and
/// each further token p50 behind it, in microseconds, where the strategy looked at times and the target is measured. USD is null
/// without a price; the whole is null if there are no times either. Last, {"seed"} where something was left to chance.
std::string plan_text(const Plan& plan);
std::string expected_text(const Plan& plan);
/// What was looked for and found in the prompt, as the ledger keeps it: {"payment_card":2,"secret":0}. Empty: nothing was looked
/// for.
std::string content_text(const std::vector<ContentCount>& content);
/// Appends all that plan_text() tells, shorter and faster: equal for equal texts only, within one snapshot.
void append_plan_key(std::string& key, const Plan& plan);
/// Both parts as one: candidates with "input_tokens", "cached_tokens", "output_tokens", "amount", "expected_usd" and times added.
/// Errors: none; null for what is not such a text.
std::string whole_plan_text(std::string_view plan, std::string_view expected);

}  // namespace fairlead
