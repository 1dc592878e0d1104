#pragma once
// The wall clock of daemon and commands. Pure code takes `now` as an argument.
#include <fairlead/time.h>

namespace fairlead::daemon {

inline TimePoint wall_clock() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

}  // namespace fairlead::daemon
