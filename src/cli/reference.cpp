#include "cli/reference.h"

#include "plan/plan.h"

#include <fairlead/content.h>

namespace fairlead::cli {

Plan plan_of(const Reference& reference, const Address& client, const Key& key, const Route& route, const Snapshot& snapshot) {
  RequestFacts facts;
  facts.key = &key;
  facts.route = &route;
  facts.input_tokens = reference.input_tokens;
  facts.client = client;
  if (snapshot.content)  // looked for, and not there: what nobody looks for may be
    for (const std::string& name : snapshot.content->classes()) facts.content.push_back({name, 0});
  Conditions conditions;
  conditions.output_tokens_expected = static_cast<double>(reference.output_tokens);
  return make_plan(facts, snapshot, conditions, reference.at);
}

}  // namespace fairlead::cli
