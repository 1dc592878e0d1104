#include "cli/replay/replay.h"

#include "exchange/settle.h"
#include "plan/facts_text.h"
#include "plan/hypothetical.h"
#include "plan/plan.h"
#include "plan/refusal.h"
#include "plan/repeat.h"

#include <fairlead/near.h>

#include <nlohmann/json.hpp>

#include <array>

namespace fairlead::cli {
namespace {

constexpr std::array<std::string_view, replayed_count> outcome_names{"stays",    "moves",    "refused",
                                                                     "admitted", "kept out", "cannot be asked"};

/// The attempt whose tokens are the request's: that which answered, else the last that consumed something. Null: none.
const RequestRecord::Attempt* answering(const RequestRecord& record) {
  const RequestRecord::Attempt* found = nullptr;
  for (const RequestRecord::Attempt& attempt : record.attempts)
    if (attempt.state != RowState::open && attempt.settle.usage_source != UsageSource::none) found = &attempt;
  return found;
}

/// What was expected of its first candidate, where nothing was sent.
std::int64_t expected_input(const RequestRecord& record) {
  const auto json = nlohmann::json::parse(record.open.expected, nullptr, false);
  const bool there = json.is_array() && !json.empty() && json[0].is_array() && json[0].size() > 1 &&
                     json[0][0].is_number_integer() && json[0][1].is_number_integer();
  return there ? json[0][0].get<std::int64_t>() + json[0][1].get<std::int64_t>() : 0;
}

std::int64_t input_of(const RequestRecord& record) {
  if (const auto* attempt = answering(record)) return attempt->settle.usage.input_total();
  if (!record.attempts.empty()) return record.attempts.front().open.input_tokens_estimate;
  return expected_input(record);
}

/// Routing had a target for it: what refused it was a limit, a budget or the ledger, which are not replayed.
bool was_routed(const RequestRecord& record) {
  const auto plan = nlohmann::json::parse(record.open.plan, nullptr, false);
  return plan.is_object() && plan.contains("candidates") && !plan["candidates"].empty();
}

/// It got the answer of another request, or was refused for that one's sake; perhaps its app was gone before it had the answer.
bool is_repeat(const RequestRecord& record) {
  const std::string& error = record.settle.error;
  if (!record.attempts.empty()) return false;
  return error.empty() || error.starts_with("idempotency_") || (record.open.plan.empty() && marks_in(record.open.facts));
}

/// Refused for what it was, before routing was asked: it could not be read, or said what no request may. Where wishes are known, it
/// may be they that named what was not there; the other configuration may have it.
bool was_malformed(const RequestRecord& record) {
  if (!record.attempts.empty() || !record.open.plan.empty()) return false;
  if (record.open.requested_model.empty()) return true;
  const auto recalled = recall_facts(record.open.facts);
  return record.settle.error == to_string(ErrorKind::bad_request) && !(recalled && recalled->body.wishes);
}

/// The tier that it was served in, which its row keeps. Empty: the row has no price, or it was another target, which is taken to
/// serve as it was asked.
std::optional<ServiceTier> tier_served(const RequestRecord::Attempt& attempt, const Target& target) {
  if (attempt.open.target != target.name) return std::nullopt;
  const auto price = nlohmann::json::parse(attempt.settle.price, nullptr, false);
  if (!price.is_object()) return std::nullopt;
  const auto tier = price.find("service_tier");
  return tier != price.end() && tier->is_string() ? parse_service_tier(tier->get<std::string>()) : ServiceTier::standard;
}

}  // namespace

std::string_view to_string(Replayed outcome) { return outcome_names[static_cast<std::size_t>(outcome)]; }

struct Replay::Fate {
  const Target* target = nullptr;  ///< null: refused
  std::string why;
  bool asked = true;
  RequestMode mode;
};

Replay::Fate Replay::fate_of(const RequestRecord& record) {
  auto recalled = recall_facts(record.open.facts);
  if (!recalled) return {nullptr, recalled.error().message(), false, {}};
  Hypothetical asked;
  asked.key = record.open.key;
  asked.route = record.open.requested_model;
  asked.stream = record.open.stream;
  asked.input_tokens = input_of(record);
  asked.tags = recalled->tags;
  asked.client = recalled->client;
  // Of what the prompt holds, only that which rules ask for now; what was not looked for then is not known.
  const auto found = nlohmann::json::parse(record.open.content, nullptr, false);
  if (snapshot_.content) {
    bool searched = true;
    for (const auto& name : snapshot_.content->classes()) {
      const bool known = found.is_object() && found.contains(name);
      searched = searched && known;
      if (known && found[name].is_number_integer() && found[name].get<std::int64_t>() > 0) asked.content.emplace_back(name);
    }
    content_unknown_ += !searched;
  }
  const auto facts = facts_of(asked, recalled->body, snapshot_);
  if (!facts) return {nullptr, facts.error().message(), false, {}};
  const Conditions conditions;
  const Plan plan = make_plan(*facts, snapshot_, conditions, record.open.started_at);
  if (!plan.candidates.empty()) return {plan.candidates.front().target, {}, true, facts->mode};
  const std::string policies = joined(refusing_policies(plan));
  return {nullptr, policies.empty() ? std::string(to_string(refusal_of(plan, "").kind)) : policies, true, {}};
}

void Replay::add(const RequestRecord& record) {
  if (record.state == RowState::open) return;
  if (is_repeat(record)) {
    ++repeats_;
    return;
  }
  const bool refused_anyway = was_malformed(record) || (record.attempts.empty() && was_routed(record));
  const Fate fate = refused_anyway ? Fate{nullptr, record.settle.error, true, {}} : fate_of(record);
  const std::string from = record.attempts.empty() ? std::string() : record.attempts.front().open.target;
  const std::string to = fate.target ? fate.target->name : std::string();
  Replayed outcome = Replayed::stays;
  if (!fate.asked)
    outcome = Replayed::unknown;
  else if (from.empty())
    outcome = fate.target ? Replayed::admitted : Replayed::kept_out;
  else if (!fate.target)
    outcome = Replayed::refused;
  else if (from != to)
    outcome = Replayed::moves;
  ReplayGroup& group = groups_[{outcome, record.open.route, from, to, fate.why}];
  ++group.requests;
  if (!fate.target) {
    group.before_usd += record.settle.usd_pico;
    return;
  }
  const RequestRecord::Attempt* attempt = answering(record);
  if (attempt == nullptr) {
    ++group.tokenless;
    return;
  }
  const exchange::Served served{fate.mode, tier_served(*attempt, *fate.target)};
  const auto cost = exchange::cost_at(*fate.target, attempt->settle.usage, served, attempt->open.sent_at, snapshot_);
  if (!cost) {
    ++group.unpriced;
    return;
  }
  // Both or neither: what it did cost is no saving where nobody knows what it would.
  group.before_usd += record.settle.usd_pico;
  group.after_usd += cost->usd_pico;
}

ReplayGroup Replay::total(std::optional<Replayed> outcome) const {
  ReplayGroup total;
  for (const auto& [key, group] : groups_) {
    if (outcome && std::get<0>(key) != *outcome) continue;
    total.requests += group.requests;
    total.before_usd += group.before_usd;
    total.after_usd += group.after_usd;
    total.unpriced += group.unpriced;
    total.tokenless += group.tokenless;
  }
  return total;
}

}  // namespace fairlead::cli
