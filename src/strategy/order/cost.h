#pragma once
// Which of two candidates costs less. Pure.
#include <fairlead/plan.h>

namespace fairlead {

/// By the expected cost of this request. A price of 0 is the cheapest there is; a target without a price is not free, and comes
/// last.
bool cheaper(const Candidate& a, const Candidate& b);

}  // namespace fairlead
