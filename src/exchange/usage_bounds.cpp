#include "exchange/usage_bounds.h"

#include <algorithm>

#include "plan/expect.h"

namespace fairlead::exchange {
namespace {

/// Of all input together.
std::int64_t input_max(const AttemptProgress& attempt) {
  const RequestFacts& facts = *attempt.asked.facts;
  const bool media = facts.unknown_content || facts.needs.has(Capability::vision) || facts.needs.has(Capability::audio);
  const auto bytes = static_cast<std::int64_t>(attempt.asked.body_bytes);
  return bytes * input_tokens_per_byte_max + input_tokens_hidden_max + (media ? input_tokens_media_max : 0);
}

std::int64_t model_limit(const AttemptProgress& attempt) {
  const std::int64_t stated = attempt.target->model->output_tokens_max;
  return stated > 0 ? stated : output_tokens_unlimited;
}

/// Of all choices together, if this limits each.
std::int64_t output_max(const AttemptProgress& attempt, std::int64_t limit) {
  return (limit * output_of_limit_max + output_tokens_beside_limit) * attempt.asked.facts->choices;
}

/// Tokens of images and sound, read and written together.
std::int64_t media_of(const Usage& usage) { return usage.audio.value_or(0) + usage.image.value_or(0); }

bool input_can_be(const AttemptProgress& attempt, const AnswerSummary& answer) {
  const Usage& usage = answer.usage;
  // No prompt is without a token; only what failed before anything came may be free.
  if (usage.input && usage.input_total() == 0 && (!attempt.error || answer.content_bytes > 0)) return false;
  return usage.input_total() <= input_max(attempt);
}

bool output_can_be(const AttemptProgress& attempt, const AnswerSummary& answer) {
  const Usage& usage = answer.usage;
  if (usage.output && usage.output_total() == 0 && answer.content_bytes > 0) return false;
  const auto bytes = static_cast<std::int64_t>(answer.content_bytes) + output_tokens_beside_limit;
  const auto cap = output_cap(*attempt.asked.facts, *attempt.target);
  const std::int64_t own = output_max(attempt, std::min(cap.value_or(model_limit(attempt)), output_tokens_unlimited));
  const std::int64_t of_model = output_max(attempt, model_limit(attempt));
  const std::int64_t unseen = std::min(media_of(usage), of_model);  // no bytes tell of it
  return usage.output.value_or(0) <= std::max(own, bytes) + unseen && usage.reasoning.value_or(0) <= std::max(own, of_model);
}

bool media_can_be(const AttemptProgress& attempt, const AnswerSummary& answer) {
  return media_of(answer.usage) <= input_max(attempt) + output_max(attempt, model_limit(attempt));
}

}  // namespace

bool can_be(const AttemptProgress& attempt, const AnswerSummary& answer) {
  return input_can_be(attempt, answer) && output_can_be(attempt, answer) && media_can_be(attempt, answer);
}

}  // namespace fairlead::exchange
