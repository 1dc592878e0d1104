#include "state/script_rates.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fairlead::state {
namespace {

constexpr std::size_t n = script_count;
using Vector = std::array<double, n>;
using Matrix = std::array<Vector, n>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
#pragma GCC unroll 8  // here and below: a third of the instructions, for each answer
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// By Cholesky's way.
bool positive_definite(const Matrix& m) {
  Matrix l{};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = m[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      if (i == j && !(sum > 0 && std::isfinite(sum))) return false;
      l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
    }
  return true;
}

}  // namespace

// Recursive least squares with the directional forgetting of Kulhavy: only what is learned anew makes old evidence fade, so that a
// script that does not come is not forgotten.
void ScriptRates::note(const TextBytes& text, std::int64_t tokens) {
  Vector x{};  // of what is expected, the part of each script: its sum with the factors is 1
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(text.of[i]) / prior_bytes_per_token[i];
  const double expected = dot(x, factor);
  if (expected <= 0) return;
  const double ratio = static_cast<double>(tokens) / expected;
  if (ratio > factor_max || ratio < 1 / factor_max) return;
  for (double& part : x) part /= expected;

  const double counts = std::min(1.0, static_cast<double>(tokens) / full_tokens);
  const double forgotten = counts * std::numbers::ln2 / half_life;
  Vector gain{};
  for (std::size_t i = 0; i < n; ++i) gain[i] = dot(doubt[i], x);
  const double own_doubt = counts * dot(gain, x);  // above 0, as the matrix is positive definite
  const double learned = counts * (ratio - 1) / (1 + own_doubt);
  for (std::size_t i = 0; i < n; ++i) factor[i] = std::clamp(factor[i] + learned * gain[i], 1 / factor_max, factor_max);
  const double kept = 1 - forgotten - forgotten / own_doubt;
  const double step = counts * kept / (1 + kept * own_doubt);
  for (std::size_t i = 0; i < n; ++i) {
    const double own = step * gain[i];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < n; ++j) doubt[i][j] -= own * gain[j];
  }
}

std::array<double, script_count> ScriptRates::bytes_per_token() const {
  Vector rates{};
  for (std::size_t i = 0; i < n; ++i) rates[i] = prior_bytes_per_token[i] / factor[i];
  return rates;
}

std::array<double, script_count> ScriptRates::evidence() const {
  Vector attempts{};
  for (std::size_t i = 0; i < n; ++i) attempts[i] = std::max(0.0, factor[i] * factor[i] * (1 / doubt[i][i] - 1 / prior_doubt));
  return attempts;
}

bool ScriptRates::sound() const {
  for (std::size_t i = 0; i < n; ++i) {
    if (!(factor[i] >= 1 / factor_max && factor[i] <= factor_max)) return false;
    for (std::size_t j = 0; j < n; ++j)
      if (std::abs(doubt[i][j] - doubt[j][i]) > 1e-9) return false;
  }
  return positive_definite(doubt);
}

}  // namespace fairlead::state
