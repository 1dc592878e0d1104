#pragma once
// The time at which tests of this folder begin, by either clock.
#include <fairlead/time.h>

namespace fairlead::state {

inline constexpr TimePoint noon{std::chrono::hours(500'004)};
inline constexpr SteadyTime steady_noon{std::chrono::hours(12)};

}  // namespace fairlead::state
