#pragma once
// What is believed of a target, learned from settled attempts, with the stated priors where nothing is learned yet. Values.
#include <fairlead/text.h>

#include <array>
#include <cstdint>
#include <optional>

namespace fairlead {

/// By script, of the tokenizers of DeepSeek, Qwen and OpenAI together, over prose, Chinese and code.
inline constexpr std::array<double, script_count> prior_bytes_per_token{7.5, 1.55, 4.3, 6.7, 1.85, 0.93, 7.75};
inline constexpr std::int64_t prior_output_tokens = 400;  ///< of a route and key
inline constexpr double prior_cache_share = 0.5;          ///< of what a target was sent before

/// How fast a target answers. Units: microseconds.
struct AnswerTimes {
  std::int64_t first_token_p50 = 0, first_token_p90 = 0;
  std::int64_t token_p50 = 0;  ///< of each token of output after the first
  bool operator==(const AnswerTimes&) const = default;
};

/// Of one target, for one request.
struct TargetEstimate {
  std::array<double, script_count> bytes_per_token = prior_bytes_per_token;
  double output_ratio = 1;                 ///< its answers are so much longer than those of others to the same requests
  double cache_share = prior_cache_share;  ///< of `repeated_tokens`, what its cache is expected to give
  /// Of this request's input, what it was sent before and may have cached; empty: none.
  std::optional<std::int64_t> repeated_tokens;
  std::optional<AnswerTimes> times;  ///< empty: not measured, or too long ago
};

/// Shapes: bytes by script; the result is not rounded.
double tokens_of(const TextBytes& text, const std::array<double, script_count>& bytes_per_token);

}  // namespace fairlead
