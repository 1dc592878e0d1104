#include "plan/classify.h"

#include "plan/conversation.h"
#include "plan/routes.h"

#include <fairlead/near.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace fairlead {
namespace {

const Target* target_of(const Key& key, std::string_view name) {
  for (const Route* route : key.routes)
    for (const Target* target : route->targets)
      if (target->name == name) return target;
  return nullptr;
}

}  // namespace

Result<RequestFacts> classify(const ChatRequest& request, const Key& key) {
  RequestFacts facts;
  facts.key = &key;
  // Byte for byte: no other case, space, alias or prefix leads to a route or target.
  facts.route = route_of(key, request.model);
  if (!facts.route && key.may_name_targets) facts.target = target_of(key, request.model);
  if (!facts.route && !facts.target) {
    Error error(ErrorKind::unknown_model, ErrorOrigin::app,
                "The model '" + echo_of(request.model) + "' does not exist, or this key may not use it.");
    error.set_param("model");
    return error;
  }
  facts.needs = request.needs;
  facts.mode = request.mode;
  facts.stream = request.stream;
  facts.keeping = request.keeping;
  facts.unknown_content = request.unknown_content;
  if (request.stream) facts.needs.add(Capability::streaming);
  facts.text = request.text;
  facts.input_tokens = static_cast<std::int64_t>(std::ceil(tokens_of(request.text, prior_bytes_per_token)));
  facts.output_tokens_max = request.output_tokens_max;
  facts.output_tokens_max_of_both = request.output_tokens_max_of_both;
  facts.choices = std::min(request.choices, choices_max);
  if (facts.choices > 1) facts.needs.add(Capability::choices);
  facts.wishes = request.wishes.get();
  facts.fields = request.members;
  facts.conversation = conversation_of(request, key);
  return facts;
}

Result<void> look_for_content(RequestFacts& facts, const ChatRequest& request, const Snapshot& snapshot) {
  if (!snapshot.content || request.body.view().empty()) return {};
  auto found = snapshot.content->scan(request.body);
  if (!found) return found.error();
  facts.content = std::move(*found);
  return {};
}

}  // namespace fairlead
