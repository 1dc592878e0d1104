// Warnings about who can reach what: rules that never apply, targets that nobody reaches, routes that can end with nothing.
#include "config/build.h"

#include <fairlead/near.h>

#include <algorithm>
#include <functional>
#include <set>

namespace fairlead::config {
namespace {

constexpr auto served = static_cast<unsigned>(Endpoint::chat_completions);

bool shares(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& value) { return std::find(b.begin(), b.end(), value) != b.end(); });
}

/// Can a request of this key for this route be one that the policy is about?
bool may_apply(const Policy& policy, const Key& key, const Route& route) {
  const When& when = policy.when;
  return (!when.keys || when.keys->has(key.index)) && (!when.routes || when.routes->has(route.index)) &&
         (when.tags.empty() || shares(when.tags, key.tags) || shares(when.tags, key.request_tags)) &&
         (when.endpoints == 0 || (when.endpoints >> served & 1) != 0);
}

/// Is each such request one?
bool always_applies(const Policy& policy, const Key& key, const Route& route) {
  const When& when = policy.when;
  return may_apply(policy, key, route) && (when.tags.empty() || shares(when.tags, key.tags)) &&
         (when.modalities == 0 || (when.modalities >> static_cast<unsigned>(Modality::text) & 1) != 0) && when.content.empty() &&
         when.input_tokens.empty() && when.networks.empty() && when.times.empty();
}

class Reach {
 public:
  explicit Reach(const Build& build) : build_(build), snapshot_(build.snapshot), now_(build.now.value_or(TimePoint::min())) {}

  void lint() {
    lint_rules();
    lint_routes();
    lint_targets();
    lint_patterns();
  }

 private:
  template <class Each>
  void for_each_way(const Each& each) const {
    for (const Key& key : snapshot_.keys)
      for (const Route* route : key.routes) each(key, *route);
  }

  /// The targets that the policies let pass now, of those that `applies` to.
  IndexSet left_by(const Key& key, const Route& route, bool (*applies)(const Policy&, const Key&, const Route&),
                   std::vector<std::string>* names = nullptr) const {
    IndexSet left;
    for (const Target* target : route.targets) left.add(target->index);
    for (const Policy& policy : snapshot_.policies) {
      if (!applies(policy, key, route)) continue;
      IndexSet passing = policy.targets;
      for (const Policy::End& end : policy.ends)
        if (end.at <= now_) passing.remove(end.target);
      const IndexSet before = left;
      left.keep(passing);
      if (names && !(left == before)) names->push_back(policy.name);
    }
    return left;
  }

  void lint_rules() {
    const auto written = build_.root.sections("policies");
    for (std::size_t i = 0; i < written.size() && i < snapshot_.policies.size(); ++i) {
      bool ever = false;
      for_each_way([&](const Key& key, const Route& route) { ever |= may_apply(snapshot_.policies[i], key, route); });
      if (!ever)
        build_.findings.warning(written[i].value(), "this policy never applies",
                                "no key that it is about can make such a request for a route that it is about");
    }
  }

  void lint_routes() {
    std::set<const Route*> asked;
    for_each_way([&](const Key& key, const Route& route) {
      asked.insert(&route);
      const auto place = build_.route_places.find(&route);
      if (place == build_.route_places.end() || route.targets.empty()) return;
      std::vector<std::string> names;
      const std::string who = "the key " + in_quotes(key.name);
      if (left_by(key, route, always_applies).empty())
        build_.findings.warning(*place->second, who + " can ask for this route, and policies leave it no target",
                                "every request of it is refused");
      else if (left_by(key, route, may_apply, &names).empty())
        build_.findings.warning(*place->second, who + " can make requests for this route to which policies leave no target",
                                "where all of these apply: " + joined(names));
    });
    for (const auto& [route, place] : build_.route_places)
      if (asked.count(route) == 0)
        build_.findings.warning(*place, "no key may ask for this route", "name it in the `routes` of a key");
  }

  /// Of routes that some key may ask for: the others have their own warning.
  void lint_targets() {
    IndexSet asked, reached;
    for_each_way([&](const Key& key, const Route& route) {
      const IndexSet left = left_by(key, route, always_applies);
      for (const Target* target : route.targets) {
        asked.add(target->index);
        if (left.has(target->index)) reached.add(target->index);
      }
    });
    for (const auto& [target, place] : build_.target_places)
      if (asked.has(target->index) && !reached.has(target->index))
        build_.findings.warning(*place, "no key can reach this target", "policies refuse it to all that may ask for its routes");
  }

  void lint_patterns() {
    for (const Section& policy : build_.root.sections("policies"))
      if (policy.find("allow") != nullptr)
        for (const Fact fact : {Fact::provider, Fact::model})
          for (const Value* value : policy.section("allow").values(to_string(fact)))
            if (value->text.find('*') != std::string::npos) lint_pattern(*value, fact);
  }

  /// A pattern is written with one family in mind. It should not let in others that happen to be named alike.
  void lint_pattern(const Value& value, Fact fact) {
    std::set<std::string, std::less<>> homes;
    std::vector<std::string> examples;
    for (const auto& target : snapshot_.targets) {
      if (!states(*target, {fact, {value.text}}, snapshot_.region_groups, TimePoint::min())) continue;
      const std::string_view home = stated_fact(*target, fact == Fact::model ? Fact::origin : Fact::operator_);
      if (homes.emplace(home).second)
        examples.push_back(target->name + " (" + (home.empty() ? "not stated" : std::string(home)) + ")");
    }
    if (homes.size() > 1)
      build_.findings.warning(
          value,
          in_quotes(value.raw) + " allows " + (fact == Fact::model ? "models of several makers" : "providers of several operators"),
          joined(examples));
  }

  const Build& build_;
  const Snapshot& snapshot_;
  TimePoint now_;
};

}  // namespace

void lint_reach(const Build& build) {
  // Without all keys, what is told here could be the doing of a secret that is not there yet.
  if (build.findings.failed() || build.snapshot.keys.size() != build.keys.size()) return;
  Reach(build).lint();
}

}  // namespace fairlead::config
