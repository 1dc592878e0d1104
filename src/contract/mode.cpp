#include <fairlead/mode.h>
#include <fairlead/names.h>

#include <array>

namespace fairlead {
namespace {

constexpr std::array<std::string_view, service_tier_count> tier_names{"standard", "flex", "priority", "batch"};
constexpr std::array<std::string_view, thinking_switch_count> switch_names{"enable_thinking", "thinking", "reasoning_effort"};

}  // namespace

std::string_view to_string(ServiceTier tier) { return tier_names.at(static_cast<std::size_t>(tier)); }

std::string_view to_string(ThinkingSwitch field) { return switch_names.at(static_cast<std::size_t>(field)); }

ServiceTier parse_service_tier(std::string_view word) {
  if (word == "fast") return ServiceTier::priority;
  return parse_name<ServiceTier>(word, service_tier_count).value_or(ServiceTier::standard);
}

void ThinkingWish::set(ThinkingSwitch field, bool to_on) {
  const auto bit = static_cast<ThinkingSwitches>(1 << static_cast<int>(field));
  ThinkingSwitches& side = to_on ? on : off;
  side = static_cast<ThinkingSwitches>(side | bit);
}

std::optional<bool> ThinkingWish::said(ThinkingSwitches heeded) const {
  for (int i = 0; i < thinking_switch_count; ++i) {
    if ((heeded >> i & 1) == 0) continue;
    if ((on >> i & 1) != 0) return true;
    if ((off >> i & 1) != 0) return false;
  }
  return std::nullopt;
}

}  // namespace fairlead
