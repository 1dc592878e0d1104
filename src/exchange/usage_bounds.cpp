#include "exchange/usage_bounds.h"

#include <algorithm>

#include "plan/expect.h"

namespace fairlead::exchange {
namespace {

/// Of all input together.
std::int64_t input_max(const AttemptEnd& end) {
  const RequestFacts& facts = *end.asked.facts;
  const bool media = facts.unknown_content || facts.needs.has(Capability::vision) || facts.needs.has(Capability::audio);
  const auto bytes = static_cast<std::int64_t>(end.asked.body_bytes);
  return bytes * input_tokens_per_byte_max + input_tokens_hidden_max + (media ? input_tokens_media_max : 0);
}

std::int64_t model_limit(const AttemptEnd& end) {
  const std::int64_t stated = end.target->model->output_tokens_max;
  return stated > 0 ? stated : output_tokens_unlimited;
}

/// Of all choices together, if this limits each.
std::int64_t output_max(const AttemptEnd& end, std::int64_t limit) {
  return (limit * output_of_limit_max + output_tokens_beside_limit) * end.asked.facts->choices;
}

/// Tokens of images and sound, read and written together.
std::int64_t media_of(const Usage& usage) { return usage.audio.value_or(0) + usage.image.value_or(0); }

bool input_can_be(const AttemptEnd& end) {
  const Usage& usage = end.answer.usage;
  // No prompt is without a token; only what failed before anything came may be free.
  if (usage.input && usage.input_total() == 0 && (!end.error || end.answer.content_bytes > 0)) return false;
  return usage.input_total() <= input_max(end);
}

bool output_can_be(const AttemptEnd& end) {
  const Usage& usage = end.answer.usage;
  if (usage.output && usage.output_total() == 0 && end.answer.content_bytes > 0) return false;
  const auto bytes = static_cast<std::int64_t>(end.answer.content_bytes) + output_tokens_beside_limit;
  const auto cap = output_cap(*end.asked.facts, *end.target);
  const std::int64_t own = output_max(end, std::min(cap.value_or(model_limit(end)), output_tokens_unlimited));
  const std::int64_t of_model = output_max(end, model_limit(end));
  const std::int64_t unseen = std::min(media_of(usage), of_model);  // no bytes tell of it
  return usage.output.value_or(0) <= std::max(own, bytes) + unseen && usage.reasoning.value_or(0) <= std::max(own, of_model);
}

bool media_can_be(const AttemptEnd& end) {
  return media_of(end.answer.usage) <= input_max(end) + output_max(end, model_limit(end));
}

}  // namespace

bool can_be(const AttemptEnd& end) { return input_can_be(end) && output_can_be(end) && media_can_be(end); }

}  // namespace fairlead::exchange
