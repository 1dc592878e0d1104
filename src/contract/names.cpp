// The names of the contract's enumerations, as they stand in rows, logs, metrics and files.
#include <fairlead/names.h>
#include <fairlead/plan.h>
#include <fairlead/request.h>
#include <fairlead/result.h>
#include <fairlead/row.h>
#include <fairlead/snapshot.h>
#include <fairlead/usage.h>

#include <array>

namespace fairlead {
namespace {

template <class E, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, E value) {
  return names.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_request: return "bad_request";
    case ErrorKind::unauthorized: return "unauthorized";
    case ErrorKind::policy: return "policy";
    case ErrorKind::unknown_model: return "unknown_model";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::method_not_allowed: return "method_not_allowed";
    case ErrorKind::body_too_large: return "body_too_large";
    case ErrorKind::head_too_large: return "head_too_large";
    case ErrorKind::unsupported_media: return "unsupported_media";
    case ErrorKind::request_timeout: return "request_timeout";
    case ErrorKind::app_gone: return "app_gone";
    case ErrorKind::no_candidate: return "no_candidate";
    case ErrorKind::overloaded: return "overloaded";
    case ErrorKind::rate_limited: return "rate_limited";
    case ErrorKind::idempotency_in_progress: return "idempotency_in_progress";
    case ErrorKind::idempotency_mismatch: return "idempotency_mismatch";
    case ErrorKind::idempotency_gone: return "idempotency_gone";
    case ErrorKind::over_budget: return "over_budget";
    case ErrorKind::ledger_unavailable: return "ledger_unavailable";
    case ErrorKind::draining: return "draining";
    case ErrorKind::config: return "config";
    case ErrorKind::io: return "io";
    case ErrorKind::internal: return "internal";
    case ErrorKind::upstream_connect: return "upstream_connect";
    case ErrorKind::upstream_tls: return "upstream_tls";
    case ErrorKind::upstream_timeout: return "upstream_timeout";
    case ErrorKind::upstream_closed: return "upstream_closed";
    case ErrorKind::upstream_protocol: return "upstream_protocol";
    case ErrorKind::upstream_rate_limit: return "upstream_rate_limit";
    case ErrorKind::upstream_no_money: return "upstream_no_money";
    case ErrorKind::upstream_auth: return "upstream_auth";
    case ErrorKind::upstream_refused: return "upstream_refused";
    case ErrorKind::upstream_filtered: return "upstream_filtered";
    case ErrorKind::upstream_unavailable: return "upstream_unavailable";
    case ErrorKind::upstream_error_event: return "upstream_error_event";
  }
  return "unknown";
}

std::string_view to_string(Keeping field) {
  return name_of(std::array<std::string_view, keeping_count>{"", "store", "prompt_cache_retention"}, field);
}
std::optional<Keeping> parse_keeping(std::string_view field) { return parse_name<Keeping>(field, keeping_count); }
std::string in_words(Keeping field) { return "the request asks the provider to keep it (" + std::string(to_string(field)) + ")"; }

std::string_view to_string(ErrorOrigin origin) {
  return name_of(std::array<std::string_view, 3>{"app", "fairlead", "provider"}, origin);
}
std::string_view to_string(Limit limit) {
  return name_of(std::array<std::string_view, limit_count>{"requests_per_minute", "requests_per_day", "tokens_per_minute",
                                                           "tokens_per_day", "parallel"},
                 limit);
}
std::string_view to_string(UsageSource source) {
  return name_of(std::array<std::string_view, 4>{"none", "reported", "estimated", "invalid"}, source);
}
std::string_view to_string(RejectedBy by) {
  return name_of(std::array<std::string_view, 7>{"provider_disabled", "capability", "policy", "price", "wish", "quality", "budget"},
                 by);
}
std::string_view to_string(RowState state) {
  return name_of(std::array<std::string_view, 3>{"open", "settled", "interrupted"}, state);
}
std::string_view to_string(EndedBy by) {
  return name_of(std::array<std::string_view, 4>{"none", "app", "fairlead", "provider"}, by);
}
std::string_view to_string(Phase phase) {
  return name_of(std::array<std::string_view, 7>{"none", "plan", "connect", "send", "wait", "relay", "done"}, phase);
}
std::string_view to_string(Endpoint endpoint) {
  return name_of(std::array<std::string_view, endpoint_count>{"chat.completions", "completions", "embeddings", "responses"},
                 endpoint);
}
std::string_view to_string(Modality modality) {
  return name_of(std::array<std::string_view, modality_count>{"text", "image", "audio", "tools"}, modality);
}
std::string_view to_string(Fact fact) {
  return name_of(std::array<std::string_view, fact_count>{"provider", "model", "origin", "operator", "region", "hosting",
                                                          "retention", "label"},
                 fact);
}
std::optional<Fact> parse_fact(std::string_view name) { return parse_name<Fact>(name, fact_count); }
std::string_view to_string(Script script) {
  return name_of(std::array<std::string_view, script_count>{"letters", "marks", "cjk", "other", "words", "digits", "rest"}, script);
}
std::string_view to_string(Capability capability) {
  return name_of(std::array<std::string_view, capability_count>{"tools", "vision", "audio", "json_object", "json_schema",
                                                                "reasoning", "streaming", "choices"},
                 capability);
}

std::optional<Capability> parse_capability(std::string_view name) { return parse_name<Capability>(name, capability_count); }

const Target* Snapshot::target(std::string_view name) const {
  auto at = target_by_name.find(std::string(name));
  return at == target_by_name.end() ? nullptr : at->second;
}
const Route* Snapshot::route(std::string_view name) const {
  auto at = route_by_name.find(std::string(name));
  return at == route_by_name.end() ? nullptr : at->second;
}
const Team* Snapshot::team(std::string_view name) const {
  auto at = teams.find(name);
  return at == teams.end() ? nullptr : &at->second;
}
const Project* Snapshot::project(std::string_view name) const {
  auto at = projects.find(name);
  return at == projects.end() ? nullptr : &at->second;
}

}  // namespace fairlead
