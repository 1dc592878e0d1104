#pragma once
// Prices that are not to be relied on. Pure; used by `check`, `prices`, metrics, and plans where the configuration is strict.
#include <fairlead/snapshot.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// missing: none is in force. stale: it was last seen in force too long ago. implausible: its figures cannot well be.
enum class PriceDoubt : std::uint8_t { missing, stale, implausible };
inline constexpr int price_doubt_count = 3;
std::string_view to_string(PriceDoubt doubt);

struct DoubtedPrice {
  PriceDoubt doubt = PriceDoubt::missing;
  std::string reason;  ///< what follows "its price": "was last seen in force on 2026-01-01, more than 180 days ago"
};

/// All that there is to doubt about what this target charges at this time.
std::vector<DoubtedPrice> doubts_of(const Target& target, const Snapshot& snapshot, TimePoint at);

/// Why these figures cannot well be; empty: they can. `rates`: to USD, for the limits; null: the currency is taken for USD.
std::string why_implausible(const Price& price, const UsdRates* rates);

}  // namespace fairlead
