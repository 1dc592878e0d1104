#include "plan/hypothetical.h"

#include "plan/classify.h"
#include "plan/head.h"
#include "plan/plan.h"
#include "plan/refusal.h"
#include "plan/wishes.h"

#include <fairlead/near.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace fairlead {
namespace {

using Json = nlohmann::ordered_json;

Error wrong(std::string message) { return {ErrorKind::config, ErrorOrigin::fairlead, std::move(message)}; }

Capability capability_of(Modality modality) {
  return modality == Modality::image ? Capability::vision : modality == Modality::audio ? Capability::audio : Capability::tools;
}

/// The head that such a request would have.
Result<Head> head_of(const Hypothetical& asked, const std::string& tags) {
  Head head;
  if (!asked.tags.empty()) head.own.emplace_back("x-fairlead-tags", tags);
  for (const auto& [name, value] : asked.head) {
    if (!is_own_field(name)) return wrong("the header '" + name + "' says nothing to routing: it takes those of x-fairlead- alone");
    head.own.emplace_back(name, value);
  }
  return head;
}

Error no_key(const std::string& name, const Snapshot& snapshot) {
  std::vector<std::string_view> names;
  for (const Key& key : snapshot.keys) names.push_back(key.name);
  const auto& ended = snapshot.ended_keys;
  if (std::find(ended.begin(), ended.end(), name) != ended.end())
    return wrong("the key '" + name +
                 "' lets nobody in: it was revoked, or cannot be taken in (`fairlead key list --all` says which)");
  return wrong("there is no key '" + name + "'" + did_you_mean(name, names));
}

Error not_for(const Key& key, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Route* route : key.routes) {
    names.push_back(route->name);
    for (const Target* target : route->targets)
      if (key.may_name_targets) names.push_back(target->name);
  }
  return wrong("the key '" + key.name + "' may not ask for '" + name + "', or there is no such route or target" +
               did_you_mean(name, names));
}

Error no_content(const std::string& name, const RequestFacts& facts) {
  std::vector<std::string_view> names;
  for (const ContentCount& one : facts.content) names.push_back(one.name);
  return wrong("no policy asks for the content '" + name + "', so it changes nothing" + did_you_mean(name, names));
}

/// What a reader may not know of the answer.
Json notes_on(const RequestFacts& facts, const Snapshot& snapshot) {
  Json notes = Json::array();
  if (snapshot.policies_need.network && !facts.client)
    notes.push_back("no network is given, so that it counts as coming from every network that a policy names");
  return notes;
}

/// A class that no policy asks for changes no plan. That an assertion names it shows that there is such a class.
bool is_asserted(const std::string& name, const Snapshot& snapshot) {
  return std::any_of(snapshot.assertions.begin(), snapshot.assertions.end(), [&](const Assertion& assertion) {
    const auto& classes = assertion.when.content;
    return std::find(classes.begin(), classes.end(), name) != classes.end();
  });
}

/// What is not said to be there is not.
Result<void> add_content(RequestFacts& facts, const std::vector<std::string>& classes, const Snapshot& snapshot) {
  if (facts.content.empty() && snapshot.content)
    for (const std::string& name : snapshot.content->classes()) facts.content.push_back({name, 0});
  for (const std::string& name : classes) {
    bool asked_for = false;
    for (ContentCount& one : facts.content) {
      if (one.name != name && one.name != wider_content(name)) continue;
      one.count = std::max(one.count, 1);
      asked_for = true;
    }
    if (asked_for) continue;
    if (!is_asserted(name, snapshot)) return no_content(name, facts);
    facts.content.push_back({name, 1});
  }
  return boost::system::in_place_value;
}

Json content_of(const RequestFacts& facts) {
  Json content = Json::object();
  for (const ContentCount& one : facts.content)
    if (one.count > 0) content[one.name] = one.count;
  return content;
}

Json names_of(const std::vector<const Policy*>& policies) {
  Json names = Json::array();
  for (const Policy* policy : policies) names.push_back(policy->name);
  return names;
}

Json outcome_of(const RequestFacts& facts, const Plan& plan) {
  if (const Key& key = *facts.key; key.expires_at && plan.at >= *key.expires_at)
    return {{"refused", to_string(ErrorKind::unauthorized)},
            {"policies", Json::array()},
            {"message", "The key '" + key.name + "' has expired at " + iso_8601(*key.expires_at) +
                            ": nobody gets in by it. What its plan would be is told all the same."}};
  if (!plan.candidates.empty()) {
    const Candidate& best = plan.candidates.front();
    return {{"target", best.target->name},
            {"expected_usd", best.expected ? Json(format_decimal(best.expected->usd_pico)) : Json(nullptr)}};
  }
  const Error error = refusal_of(plan, "(hypothetical)");
  return {{"refused", to_string(error.kind)}, {"policies", refusing_policies(plan)}, {"message", error.message()}};
}

Json needs_of(const RequestFacts& facts) {
  Json needs = Json::array();
  for (int i = 0; i < capability_count; ++i)
    if (const auto capability = static_cast<Capability>(i); facts.needs.has(capability)) needs.push_back(to_string(capability));
  return needs;
}

}  // namespace

Result<RequestFacts> facts_of(const Hypothetical& asked, ChatRequest& body, const Snapshot& snapshot) {
  const auto key =
      std::find_if(snapshot.keys.begin(), snapshot.keys.end(), [&](const Key& candidate) { return candidate.name == asked.key; });
  if (key == snapshot.keys.end()) return no_key(asked.key, snapshot);
  if (!asked.route.empty()) body.model = asked.route;
  if (body.model.empty() && !key->routes.empty()) body.model = key->routes.front()->name;
  body.stream |= asked.stream;
  if (asked.store) body.keeping = Keeping::store;
  auto facts = classify(body, *key);
  if (!facts) return not_for(*key, body.model);
  if (asked.input_tokens) {
    facts->input_tokens = *asked.input_tokens;
    facts->text = {};
  }
  if (asked.output_tokens_max) {
    facts->output_tokens_max = asked.output_tokens_max;
    facts->output_tokens_max_of_both.reset();
  }
  for (const Modality modality : asked.modalities)
    if (modality != Modality::text) facts->needs.add(capability_of(modality));
  facts->endpoint = asked.endpoint;
  if (auto scanned = look_for_content(*facts, body, snapshot); !scanned) return wrong(scanned.error().message());
  if (auto known = add_content(*facts, asked.content, snapshot); !known) return known.error();
  const std::string tags = joined(asked.tags, ",");
  const auto head = head_of(asked, tags);
  if (!head) return head.error();
  if (auto added = add_head(*facts, body.wishes, *head, snapshot); !added) return wrong(added.error().message());
  if (auto possible = check_wishes(*facts, snapshot); !possible)
    return wrong(possible.error().param() + ": " + possible.error().message());
  facts->client = parse_ip(asked.client);
  if (!asked.client.empty() && !facts->client) return wrong("'" + asked.client + "' is no address");
  return facts;
}

std::string explanation(const RequestFacts& facts, const Plan& plan, const Snapshot& snapshot, std::string_view estimates) {
  const Json output_max = facts.output_tokens_max ? Json(*facts.output_tokens_max) : Json(nullptr);
  Json json{{"snapshot_hash", snapshot.hash},
            {"at", iso_8601(plan.at)},
            {"key", facts.key->name},
            {"team", facts.key->team},
            {"asked_for", facts.route ? facts.route->name : facts.target->name},
            {"endpoint", to_string(facts.endpoint)},
            {"input_tokens", facts.input_tokens},
            {"output_tokens_max", output_max},
            {"needs", needs_of(facts)},
            {"network", facts.client ? Json(to_string(*facts.client)) : Json(nullptr)},
            {"tags", facts.tags},
            {"content", content_of(facts)},
            {"keeping", facts.keeping == Keeping::not_asked ? Json(nullptr) : Json(to_string(facts.keeping))},
            {"estimates", estimates},
            {"notes", notes_on(facts, snapshot)},
            {"policies", names_of(plan.policies)},
            {"outcome", outcome_of(facts, plan)},
            {"plan", Json::parse(whole_plan_text(plan_text(plan), expected_text(plan)))}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace fairlead
