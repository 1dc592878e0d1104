#pragma once
// The stage that no request gets round. Pure.
#include <fairlead/plan.h>

#include <optional>
#include <vector>

namespace fairlead {

/// Is it within the window at this time? In a year that the calendar does not know, the window begins on each day on which it
/// might.
bool holds(const TimeWindow& window, TimePoint now);

/// Do all conditions hold for the request?
bool matches(const When& when, const RequestFacts& facts, TimePoint now);

/// The policies whose `when` the request matches: a target must be allowed by all of them, so that a policy can only narrow.
/// When in doubt, the wider reading of `when` holds: of a target that was named directly, a policy on any route of the key that
/// holds it applies; an app whose address is not known is in every network; content that was not looked for may be there; in a
/// year that a calendar does not know, a window begins on each day on which it might.
std::vector<const Policy*> matching_policies(const RequestFacts& facts, const Snapshot& snapshot, TimePoint now);

/// The targets that `allow` and `deny` of all of them let pass at this time. Empty: all targets, as there are no policies.
/// To a request that asks its provider to keep it, no provider's `retention` is stated: what keeps nothing by itself would keep
/// this.
std::optional<IndexSet> allowed_targets(const std::vector<const Policy*>& policies, Keeping keeping, TimePoint now);

/// Those of the policies that say what a request may cost.
std::vector<const Policy*> with_max_cost(const std::vector<const Policy*>& policies);

/// Appends a rejection for each `max_cost` that the target is expected to pass: its policies', its route's ("max_cost"). A target
/// whose cost is not known passes each of them.
void reject_by_max_cost(const Target& target, const RequestFacts& facts, const std::vector<const Policy*>& policies,
                        const std::optional<ExpectedCost>& expected, std::vector<Rejection>& rejections);

}  // namespace fairlead
