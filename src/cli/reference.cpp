#include "cli/reference.h"

#include "plan/plan.h"

namespace fairlead::cli {

Plan plan_of(const Reference& reference, const Address& client, const Key& key, const Route& route, const Snapshot& snapshot) {
  RequestFacts facts;
  facts.key = &key;
  facts.route = &route;
  facts.input_tokens = reference.input_tokens;
  facts.client = client;
  Conditions conditions;
  conditions.output_tokens_expected = static_cast<double>(reference.output_tokens);
  return make_plan(facts, snapshot, conditions, reference.at);
}

}  // namespace fairlead::cli
