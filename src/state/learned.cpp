#include "state/learned.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace fairlead::state {
namespace {

constexpr std::int64_t output_tokens_measured = 8;  // a shorter stream tells nothing of the time of a token

/// What is left of old sums when one more comes.
constexpr double kept(double half_life) { return 1 - std::numbers::ln2 / half_life; }

double counted(double tokens) { return tokens > Learned::tokens_max ? Learned::tokens_max / tokens : 1; }

/// How far the estimate of a text is off, up to a hundredfold: 100 is 1 %.
void note_error(Times& errors, const TextBytes& text, std::int64_t tokens, const ScriptRates& rates, TimePoint now) {
  if (text.empty() || tokens <= 0) return;
  const auto actual = static_cast<double>(tokens);
  const double off = std::abs(tokens_of(text, rates.bytes_per_token()) - actual) / actual;
  errors.note(std::llround(std::min(off, 100.0) * Learned::error_parts), now);
}

}  // namespace

void Learned::note_input(const TextBytes& text, std::int64_t tokens, TimePoint now) {
  note_error(input_error, text, tokens, input, now);
  input.note(text, tokens);
}

void Learned::note_answer(const TextBytes& content, std::int64_t tokens, TimePoint now) {
  if (content.empty()) return;
  note_error(answer_error, content, tokens, answer_rates(), now);
  if (!answer) answer.emplace().factor = input.factor;
  answer->note(content, tokens);
}

double Fading::left(TimePoint now) const {
  const auto since = now - noted_at;  // of two times since 1970, so it is in range
  if (since < -ahead_max) return 0;
  if (since <= rest) return 1;
  return std::exp2(-(std::chrono::duration<double>(since - rest) / half_life));
}

void Answers::note(double output_tokens, double prior, TimePoint now) {
  const double old = kept(half_life) * left(prior, now);
  tokens = tokens * old + output_tokens;
  answers = answers * old + 1;
  fading.noted_at = now;
}

double Answers::expected(double prior, TimePoint now) const {
  const double rest = left(prior, now);
  return (prior_answers * prior + rest * tokens) / (prior_answers + rest * answers);
}

void Learned::note_output(double output_tokens, double expected, TimePoint now) {
  const double old = kept(half_life) * output_left(now);
  output = output * old + output_tokens;
  output_expected = output_expected * old + expected;
  output_fading.noted_at = now;
}

double Learned::output_ratio(TimePoint now) const {
  const double rest = output_left(now);
  return (prior_output + rest * output) / (prior_output + rest * output_expected);
}

void Learned::note_cache(std::int64_t cached_tokens, std::int64_t repeated_tokens) {
  const auto possible = static_cast<double>(repeated_tokens);
  const double weight = counted(possible);
  cached = cached * kept(half_life) + std::min(static_cast<double>(cached_tokens), possible) * weight;
  repeated = repeated * kept(half_life) + possible * weight;
}

void Learned::note_times(std::optional<std::int64_t> first_token_us, std::int64_t duration_us, std::int64_t output_tokens,
                         TimePoint now) {
  if (duration_us <= 0) return;  // the clock was set back
  const auto took = static_cast<double>(duration_us);
  double first = 0, each = 0;
  if (first_token_us) {
    first = static_cast<double>(*first_token_us);
    if (output_tokens >= output_tokens_measured) each = (took - first) / static_cast<double>(output_tokens - 1);
  } else {
    const double ratio = took / (usual_first_token_us + usual_token_us * static_cast<double>(output_tokens));
    first = usual_first_token_us * ratio;
    each = usual_token_us * ratio;
  }
  first_token.note(static_cast<std::int64_t>(first), now);
  usual_first_token_us += newest * (first - usual_first_token_us);
  if (each <= 0) return;
  token.note(static_cast<std::int64_t>(each), now);
  usual_token_us += newest * (each - usual_token_us);
}

bool Learned::measured(TimePoint now) const { return first_token.evidence(now) >= Times::measured_from; }

AnswerTimes Learned::times() const { return {first_token.percentile(0.5), first_token.percentile(0.9), token.percentile(0.5)}; }

}  // namespace fairlead::state
