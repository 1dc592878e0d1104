#include "plan/prove/prove.h"

#include "plan/plan.h"
#include "plan/policy.h"
#include "plan/prove/question.h"
#include "plan/prove/search.h"
#include "plan/prove/space.h"
#include "plan/prove/times.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

namespace fairlead::prove {
namespace {

constexpr std::int64_t steps_max = 1'000'000;  ///< of the search, for one assertion

bool may_ask(const Key& key, const Route& route, const When& when) {
  return (!when.keys || when.keys->has(key.index)) && (!when.routes || when.routes->has(route.index));
}

bool may_ask(const Key& key, const When& when) {
  return std::any_of(key.routes.begin(), key.routes.end(), [&](const Route* route) { return may_ask(key, *route, when); });
}

/// Keys whose requests may have the same tags.
struct KeyGroup {
  std::vector<const Key*> keys;
  TagSpace tags;
};

std::vector<KeyGroup> groups_of(const Question& question, const std::vector<const Key*>& keys) {
  std::vector<KeyGroup> groups;
  for (const Key* key : keys) {
    const auto same = [&](const KeyGroup& group) {
      return group.keys.front()->tags == key->tags && group.keys.front()->request_tags == key->request_tags;
    };
    const auto known = std::find_if(groups.begin(), groups.end(), same);
    if (known != groups.end())
      known->keys.push_back(key);
    else
      groups.push_back({{key}, tags_of(question, *key)});
  }
  return groups;
}

/// Who may reach a forbidden target if none of some rules applies.
struct Way {
  const Key* key = nullptr;
  const Route* route = nullptr;
  const Target* target = nullptr;
  Bits against;
};

/// Decides one assertion after the other. A target that is asked for by its name stands under the rules of every route of the key
/// that holds it, so more rules apply than if that route is asked for: what can be reached by name can be reached by a route.
class Prover {
 public:
  /// For requests of these keys.
  Prover(const Question& question, const Space& space, const std::vector<const Key*>& keys)
      : question_(question), space_(space), groups_(groups_of(question, keys)) {
    for (const Policy& policy : question.snapshot.policies)
      looked_for_.insert(policy.when.content.begin(), policy.when.content.end());
  }

  Proof decide(const Assertion& assertion) {
    Proof proof{&assertion, Proof::Verdict::nobody, {}};
    std::int64_t steps_left = steps_max;
    for (std::size_t goal = 0; goal < question_.goals.size(); ++goal) {
      if (question_.goals[goal].assertion != &assertion) continue;
      std::array<Options, dimension_count> options;
      for (std::size_t i = 0; i < dimension_count; ++i) options[i] = options_of(space_.values[i], goal);
      for (const KeyGroup& group : groups_) {
        options[by_tags] = options_of(group.tags.values, goal);
        if (!is_asked_by(group, assertion.when)) continue;
        if (std::any_of(options.begin(), options.end(), [](const Options& some) { return some.empty(); })) continue;
        if (proof.verdict == Proof::Verdict::nobody) proof.verdict = Proof::Verdict::holds;
        Search search(options, steps_left);
        if (const auto found = around(search, group, question_.goals[goal])) {
          proof.verdict = Proof::Verdict::fails;
          proof.counterexample = example(found->first, found->second, group);
          return confirmed(std::move(proof));
        }
      }
    }
    if (steps_left <= 0) proof.verdict = Proof::Verdict::undecided;
    return proof;
  }

 private:
  static bool is_asked_by(const KeyGroup& group, const When& when) {
    return std::any_of(group.keys.begin(), group.keys.end(), [&](const Key* key) { return may_ask(*key, when); });
  }

  /// The ways to a forbidden target on which no rule stands for sure; of those with the same rules, the first.
  std::vector<Way> ways(const Search& search, const KeyGroup& group, const Goal& goal) const {
    std::vector<Way> ways;
    std::unordered_set<Bits, Bits::Hash> seen;
    for (const Key* key : group.keys)
      for (const Route* route : key->routes) {
        if (!may_ask(*key, *route, goal.assertion->when)) continue;
        const Bits apply = common(question_.of_key[index(*key)], question_.of_route[index(*route)]);
        for (const Target* target : route->targets) {
          const Bits& against = question_.against[index(*target)];
          if (!goal.targets.has(index(*target)) || Bits::meet(against, apply, search.sure())) continue;
          if (Bits rules = common(against, apply); seen.insert(rules).second)
            ways.push_back({key, route, target, std::move(rules)});
        }
      }
    return ways;
  }

  /// Where no request gets around some rules, none gets around more.
  std::optional<std::pair<Way, Choice>> around(Search& search, const KeyGroup& group, const Goal& goal) const {
    std::vector<Way> open = ways(search, group, goal);
    std::stable_sort(open.begin(), open.end(), [](const Way& a, const Way& b) { return a.against.count() < b.against.count(); });
    std::vector<const Bits*> closed;
    for (const Way& way : open) {
      if (std::any_of(closed.begin(), closed.end(), [&](const Bits* rules) { return rules->within(way.against); })) continue;
      if (const auto choice = search.around(way.against)) return std::pair(way, *choice);
      if (search.gave_up()) return std::nullopt;
      closed.push_back(&way.against);
    }
    return std::nullopt;
  }

  Counterexample example(const Way& way, const Choice& choice, const KeyGroup& group) const {
    constexpr std::array<std::optional<Capability>, modality_count> carries{std::nullopt, Capability::vision, Capability::audio,
                                                                            Capability::tools};
    Counterexample made;
    made.target = way.target;
    made.facts.key = way.key;
    made.facts.route = way.route;
    if (const std::string& tag = group.tags.tags[choice[by_tags]]; !tag.empty()) made.facts.tags = {tag};
    const std::string& one = space_.content[choice[by_content]];
    for (const std::string& name : looked_for_)
      made.facts.content.push_back({name, name == one || name == wider_content(one) ? 1 : 0});
    if (!one.empty() && looked_for_.count(one) == 0) made.facts.content.push_back({one, 1});  // the assertion alone names it
    if (const auto capability = carries[choice[by_modality]]) made.facts.needs.add(*capability);
    made.facts.endpoint = static_cast<Endpoint>(choice[by_endpoint]);
    made.facts.input_tokens = space_.tokens[choice[by_tokens]];
    made.facts.client = space_.addresses[choice[by_network]];
    if (choice[by_keeping] == 1) made.facts.keeping = Keeping::store;
    made.at = space_.times[choice[by_time]];
    for (std::size_t i = 0; i < question_.rules.size(); ++i) {
      const Policy* policy = question_.rules[i].policy;
      const bool known = !made.evaded.empty() && made.evaded.back() == policy;
      if (!known && question_.against[index(*way.target)].has(i)) made.evaded.push_back(policy);
    }
    return made;
  }

  /// A request that is said to break the rules is planned like any other, and must.
  Proof confirmed(Proof proof) const {
    Counterexample& example = *proof.counterexample;
    const Plan plan = make_plan(example.facts, question_.snapshot, {}, example.at);
    const auto allowed = allowed_targets(plan.policies, plan.keeping, example.at);
    const bool reached = !allowed || allowed->has(example.target->index);
    if (!reached || !matches(proof.assertion->when, example.facts, example.at)) {
      proof.verdict = Proof::Verdict::undecided;
      proof.counterexample.reset();
      return proof;
    }
    for (const Rejection& rejection : plan.rejections)
      if (rejection.target == example.target) example.rejections.push_back(rejection);
    return proof;
  }

  template <class Part>
  static std::size_t index(const Part& part) {
    return static_cast<std::size_t>(part.index);
  }

  const Question& question_;
  const Space& space_;
  std::vector<KeyGroup> groups_;
  std::set<std::string> looked_for_;  ///< classes of content, in every prompt
};

/// All requests, for a prover. Empty: there are too many times to look at.
std::optional<Space> whole_space_of(const Question& question, TimePoint now, std::optional<TimePoint>& end) {
  std::optional<Times> times = times_of(question, now);
  if (!times) return std::nullopt;
  Space space = space_of(question);
  space.times = std::move(times->at);
  space.values[by_time] = std::move(times->values);
  end = times->end;
  return space;
}

std::vector<const Key*> keys_of(const Snapshot& snapshot, bool stored) {
  std::vector<const Key*> keys;
  for (const Key& key : snapshot.keys)
    if (key.stored == stored) keys.push_back(&key);
  return keys;
}

/// Those of the keys without which the assertion holds of the others. One after the other; where there are too many cases, all that
/// it is about.
void add_breaking(const Question& question, const Space& space, const Assertion& assertion, std::vector<const Key*> keys,
                  std::vector<Breach>& breaches) {
  while (!keys.empty()) {
    Proof proof = Prover(question, space, keys).decide(assertion);
    if (proof.is_proved()) return;
    if (!proof.counterexample) break;
    const Key* key = proof.counterexample->facts.key;
    breaches.push_back({&assertion, key, std::move(proof.counterexample)});
    std::erase(keys, key);
  }
  for (const Key* key : keys)
    if (may_ask(*key, assertion.when)) breaches.push_back({&assertion, key, {}});
}

}  // namespace

Proofs prove(const Snapshot& snapshot, TimePoint now) {
  Proofs proofs;
  if (snapshot.assertions.empty()) return proofs;
  const Question question = question_of(snapshot);
  const std::optional<Space> space = whole_space_of(question, now, proofs.end);
  if (!space) {
    for (const Assertion& assertion : snapshot.assertions) proofs.proofs.push_back({&assertion, Proof::Verdict::undecided, {}});
    return proofs;
  }
  std::vector<const Key*> keys;
  for (const Key& key : snapshot.keys) keys.push_back(&key);
  Prover prover(question, *space, keys);
  for (const Assertion& assertion : snapshot.assertions) proofs.proofs.push_back(prover.decide(assertion));
  return proofs;
}

std::vector<Breach> breaches(const Snapshot& snapshot, TimePoint now) {
  std::vector<Breach> breaches;
  if (snapshot.assertions.empty()) return breaches;
  const Question question = question_of(snapshot);
  std::optional<TimePoint> end;
  const std::optional<Space> space = whole_space_of(question, now, end);
  if (!space) {
    for (const Assertion& assertion : snapshot.assertions) breaches.push_back({&assertion, nullptr, {}});
    return breaches;
  }
  Prover of_files(question, *space, keys_of(snapshot, false));
  const std::vector<const Key*> stored = keys_of(snapshot, true);
  for (const Assertion& assertion : snapshot.assertions)
    if (Proof proof = of_files.decide(assertion); proof.is_proved())
      add_breaking(question, *space, assertion, stored, breaches);
    else
      breaches.push_back({&assertion, nullptr, std::move(proof.counterexample)});
  return breaches;
}

}  // namespace fairlead::prove
