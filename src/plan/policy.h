#pragma once
// The stage that no request gets round. Pure.
#include <fairlead/plan.h>

#include <vector>

namespace fairlead {

/// Appends one rejection for each condition of each matching policy that the target fails: it must be allowed by all of them, so
/// that a policy can only narrow.
/// When in doubt, the narrower reading holds:
/// - a fact that is not stated satisfies no `allow`, and no `deny` either;
/// - `when` and `deny` compare without regard to ASCII case, `allow` compares exactly;
/// - of a target that was named directly, a policy on any route of the key that holds it applies;
/// - `content` matches if one of its classes was found, or was not looked for;
/// - a condition on a fact that does not exist applies, and is never satisfied.
void reject_by_policy(const Target& target, const RequestFacts& facts, const std::vector<Policy>& policies,
                      std::vector<Rejection>& rejections);

}  // namespace fairlead
