#pragma once
// How a request asks to be served, where that moves its price. Plain values.
#include <cstdint>
#include <optional>
#include <string_view>

namespace fairlead {

/// Asked for by a request's `service_tier`, and confirmed or refused by its answer's.
enum class ServiceTier : std::uint8_t { standard, flex, priority, batch };
inline constexpr int service_tier_count = 4;
std::string_view to_string(ServiceTier tier);
/// In the words of requests and answers. "auto", "default" and whatever names no other tier are standard.
ServiceTier parse_service_tier(std::string_view word);

/// The fields of a request that turn thinking on or off.
enum class ThinkingSwitch : std::uint8_t { enable_thinking, thinking, reasoning_effort };
inline constexpr int thinking_switch_count = 3;
std::string_view to_string(ThinkingSwitch field);

/// A set of them: bit i is ThinkingSwitch(i).
using ThinkingSwitches = std::uint8_t;
inline constexpr ThinkingSwitches every_thinking_switch = (1 << thinking_switch_count) - 1;

/// What a request says by each of them.
struct ThinkingWish {
  ThinkingSwitches on = 0, off = 0;
  void set(ThinkingSwitch field, bool to_on);
  /// By the first of those that a provider heeds. Empty: the request does not say.
  std::optional<bool> said(ThinkingSwitches heeded) const;
  bool operator==(const ThinkingWish&) const = default;
};

struct RequestMode {
  ThinkingWish thinking;
  ServiceTier service_tier = ServiceTier::standard;
  bool operator==(const RequestMode&) const = default;
};

}  // namespace fairlead
