#pragma once
// Rejections in words. Made only when somebody asks, as they cost more than the plan. Pure.
#include <fairlead/plan.h>

#include <vector>

namespace fairlead {

/// Every reason of every rejected target, in the order of the file: what the plan's rejections leave out is told here, by policy
/// and fact.
std::vector<Rejection> plan_reasons(const Plan& plan);

}  // namespace fairlead
