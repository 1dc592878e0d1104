#include <fairlead/estimate.h>
#include <fairlead/plan.h>

namespace fairlead {

double tokens_of(const TextBytes& text, const std::array<double, script_count>& bytes_per_token) {
  double tokens = 0;
  for (std::size_t i = 0; i < text.of.size(); ++i)
    if (text.of[i] != 0) tokens += static_cast<double>(text.of[i]) / bytes_per_token[i];
  return tokens;
}

const TargetEstimate& Conditions::estimate_of(const Target& target) const {
  static constexpr TargetEstimate prior;
  const auto index = static_cast<std::size_t>(target.index);
  return index < estimates.size() ? estimates[index] : prior;
}

bool Conditions::healthy(const Target& target) const {
  const auto index = static_cast<std::size_t>(target.index);
  return index >= unhealthy.size() || !unhealthy[index];
}

}  // namespace fairlead
