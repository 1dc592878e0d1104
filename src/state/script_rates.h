#pragma once
// How many tokens the bytes of each script are for one target: a least-squares fit over its attempts, of which old ones fade. Pure.
#include <fairlead/estimate.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace fairlead::state {

struct ScriptRates {
  static constexpr double half_life = 300;    ///< attempts
  static constexpr double prior_doubt = 5;    ///< the prior counts as much as a fifth of an attempt
  static constexpr double full_tokens = 200;  ///< shorter inputs count for less: a chat's own tokens are much of them
  static constexpr double factor_max = 5;     ///< and at least a fifth

  std::array<double, script_count> factor = all_of(1);  ///< tokens, as multiples of the priors'
  /// How uncertain the factors are: a covariance, symmetric.
  std::array<std::array<double, script_count>, script_count> doubt = diagonal(prior_doubt);

  /// What no text explains is left out: hidden prompts, other counts.
  void note(const TextBytes& text, std::int64_t tokens);
  std::array<double, script_count> bytes_per_token() const;
  /// Of each script, about how many attempts were seen.
  std::array<double, script_count> evidence() const;
  /// Could note() have made it?
  bool sound() const;

 private:
  static constexpr std::array<double, script_count> all_of(double value) {
    std::array<double, script_count> all{};
    for (double& one : all) one = value;
    return all;
  }
  static constexpr std::array<std::array<double, script_count>, script_count> diagonal(double value) {
    std::array<std::array<double, script_count>, script_count> matrix{};
    for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i][i] = value;
    return matrix;
  }
};

}  // namespace fairlead::state
