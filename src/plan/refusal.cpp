#include "plan/refusal.h"

#include "plan/reasons.h"

#include <algorithm>

namespace fairlead {
namespace {

/// The targets that such rejections alone keep the request from: of each, the first.
template <class Such>
std::vector<const Rejection*> kept_away_by(const Plan& plan, const Such& such) {
  std::vector<const Rejection*> found;
  const auto& all = plan.rejections;
  for (auto at = all.begin(); at != all.end();) {
    const auto next = std::find_if(at, all.end(), [&](const Rejection& r) { return r.target != at->target; });
    if (std::all_of(at, next, such)) found.push_back(&*at);
    at = next;
  }
  return found;
}

/// As OpenAI says it, for who shortens the conversation then.
Error too_long(const Rejection& rejection) {
  Error error(ErrorKind::bad_request, ErrorOrigin::app,
              "This request is longer than the maximum context length of every target that it may reach; of the largest: " +
                  rejection.reason + " tokens.");
  error.set_code("context_length_exceeded");
  error.set_param("messages");
  return error;
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
  if (const auto wished = kept_away_by(plan, [](const Rejection& r) { return r.by == RejectedBy::wish; }); !wished.empty()) {
    const Rejection& wish = *wished.front();
    Error error(ErrorKind::bad_request, ErrorOrigin::app,
                "no target that this request may reach satisfies its wishes" +
                    (wish.rule == "provider.data_collection" && plan.keeping != Keeping::not_asked ? ": " + wish.reason : ""));
    error.set_param(wish.rule);
    return error;
  }
  const auto is_window = [](const Rejection& r) { return r.by == RejectedBy::capability && r.rule == "context_window"; };
  if (const auto small = kept_away_by(plan, is_window); !small.empty())
    return too_long(**std::max_element(small.begin(), small.end(), [](const Rejection* a, const Rejection* b) {
      return a->target->model->context_window < b->target->model->context_window;
    }));
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
