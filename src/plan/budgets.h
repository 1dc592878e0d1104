#pragma once
// Which budgets count a request, and the stage that keeps what they cannot count from it. Pure.
#include <fairlead/plan.h>

#include <vector>

namespace fairlead {

/// Of the installation, the key's team and project, the key, and the route (null: it named a target). The budgets of the provider
/// come on top, of whichever it goes to.
std::vector<const Budget*> budgets_of(const Snapshot& snapshot, const Key& key, const Route* route);

/// Appends a rejection of a target without a price, if a budget counts the request and a route does not say `unpriced: allow`.
/// `counted`: there are budgets_of() it.
void reject_unpriced(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected, bool counted,
                     std::vector<Rejection>& rejections);

}  // namespace fairlead
