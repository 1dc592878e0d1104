#include "exchange/usage_bounds.h"

#include <algorithm>

#include "plan/expect.h"

namespace fairlead::exchange {
namespace {

bool input_can_be(const AttemptEnd& end) {
  const Usage& usage = end.answer.usage;
  // No prompt is without a token; only what failed before anything came may be free.
  if (usage.input && usage.input_total() == 0 && (!end.error || end.answer.content_bytes > 0)) return false;
  const RequestFacts& facts = *end.asked.facts;
  const bool media = facts.unknown_content || facts.needs.has(Capability::vision) || facts.needs.has(Capability::audio);
  const auto bytes = static_cast<std::int64_t>(end.asked.body_bytes);
  return usage.input_total() <= bytes * input_tokens_per_byte_max + input_tokens_hidden_max + (media ? input_tokens_media_max : 0);
}

bool output_can_be(const AttemptEnd& end) {
  const Usage& usage = end.answer.usage;
  if (usage.output && usage.output_total() == 0 && end.answer.content_bytes > 0) return false;
  const RequestFacts& facts = *end.asked.facts;
  const std::int64_t of_model =
      end.target->model->output_tokens_max > 0 ? end.target->model->output_tokens_max : output_tokens_unlimited;
  const auto bound = [&](std::int64_t limit) { return (limit * output_of_limit_max + output_tokens_beside_limit) * facts.choices; };
  const auto bytes = static_cast<std::int64_t>(end.answer.content_bytes) + output_tokens_beside_limit;
  const std::int64_t own = bound(std::min(output_cap(facts, *end.target).value_or(of_model), output_tokens_unlimited));
  const std::int64_t sound = usage.audio.value_or(0) + usage.image.value_or(0);  // of which no bytes tell
  return usage.output.value_or(0) <= std::max(own, bytes) + sound && usage.reasoning.value_or(0) <= std::max(own, bound(of_model));
}

}  // namespace

bool can_be(const AttemptEnd& end) { return input_can_be(end) && output_can_be(end); }

}  // namespace fairlead::exchange
