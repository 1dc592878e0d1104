#pragma once
// How much a key, a team or a route may ask for. Plain values.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead {

/// `parallel`: requests under way at the same time.
enum class Limit : std::uint8_t { requests_per_minute, requests_per_day, tokens_per_minute, tokens_per_day, parallel };
inline constexpr std::size_t limit_count = 5;
std::string_view to_string(Limit limit);  ///< the option's name

struct RateLimits {
  std::array<std::int64_t, limit_count> most{};  ///< by Limit; 0: no limit
  std::int64_t of(Limit limit) const { return most[static_cast<std::size_t>(limit)]; }
};

}  // namespace fairlead
