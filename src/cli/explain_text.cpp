#include "cli/explain_text.h"

#include "cli/table.h"
#include "plan/plan.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;
using Attempt = RequestRecord::Attempt;

/// The JSON of a text column; an empty object for what is not JSON.
Json object_in(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

/// A member as text, whatever its type; empty if there is none.
std::string member(const Json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  if (at == object.end() || at->is_null()) return "";
  return at->is_string() ? at->get<std::string>() : at->dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& list(const Json& object, const char* name) {
  static const Json none = Json::array();
  const auto at = object.find(name);
  return at != object.end() && at->is_array() ? *at : none;
}

std::string cell(const std::optional<std::int64_t>& count) { return count ? std::to_string(*count) : ""; }
std::string duration_cell(const std::optional<std::int64_t>& us) { return us ? duration_text(*us) : ""; }
std::string amount_text(const Money& money) { return format_decimal(money.pico) + " " + std::string(money.currency.view()); }

/// "batch, night"
std::string words_in(const Json& list) {
  std::string text;
  for (const Json& word : list) text += (text.empty() ? "" : ", ") + member(Json{{"", word}}, "");
  return text;
}

/// "  content  no iban, 2 payment_card"
std::string content_line(const Json& content) {
  std::string text;
  for (const auto& [name, count] : content.items())
    text += (text.empty() ? "" : ", ") + (count == 0 ? "no" : count.dump()) + " " + printable(name);
  return text.empty() ? "" : "  content  " + text + "\n";
}

/// "  facts    needs tools; tags batch, night; client 192.0.2.7": what else routing knew.
std::string facts_line(const Json& facts) {
  std::string text;
  for (const auto& [name, value] : facts.items()) {
    const std::string words = value.is_array() ? words_in(value) : member(facts, name.c_str());
    text += (text.empty() ? "" : "; ") + printable(name) + " " + printable(words);
  }
  return text.empty() ? "" : "  facts    " + text + "\n";
}

std::string heading(const RequestRecord& record) {
  const RequestOpen& open = record.open;
  std::string text = "Request " + open.id + "\n";
  text += "  asked    " + iso_8601_us(open.started_at) + " by key " + printable(open.key) +
          (open.team.empty() ? "" : " of team " + printable(open.team)) +
          (open.project.empty() ? "" : ", project " + printable(open.project)) + " for model " + printable(open.requested_model) +
          (open.route.empty() ? "" : " (route " + printable(open.route) + ")") + "\n";
  text += "           " + open.endpoint + (open.stream ? ", streamed" : ", whole") + "; configuration " +
          open.snapshot_hash.substr(0, 12) + "\n";
  return text + content_line(object_in(open.content)) + facts_line(object_in(open.facts));
}

std::string outcome(const RequestRecord& record) {
  const RequestSettle& end = record.settle;
  if (record.state == RowState::open) return "  outcome  not over yet\n";
  if (record.state == RowState::interrupted)
    return "  outcome  interrupted: the daemon ended first, and found it so at " + iso_8601_us(end.ended_at) + "\n";
  std::string text = "  outcome  ";
  text += end.http_status == 0 ? "nothing answered" : "HTTP " + std::to_string(end.http_status);
  if (!end.target.empty()) text += " from " + printable(end.target);
  text += ", after " + counted(end.attempts, "attempt");
  if (!end.error.empty())
    text +=
        ": " + end.error + " in phase " + std::string(to_string(end.phase)) + ", ended by " + std::string(to_string(end.ended_by));
  text += "\n  timing   ";
  if (end.first_byte_us) text += "first byte " + duration_text(*end.first_byte_us) + ", ";
  return text + "whole " + duration_text((end.ended_at - record.open.started_at).count()) + "\n";
}

/// "  policies us-only, cheap": all that applied, whether or not they refused anything. Empty for a row that does not tell.
std::string policies_line(const Json& plan) {
  if (!plan.contains("policies")) return "";
  const std::string names = words_in(list(plan, "policies"));
  return "  policies " + (names.empty() ? "none applies" : printable(names)) + "\n";
}

/// "  target   deepseek/flash was configured as origin CN, operator CN, region not stated, hosting cloud, retention provider, label
/// dpa until 2027-06-30". Empty for a row that does not tell, as those of old do not.
std::string target_line(const RequestRecord& record, const Json& plan) {
  const Json& candidates = list(plan, "candidates");
  const auto served = std::find_if(candidates.begin(), candidates.end(),
                                   [&](const Json& c) { return member(c, "target") == record.settle.target; });
  if (record.settle.target.empty() || served == candidates.end() || !served->contains("facts")) return "";
  std::string text;
  for (const char* fact : {"origin", "operator", "region", "hosting", "retention"}) {
    const std::string value = member((*served)["facts"], fact);
    text += (text.empty() ? "" : ", ") + std::string(fact) + " " + (value.empty() ? "not stated" : printable(value));
  }
  const Json& facts = (*served)["facts"];
  if (const auto labels = facts.find("labels"); labels != facts.end())
    for (const auto& [label, end] : labels->items())
      text += ", label " + printable(label) + " until " + printable(member(*labels, label.c_str()));
  return "  target   " + printable(record.settle.target) + " was configured as " + text + "\n";
}

/// A repeat of a request that was answered before: nothing was planned or sent for it.
std::string replay_line(const RequestRecord& record) {
  const bool served = record.state == RowState::settled && record.settle.error.empty() && record.settle.attempts == 0;
  if (!served || !object_in(record.open.facts).contains("idempotency")) return "";
  return "  replay   its answer is that of an earlier request with the same Idempotency-Key; nothing was sent for it\n";
}

std::string cost_line(const RequestRecord& record) {
  if (record.state == RowState::open) return "";
  bool unpriced = false, estimated = false;
  for (const Attempt& attempt : record.attempts) {
    unpriced |= !attempt.settle.cost;
    estimated |= attempt.settle.usage_source == UsageSource::estimated || attempt.settle.usage_source == UsageSource::invalid;
  }
  return "  cost     " + format_decimal(record.settle.usd_pico) + " USD" + (estimated ? ", partly estimated" : "") +
         (unpriced ? ", and an unknown amount for attempts without a price" : "") + "\n";
}

/// "1200 input x 2 + 400 output x 3 CNY per million, at 0.1378 USD"
std::string arithmetic(const Json& candidate) {
  const auto rates = candidate.find("rates");
  if (rates == candidate.end()) return "";
  std::string text;
  const auto term = [&](const char* tokens, const char* kind) {
    const std::string count = member(candidate, tokens), rate = member(*rates, kind);
    if (count.empty() || count == "0" || rate.empty()) return;
    text.append(text.empty() ? "" : " + ").append(count).append(" ").append(kind).append(" x ").append(rate);
  };
  term("input_tokens", "input");
  term("cached_tokens", "cached_input");
  term("output_tokens", "output");
  if (!text.empty()) text += " " + member(candidate, "currency") + " per million";
  if (const std::string rate = member(candidate, "usd_rate"); !text.empty() && !rate.empty()) text += ", at " + rate + " USD";
  std::string held = member(candidate, "window");
  const auto add = [&](const std::string& word) { held += (held.empty() || word.empty() ? "" : ", ") + word; };
  add(candidate.contains("thinking") ? "thinking" : "");
  add(member(candidate, "service_tier"));
  return held.empty() ? text : text + " (" + held + ")";
}

/// "312 ms + 400 x 8 ms, first token within 640 ms 9 in 10 times": what the strategy knew of its speed.
std::string speed(const Json& candidate) {
  const auto us = [&](const char* name) { return duration_text(candidate.value(name, std::int64_t{0})); };
  if (!candidate.contains("first_token_us_p50")) return "not measured";
  return us("first_token_us_p50") + " + " + member(candidate, "output_tokens") + " x " + us("token_us_p50") +
         ", first token within " + us("first_token_us_p90") + " 9 times in 10";
}

/// "weight 3, quality 80, explored": what else its place may come from.
std::string terms(const Json& candidate) {
  std::string text;
  for (const char* name : {"weight", "quality"})
    if (const std::string value = member(candidate, name); !value.empty())
      text.append(text.empty() ? "" : ", ").append(name).append(" ").append(value);
  if (candidate.contains("explored")) text.append(text.empty() ? "" : ", ").append("explored");
  return text;
}

std::string strategy_text(const Json& plan) {
  std::string text = member(plan, "strategy");
  if (text.empty()) return text;
  const std::string latency = member(plan, "first_token_ms_max"), seed = member(plan, "seed");
  if (!latency.empty()) text += " within " + latency + " ms";
  if (!seed.empty()) text += " with seed " + seed;
  return ", by strategy " + text;
}

std::string candidates_text(const Json& plan) {
  const Json& candidates = list(plan, "candidates");
  if (candidates.empty()) return "\nCandidates\n  none\n";
  const bool with_times = member(plan, "strategy") == "fastest" || member(plan, "strategy") == "balanced";
  const bool with_terms = std::any_of(candidates.begin(), candidates.end(), [](const Json& c) { return !terms(c).empty(); });
  Table table;
  table.columns = {{"", true}, {"target", false}, {"expected USD", true}, {"in its currency", true}, {"arithmetic", false}};
  if (with_times) table.columns.push_back({"time", false});
  if (with_terms) table.columns.push_back({"terms", false});
  for (const Json& candidate : candidates) {
    const std::string usd = member(candidate, "expected_usd"), amount = member(candidate, "amount");
    table.rows.push_back({std::to_string(table.rows.size() + 1), member(candidate, "target"), usd.empty() ? "no price" : usd,
                          amount.empty() ? "" : amount + " " + member(candidate, "currency"), arithmetic(candidate)});
    if (with_times) table.rows.back().push_back(speed(candidate));
    if (with_terms) table.rows.back().push_back(terms(candidate));
  }
  return "\nCandidates" + strategy_text(plan) + ", best first\n" + to_text(table, 2);
}

std::string rejections_text(const Json& plan) {
  Table table;
  table.columns = {{"target", false}, {"by", false}, {"rule", false}, {"reason", false}};
  for (const Json& rejection : list(plan, "rejections"))
    table.rows.push_back(
        {member(rejection, "target"), member(rejection, "by"), member(rejection, "rule"), member(rejection, "reason")});
  return table.rows.empty() ? "" : "\nRejected\n" + to_text(table, 2);
}

std::string attempt_outcome(const Attempt& attempt) {
  if (attempt.state != RowState::settled) return std::string(to_string(attempt.state));
  if (attempt.settle.error.empty()) return "ok";
  return attempt.settle.error + " in " + std::string(to_string(attempt.settle.phase));
}

std::string attempts_text(const RequestRecord& record) {
  Table table;
  table.columns = {{"", true},       {"target", false},     {"outcome", false}, {"HTTP", true},       {"input", true},
                   {"cached", true}, {"cache write", true}, {"output", true},   {"reasoning", true},  {"usage", false},
                   {"billed", true}, {"cost USD", true},    {"connect", true},  {"first byte", true}, {"whole", true}};
  for (const Attempt& attempt : record.attempts) {
    const AttemptSettle& end = attempt.settle;
    const bool over = attempt.state != RowState::open;
    table.rows.push_back(
        {std::to_string(attempt.open.number), attempt.open.target, attempt_outcome(attempt),
         end.status == 0 ? "" : std::to_string(end.status), cell(end.usage.input), cell(end.usage.cached_input),
         cell(end.usage.cache_write), cell(end.usage.output), cell(end.usage.reasoning),
         over ? std::string(to_string(end.usage_source)) : "", end.cost ? amount_text(*end.cost) : (over ? "no price" : ""),
         end.usd_pico ? format_decimal(*end.usd_pico) : "", end.connection_reused ? "reused" : duration_cell(end.connect_us),
         duration_cell(end.first_byte_us), attempt.state == RowState::settled ? duration_text(end.duration_us) : ""});
  }
  return table.rows.empty() ? "" : "\nAttempts\n" + to_text(table, 2);
}

/// "36 input x 2 + 40 output x 3 CNY per million"
std::string charged(const Attempt& attempt) {
  const Json price = object_in(attempt.settle.price);
  const Usage& usage = attempt.settle.usage;
  std::string text;
  const auto term = [&](std::int64_t count, const char* kind, const char* fallback) {
    std::string rate = member(price, kind);
    if (rate.empty()) rate = member(price, fallback);
    if (count == 0 || rate.empty()) return;
    text.append(text.empty() ? "" : " + ").append(std::to_string(count)).append(" ").append(kind).append(" x ").append(rate);
  };
  term(usage.input.value_or(0), "input", "input");
  term(usage.cached_input.value_or(0), "cached_input", "input");
  term(usage.cache_write.value_or(0), "cache_write", "input");
  term(usage.output_total(), "output", "output");
  return text.empty() ? "" : text + " " + member(price, "currency") + " per million = ";
}

/// The row of one attempt, with the arithmetic of its cost.
std::string ledger_line(const Attempt& attempt) {
  const AttemptSettle& end = attempt.settle;
  std::string text = "  " + iso_8601_us(attempt.open.sent_at) + "  " + printable(attempt.open.target) + "  " +
                     std::string(to_string(attempt.state));
  if (attempt.state == RowState::open) return text + "\n";
  text += "  " + std::string(to_string(end.usage_source));
  if (!end.reported_model.empty() && end.reported_model != attempt.open.model)
    text += "  the answer names another model: " + printable(end.reported_model);
  text += "\n    ";
  if (!end.cost) return text + "no price: the cost is unknown\n";
  text += printable(charged(attempt)) + amount_text(*end.cost);
  if (end.usd_pico && end.cost->currency != Currency{}) {
    if (end.usd_rate) text += " x " + format_decimal(*end.usd_rate);
    text += " = " + format_decimal(*end.usd_pico) + " USD";
  }
  if (end.reported_usd_pico) text += "; the provider says " + format_decimal(*end.reported_usd_pico) + " USD";
  return text + "\n";
}

}  // namespace

std::string explain_text(const RequestRecord& record) {
  const Json plan = object_in(whole_plan_text(record.open.plan, record.open.expected));
  std::string text =
      heading(record) + outcome(record) + replay_line(record) + target_line(record, plan) + policies_line(plan) + cost_line(record);
  text += candidates_text(plan) + rejections_text(plan) + attempts_text(record);
  if (!record.attempts.empty()) text += "\nIn the ledger\n";
  for (const Attempt& attempt : record.attempts) text += ledger_line(attempt);
  return text;
}

std::string explain_hypothetical_text(std::string_view explanation) {
  const Json told = object_in(std::string(explanation));
  const Json& outcome = told.contains("outcome") ? told["outcome"] : told;
  std::string text = "A request of key " + printable(member(told, "key")) + " for " + printable(member(told, "asked_for")) +
                     " at " + member(told, "at") + ", about " + member(told, "input_tokens") + " tokens of input\n";
  const std::string target = member(outcome, "target"), usd = member(outcome, "expected_usd");
  text += target.empty()
              ? "  outcome  refused: " + member(outcome, "message") + "\n"
              : "  outcome  " + printable(target) + (usd.empty() ? ", at an unknown cost" : ", for about " + usd + " USD") + "\n";
  const Json& plan = told.contains("plan") ? told["plan"] : told;
  text += policies_line(plan);
  text += "  estimate " + printable(member(told, "estimates")) + "\n";
  for (const Json& note : list(told, "notes")) text += "  note     " + printable(note.get<std::string>()) + "\n";
  return text + candidates_text(plan) + rejections_text(plan);
}

}  // namespace fairlead::cli
