#include "plan/policy.h"

#include "plan/routes.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace fairlead {
namespace {

std::uint8_t modalities_of(const RequestFacts& facts) {
  const auto bit = [](Modality modality, bool there) { return there ? 1U << static_cast<int>(modality) : 0U; };
  return static_cast<std::uint8_t>(bit(Modality::text, true) |
                                   bit(Modality::image, facts.unknown_content || facts.needs.has(Capability::vision)) |
                                   bit(Modality::audio, facts.unknown_content || facts.needs.has(Capability::audio)) |
                                   bit(Modality::tools, facts.needs.has(Capability::tools)));
}

bool has_tag(const RequestFacts& facts, const std::string& tag) {
  const auto among = [&](const std::vector<std::string>& tags) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); };
  return among(facts.key->tags) || among(facts.tags);
}

bool under_route(const RequestFacts& facts, const IndexSet& routes) {
  if (facts.route) return routes.has(facts.route->index);
  bool under = false;
  for_each_route(*facts.target, facts, [&](const Route& route) { under |= routes.has(route.index); });
  return under;
}

/// A class that nobody looked for may be there.
bool may_hold(const RequestFacts& facts, const std::string& content) {
  const auto one =
      std::find_if(facts.content.begin(), facts.content.end(), [&](const ContentCount& c) { return c.name == content; });
  return one == facts.content.end() || one->count > 0;
}

template <class Values, class Holds>
bool none_stated_or_any(const Values& values, const Holds& holds) {
  return values.empty() || std::any_of(values.begin(), values.end(), holds);
}

}  // namespace

bool holds(const TimeWindow& window, TimePoint now) { return window.holds(now, true); }

bool matches(const When& when, const RequestFacts& facts, TimePoint now) {
  return (!when.keys || when.keys->has(facts.key->index)) && (!when.routes || under_route(facts, *when.routes)) &&
         (when.endpoints == 0 || (when.endpoints >> static_cast<int>(facts.endpoint) & 1) != 0) &&
         (when.modalities == 0 || (when.modalities & modalities_of(facts)) != 0) &&
         none_stated_or_any(when.tags, [&](const std::string& tag) { return has_tag(facts, tag); }) &&
         none_stated_or_any(when.content, [&](const std::string& name) { return may_hold(facts, name); }) &&
         none_stated_or_any(
             when.input_tokens,
             [&](const TokenRange& range) { return facts.input_tokens > range.above && facts.input_tokens <= range.up_to; }) &&
         none_stated_or_any(when.networks, [&](const Network& network) { return !facts.client || network.holds(*facts.client); }) &&
         none_stated_or_any(when.times, [&](const TimeWindow& window) { return holds(window, now); });
}

std::vector<const Policy*> matching_policies(const RequestFacts& facts, const Snapshot& snapshot, TimePoint now) {
  std::vector<const Policy*> policies;
  for (const Policy& policy : snapshot.policies)
    if (matches(policy.when, facts, now)) policies.push_back(&policy);
  return policies;
}

std::optional<IndexSet> allowed_targets(const std::vector<const Policy*>& policies, Keeping keeping, TimePoint now) {
  if (policies.empty()) return std::nullopt;
  if (keeping != Keeping::not_asked &&
      std::any_of(policies.begin(), policies.end(), [](const Policy* p) { return p->on_retention; }))
    return IndexSet{};
  IndexSet allowed = policies.front()->targets;
  for (const Policy* policy : policies) {
    allowed.keep(policy->targets);
    for (auto end = policy->ends.begin(); end != policy->ends.end() && end->at <= now; ++end) allowed.remove(end->target);
  }
  return allowed;
}

std::vector<const Policy*> with_max_cost(const std::vector<const Policy*>& policies) {
  std::vector<const Policy*> limits;
  std::copy_if(policies.begin(), policies.end(), std::back_inserter(limits),
               [](const Policy* policy) { return policy->max_cost.has_value(); });
  return limits;
}

void reject_by_max_cost(const Target& target, const RequestFacts& facts, const std::vector<const Policy*>& policies,
                        const std::optional<ExpectedCost>& expected, std::vector<Rejection>& rejections) {
  const auto too_dear = [&](const std::optional<Int128>& limit) { return limit && (!expected || expected->usd_pico > *limit); };
  const auto reason = [&](Int128 limit) {
    return (expected ? "it is expected to cost " + format_decimal(expected->usd_pico) + " USD" : "its cost is not known") +
           ", at most is " + format_decimal(limit);
  };
  for (const Policy* policy : policies)
    if (too_dear(policy->max_cost))
      rejections.push_back({&target, RejectedBy::policy, policy->name,
                            reason(*policy->max_cost) + (policy->reason.empty() ? "" : ": " + policy->reason)});
  for_each_route(target, facts, [&](const Route& route) {
    if (too_dear(route.max_cost))
      rejections.push_back({&target, RejectedBy::price, "max_cost", reason(*route.max_cost) + " on route " + route.name});
  });
}

}  // namespace fairlead
