#pragma once
// What was learned, as decayed sums beside the stated priors. Plain values; the arithmetic of every estimate is here. Pure.
#include <fairlead/estimate.h>

#include "state/script_rates.h"
#include "state/times.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace fairlead::state {

/// What was learned of long answers fades with time too, so that a route on which it lets nothing pass (`max_cost`) comes to learn
/// again. That begins once there was nothing new for a while.
struct Fading {
  static constexpr std::chrono::hours rest{1}, half_life{6};
  static constexpr std::chrono::hours ahead_max{24};  ///< what was noted later than so is of a clock that was wrong: of long ago

  TimePoint noted_at{};

  /// What is left of it.
  double left(TimePoint now) const;
};

/// How long answers are: of a route, or of a route and key.
struct Answers {
  static constexpr double prior_answers = 4;  ///< the prior weighs as much as so many answers
  static constexpr double half_life = 100;    ///< answers

  double tokens = 0, answers = 0;
  Fading fading;

  void note(double output_tokens, double prior, TimePoint now);
  double expected(double prior, TimePoint now) const;
  double left(double prior, TimePoint now) const { return tokens > answers * prior ? fading.left(now) : 1; }
};

/// Of one target.
struct Learned {
  static constexpr double prior_output = 2'000;    ///< that of output_ratio, as so many tokens of output
  static constexpr double prior_repeated = 2'000;  ///< that of cache_share, as so many repeated tokens
  static constexpr double half_life = 300;         ///< attempts
  static constexpr double tokens_max = 4'000;      ///< of one attempt's repeated ones: more do not count for more
  static constexpr double error_parts = 10'000;    ///< of a whole, in which errors are kept
  static constexpr double newest = 0.05;           ///< the part of the newest in the usual times

  ScriptRates input;
  std::optional<ScriptRates> answer;       ///< of output; begins as what is known of input
  Times input_error, answer_error;         ///< of what was estimated of each attempt, before it was learned from: parts of 10^-4
  double output = 0, output_expected = 0;  ///< tokens: as they came, and as others' answers would have been
  Fading output_fading;
  double cached = 0, repeated = 0;  ///< tokens
  Times first_token, token;
  double usual_first_token_us = 1'000'000, usual_token_us = 20'000;  ///< for sharing out the time of whole answers; the priors

  void note_input(const TextBytes& text, std::int64_t tokens, TimePoint now);
  void note_answer(const TextBytes& content, std::int64_t tokens, TimePoint now);
  const ScriptRates& answer_rates() const { return answer ? *answer : input; }
  static double share(std::int64_t error) { return static_cast<double>(error) / error_parts; }
  void note_output(double output_tokens, double expected, TimePoint now);
  void note_cache(std::int64_t cached_tokens, std::int64_t repeated_tokens);
  /// Of a stream, `first_token_us` is known; a whole answer's time is shared out between first token and the rest as was expected.
  void note_times(std::optional<std::int64_t> first_token_us, std::int64_t duration_us, std::int64_t output_tokens, TimePoint now);

  double output_ratio(TimePoint now) const;
  double output_left(TimePoint now) const { return output > output_expected ? output_fading.left(now) : 1; }
  double cache_share() const { return (prior_repeated * prior_cache_share + cached) / (prior_repeated + repeated); }
  bool measured(TimePoint now) const;
  AnswerTimes times() const;
};

}  // namespace fairlead::state
