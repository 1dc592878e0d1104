#pragma once
// What became of the assertions, in words. Pure; used by `check`.
#include "plan/prove/prove.h"

#include <string>

namespace fairlead::cli {

/// A line for each assertion, with the counterexample of those that fail, and the sum. `coloured`: for a terminal.
std::string proofs_text(const prove::Proofs& proofs, const Snapshot& snapshot, bool coloured);

/// Are all of them proved?
bool all_hold(const prove::Proofs& proofs);

}  // namespace fairlead::cli
