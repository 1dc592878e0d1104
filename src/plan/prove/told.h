#pragma once
// A counterexample in words, for people who check a configuration or reload it. Pure.
#include "plan/prove/prove.h"

#include <fairlead/snapshot.h>

#include <string>
#include <vector>

namespace fairlead::prove {

/// What tells `fairlead explain` its request: "--key app --route chat --tokens 1000 --at 2026-11-26T07:00:00Z".
std::string request_options(const Counterexample& example, const Snapshot& snapshot);
/// The command that shows it: "fairlead explain --config ...".
std::string explain_command(const Counterexample& example, const Snapshot& snapshot);
/// Which policies stand against the target, and why not here: a sentence for each, or one that none does.
std::vector<std::string> evaded_lines(const Counterexample& example);

}  // namespace fairlead::prove
