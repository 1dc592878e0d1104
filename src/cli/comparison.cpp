#include "cli/comparison.h"

#include "config/restart.h"
#include "plan/prove/space.h"
#include "plan/reasons.h"
#include "plan/routes.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace fairlead::cli {
namespace {

/// A configuration, with its keys by name: there may be thousands.
struct Side {
  explicit Side(const Snapshot& of) : snapshot(of) {
    for (const Key& key : of.keys) keys.emplace(key.name, &key);
  }
  const Snapshot& snapshot;
  std::map<std::string_view, const Key*> keys;
};

/// The names of both, those of `after` first, each in the order of its file.
template <class Things, class NameOf>
std::vector<std::string> names_of(const Things& after, const Things& before, NameOf name_of) {
  std::vector<std::string> names;
  std::set<std::string> known;
  for (const Things* things : {&after, &before})
    for (const auto& thing : *things)
      if (known.insert(name_of(thing)).second) names.push_back(name_of(thing));
  return names;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Offer offer_of(const Plan& plan) {
  Offer offer;
  for (const Candidate& candidate : plan.candidates) offer.targets.push_back(candidate.target->name);
  if (!plan.candidates.empty() && plan.candidates.front().expected)
    offer.usd_pico = plan.candidates.front().expected->usd_pico * 1'000;
  return offer;
}

/// All that stands against a target in a plan; empty: nothing, or it is not in the route.
std::string rejected_by(const Plan& plan, const std::string& target) {
  std::string text;
  for (const Rejection& rejection : plan_reasons(plan))
    if (rejection.target->name == target)
      text.append(text.empty() ? "" : "; ")
          .append(to_string(rejection.by))
          .append(" ")
          .append(rejection.rule)
          .append(": ")
          .append(rejection.reason);
  return text;
}

/// The targets of `here` that are not in `there`, with what stood against them in the plan there.
std::vector<TargetChange> only_in(const Offer& here, const Offer& there, const Plan& plan_there, const char* not_in_route) {
  std::vector<TargetChange> only;
  for (const std::string& target : here.targets) {
    if (holds(there.targets, target)) continue;
    const std::string why = rejected_by(plan_there, target);
    only.push_back({target, why.empty() ? not_in_route : why});
  }
  return only;
}

bool reordered(const Offer& before, const Offer& after) {
  const auto common = [](const Offer& of, const Offer& with) {
    std::vector<std::string> targets;
    for (const std::string& target : of.targets)
      if (holds(with.targets, target)) targets.push_back(target);
    return targets;
  };
  return common(before, after) != common(after, before);
}

/// Where a request may come from, as far as the policies of either configuration can tell: an address, and what to call it.
struct Origin {
  Address address;
  std::string name;
};

/// The narrowest of the networks that hold the address.
std::string name_of(const Address& address, const std::vector<Network>& networks) {
  const Network* found = nullptr;
  for (const Network& network : networks)
    if (network.holds(address) && (found == nullptr || found->bits < network.bits)) found = &network;
  return found == nullptr ? "elsewhere" : fairlead::to_string(*found);
}

std::vector<Origin> origins_of(const Snapshot& before, const Snapshot& after, const Reference& reference) {
  if (reference.client) return {{*reference.client, ""}};
  std::vector<Network> networks;
  for (const Snapshot* snapshot : {&before, &after})
    for (const Policy& policy : snapshot->policies)
      networks.insert(networks.end(), policy.when.networks.begin(), policy.when.networks.end());
  std::vector<Origin> origins;
  std::set<std::vector<bool>> known;  // which of the networks hold the address
  for (const Address& address : prove::pieces_of_addresses(networks)) {
    std::vector<bool> held;
    for (const Network& network : networks) held.push_back(network.holds(address));
    if (known.insert(held).second) origins.push_back({address, name_of(address, networks)});
  }
  return origins;
}

/// What one key gets by one route from one address, before and after.
Effect effect_of(const Side& before, const Side& after, const std::string& key, const std::string& route, const Address& client,
                 const Reference& reference) {
  Effect effect;
  effect.route = route;
  effect.keys = {key};
  const auto plan_in = [&](const Side& side, std::optional<Offer>& offer) {
    const auto known = side.keys.find(key);
    const Route* offered = known == side.keys.end() ? nullptr : route_of(*known->second, route);
    Plan plan;
    if (offered != nullptr) plan = plan_of(reference, client, *known->second, *offered, side.snapshot);
    if (offered != nullptr) offer = offer_of(plan);
    return plan;
  };
  const Plan plan_before = plan_in(before, effect.before), plan_after = plan_in(after, effect.after);
  if (!effect.before || !effect.after) return effect;
  effect.gained = only_in(*effect.after, *effect.before, plan_before, "new in the route");
  effect.lost = only_in(*effect.before, *effect.after, plan_after, "not in the route any more");
  effect.reordered = reordered(*effect.before, *effect.after);
  return effect;
}

bool changes_anything(const Effect& effect) {
  if (effect.before.has_value() != effect.after.has_value()) return true;
  if (!effect.before) return false;
  return effect.before->targets != effect.after->targets || effect.before->usd_pico != effect.after->usd_pico;
}

/// Equal for keys that the same happens to.
std::string signature(const Effect& effect) {
  std::string text = effect.route + '\n';
  for (const std::string& network : effect.from) text += network + ' ';
  for (const auto* offer : {&effect.before, &effect.after}) {
    text += *offer ? "offer " : "none ";
    if (!*offer) continue;
    for (const std::string& target : (*offer)->targets) text += target + ' ';
    text += (*offer)->usd_pico ? format_decimal(*(*offer)->usd_pico) : "unpriced";
  }
  for (const auto* targets : {&effect.gained, &effect.lost})
    for (const TargetChange& change : *targets) text += '\n' + change.target + ' ' + change.why;
  return text;
}

/// What one key gets by one route, told once for all networks from which it is the same.
std::vector<Effect> effects_by_network(const Side& before, const Side& after, const std::string& key, const std::string& route,
                                       const std::vector<Origin>& origins, const Reference& reference) {
  std::vector<Effect> effects;
  std::map<std::string, std::size_t> known;
  for (const Origin& origin : origins) {
    Effect effect = effect_of(before, after, key, route, origin.address, reference);
    if (!changes_anything(effect)) continue;
    const auto [at, fresh] = known.emplace(signature(effect), effects.size());
    if (fresh) effects.push_back(std::move(effect));
    effects[at->second].from.push_back(origin.name);
  }
  for (Effect& effect : effects)
    if (effect.from.size() == origins.size()) effect.from.clear();
  return effects;
}

std::vector<Effect> effects_of(const Snapshot& before, const Snapshot& after, const std::vector<Origin>& origins,
                               const Reference& reference) {
  const auto routes = names_of(after.routes, before.routes, [](const auto& route) { return route->name; });
  const auto keys = names_of(after.keys, before.keys, [](const Key& key) { return key.name; });
  const Side was(before), is(after);
  std::vector<Effect> effects;
  std::map<std::string, std::size_t> known;  // where the effect of this signature is
  for (const std::string& route : routes)
    for (const std::string& key : keys)
      for (Effect& effect : effects_by_network(was, is, key, route, origins, reference)) {
        const auto [at, fresh] = known.emplace(signature(effect), effects.size());
        if (fresh)
          effects.push_back(std::move(effect));
        else
          effects[at->second].keys.push_back(key);
      }
  return effects;
}

}  // namespace

std::string_view to_string(ChangeKind kind) {
  return std::array<std::string_view, 3>{"added", "removed", "changed"}.at(static_cast<std::size_t>(kind));
}

std::string unseen_text(const Comparison& comparison) {
  if (comparison.any() || comparison.same_text) return {};
  return "The files do: in comments, in routing tests, or in how the same is written.\n";
}

Comparison compare(const config::Loaded& before, const config::Loaded& after, const Reference& reference) {
  const Snapshot &was = *before.snapshot, &is = *after.snapshot;
  const std::vector<Origin> origins = origins_of(was, is, reference);
  Comparison comparison;
  comparison.needs_restart = config::needs_restart(was, is);
  comparison.sections = compare_fields(before, after, reference);
  comparison.effects = effects_of(was, is, origins, reference);
  if (origins.size() > 1)
    for (const Origin& origin : origins) comparison.asked_from.push_back(origin.name);
  comparison.same_text = was.hash == is.hash;
  return comparison;
}

}  // namespace fairlead::cli
