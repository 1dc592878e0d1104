#include "daemon/explain.h"

#include <fairlead/dialect.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config/scalar.h"
#include "plan/hypothetical.h"
#include "plan/plan.h"

namespace fairlead::daemon {
namespace {

using Json = nlohmann::json;

Error wrong(std::string message) { return {ErrorKind::bad_request, ErrorOrigin::app, std::move(message)}; }

/// Reads the members that it is asked for; what is left in the end was not understood.
class Members {
 public:
  explicit Members(Json object) : object_(std::move(object)) {}

  std::string text(const char* name) { return take(name, &Json::is_string).value_or(Json("")).get<std::string>(); }
  bool boolean(const char* name) { return take(name, &Json::is_boolean).value_or(Json(false)).get<bool>(); }
  std::optional<std::int64_t> count(const char* name) {
    const auto value = take(name, &Json::is_number_unsigned);
    if (!value) return std::nullopt;
    constexpr std::uint64_t count_max = std::numeric_limits<std::int64_t>::max();
    if (value->get<std::uint64_t>() > count_max) note("'" + std::string(name) + "' is above " + std::to_string(count_max));
    return value->get<std::int64_t>();
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> texts;
    for (const Json& item : take(name, &Json::is_array).value_or(Json::array())) {
      if (!item.is_string()) note(std::string(name) + " must hold strings");
      if (item.is_string()) texts.push_back(item.get<std::string>());
    }
    return texts;
  }
  std::optional<Json> object(const char* name) { return take(name, &Json::is_object); }

  template <class Value>
  std::optional<Value> one_of(const char* name, const std::string& text, int count) {
    for (int i = 0; i < count; ++i)
      if (const auto value = static_cast<Value>(i); to_string(value) == text) return value;
    note(std::string(name) + " has no value '" + text + "'");
    return std::nullopt;
  }

  void note(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
  }
  /// The first thing that is wrong; empty: nothing.
  std::string fault() const {
    for (const auto& [name, value] : object_.items())
      if (fault_.empty() && taken_.count(name) == 0) return "'" + name + "' is not known here";
    return fault_;
  }

 private:
  std::optional<Json> take(const char* name, bool (Json::*is)() const noexcept) {
    taken_.insert(name);
    const auto at = object_.find(name);
    if (at == object_.end() || at->is_null()) return std::nullopt;
    if (!((*at).*is)()) {
      note("'" + std::string(name) + "' is of another type");
      return std::nullopt;
    }
    return *at;
  }

  Json object_;
  std::set<std::string> taken_;
  std::string fault_;
};

Hypothetical asked_by(Members& members) {
  Hypothetical asked;
  asked.key = members.text("key");
  asked.route = members.text("route");
  asked.input_tokens = members.count("tokens");
  asked.output_tokens_max = members.count("output_tokens");
  asked.tags = members.texts("tags");
  asked.content = members.texts("content");
  asked.client = members.text("network");
  asked.stream = members.boolean("stream");
  asked.store = members.boolean("store");
  const Json headers = members.object("headers").value_or(Json::object());
  for (const auto& [name, value] : headers.items()) {
    if (!value.is_string()) members.note("headers must hold strings");
    if (value.is_string()) asked.head.emplace_back(name, value.get<std::string>());
  }
  for (const std::string& name : members.texts("modality"))
    if (const auto modality = members.one_of<Modality>("modality", name, modality_count)) asked.modalities.push_back(*modality);
  if (const std::string name = members.text("endpoint"); !name.empty())
    if (const auto endpoint = members.one_of<Endpoint>("endpoint", name, endpoint_count)) asked.endpoint = *endpoint;
  return asked;
}

}  // namespace

Result<std::string> explain(std::string_view asked_text, const Snapshot& snapshot, const ConditionsOf& conditions_of,
                            TimePoint now) {
  Json json = Json::parse(asked_text, nullptr, false);
  if (!json.is_object()) return wrong("a JSON object is asked for, with the name of a 'key' at least");
  Members members(std::move(json));
  Hypothetical asked = asked_by(members);
  if (const std::string at = members.text("at"); !at.empty()) {
    const auto instant = config::parse_instant(at);
    if (!instant) members.note("'at' is no date such as 2026-09-10, or an instant in UTC such as 2026-09-10T04:00Z");
    now = instant.value_or(now);
  }
  ChatRequest body;
  if (const auto written = members.object("body")) {
    auto parsed = find_dialect("openai")->parse_request(Bytes(written->dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (!parsed) return wrong("body: " + parsed.error().message());
    body = std::move(*parsed);
  }
  if (const std::string fault = members.fault(); !fault.empty()) return wrong(fault);
  if (asked.key.empty()) return wrong("the name of a key is asked for: {\"key\": \"app\"}");
  if (!asked.input_tokens && body.body.view().empty()) asked.input_tokens = usual_input_tokens;
  const auto facts = facts_of(asked, body, snapshot);
  if (!facts) return facts.error();
  return explanation(*facts, make_plan(*facts, snapshot, conditions_of(*facts, now), now), snapshot, "learned by the daemon");
}

}  // namespace fairlead::daemon
