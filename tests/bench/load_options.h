#pragma once
// The arguments of `load`.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chat_request.h"
#include "watch.h"

struct LoadOptions {
  ChatRequest request;
  std::size_t connections = 16;
  std::uint64_t requests = 0;  ///< stop after so many; 0: when the time is up
  double rate = 0;             ///< requests a second, open loop; 0: closed loop
  double seconds = 3;          ///< measured
  double warmup_seconds = 0.5;
  double ramp_seconds = -1;  ///< over which connections are opened; below 0: 10,000 a second
  std::vector<Watch> watches;
};

/// Prints help or mistakes, and ends the program, as CLI11 does.
LoadOptions load_options(int argc, char** argv);
