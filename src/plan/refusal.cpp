#include "plan/refusal.h"

#include "plan/reasons.h"

#include <algorithm>

namespace fairlead {
namespace {

/// Is there a target that only the request's own wishes keep it from? The wish, or null.
const Rejection* wished_away(const Plan& plan) {
  const auto& all = plan.rejections;
  for (auto at = all.begin(); at != all.end();) {
    const auto next = std::find_if(at, all.end(), [&](const Rejection& r) { return r.target != at->target; });
    if (std::all_of(at, next, [](const Rejection& r) { return r.by == RejectedBy::wish; })) return &*at;
    at = next;
  }
  return nullptr;
}

std::string quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

/// ": the request asks the provider to keep it (store)", where that is why something stands against a target; otherwise empty.
std::string because_kept(const Plan& plan) {
  const bool matters = std::any_of(plan.policies.begin(), plan.policies.end(), [](const Policy* p) { return p->on_retention; });
  return plan.keeping == Keeping::not_asked || !matters ? std::string() : ": " + in_words(plan.keeping);
}

}  // namespace

std::vector<std::string> refusing_policies(const Plan& plan) {
  std::vector<std::string> names;
  const auto reasons = plan_reasons(plan);
  for (const Policy* policy : plan.policies)
    if (std::any_of(reasons.begin(), reasons.end(),
                    [&](const Rejection& r) { return r.by == RejectedBy::policy && r.rule == policy->name; }))
      names.push_back(policy->name);
  return names;
}

Error refusal_of(const Plan& plan, const std::string& request_id) {
  const auto rejected_by = [&](RejectedBy by) {
    return std::find_if(plan.rejections.begin(), plan.rejections.end(), [&](const Rejection& r) { return r.by == by; });
  };
  const auto end = plan.rejections.end();
  if (const Rejection* wish = wished_away(plan)) {
    Error error(ErrorKind::bad_request, ErrorOrigin::app,
                "no target that this request may reach is as it wishes" +
                    (wish->rule == "provider.data_collection" && plan.keeping != Keeping::not_asked ? ": " + wish->reason : ""));
    error.set_param(wish->rule);
    return error;
  }
  if (rejected_by(RejectedBy::policy) != end) {
    const auto policies = refusing_policies(plan);
    return {ErrorKind::policy, ErrorOrigin::fairlead,
            "request " + request_id + " is refused by " + (policies.size() == 1 ? "policy " : "the policies ") + quoted(policies) +
                because_kept(plan)};
  }
  if (const auto r = rejected_by(RejectedBy::capability); r != end) {
    Error error(ErrorKind::bad_request, ErrorOrigin::app, "no target of this route can serve this request: " + r->reason);
    if (r->rule == to_string(Capability::choices)) error.set_param("n");
    return error;
  }
  if (rejected_by(RejectedBy::quality) != end)
    return {ErrorKind::policy, ErrorOrigin::fairlead,
            "request " + request_id + " is refused: no target of this route has the quality_min that it asks for"};
  if (const auto r = rejected_by(RejectedBy::price); r != end)
    return {ErrorKind::policy, ErrorOrigin::fairlead,
            "request " + request_id + " is refused: " +
                (r->rule == "prices.strict" ? "no target of this route has a price to rely on"
                                            : "every target of this route is dearer than the route allows")};
  if (rejected_by(RejectedBy::budget) != end)
    return {ErrorKind::policy, ErrorOrigin::fairlead,
            "request " + request_id + " is refused: a budget counts it, and no target of this route has a price"};
  return {ErrorKind::no_candidate, ErrorOrigin::fairlead, "no target of this route is available"};
}

}  // namespace fairlead
