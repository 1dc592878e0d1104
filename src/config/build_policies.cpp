// The rules: what they are about, resolved to sets of keys, routes and targets.
#include "config/build.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace fairlead::config {
namespace {

/// A rule that names what does not exist was mistyped.
void check_names(Build& build, const Section& policy, std::string_view part, std::string_view fact,
                 const std::vector<std::string_view>& known) {
  if (policy.find(part) == nullptr) return;
  for (const Value* value : policy.section(part).values(fact)) {
    const bool pattern = part != "when" && value->text.find('*') != std::string::npos;
    if (pattern || std::find(known.begin(), known.end(), value->text) != known.end()) continue;
    build.findings.error(*value, "no " + std::string(fact) + " " + in_quotes(value->text),
                         did_you_mean(value->text, known, "there are"));
  }
}

/// "team a, b; input_tokens above 100"
std::string text_of(const Value& value, std::string_view between) {
  if (value.kind == Value::Kind::scalar) return value.text;
  std::string text;
  for (const Value& child : value.children) {
    if (!text.empty()) text += value.kind == Value::Kind::map ? between : ", ";
    if (value.kind == Value::Kind::map) text += child.key + " ";
    text += text_of(child, " ");
  }
  return text;
}

std::vector<FactRule> rules_of(const Section& policy, std::string_view part) {
  std::vector<FactRule> rules;
  if (policy.find(part) == nullptr) return rules;
  const Section facts = policy.section(part);
  for (const Value& written : facts.value().children)
    if (const auto fact = parse_fact(written.key); fact && written.good) rules.push_back({*fact, facts.texts(written.key)});
  return rules;
}

class WhenBuilder {
 public:
  WhenBuilder(Build& build, const Section& from) : build_(build), from_(from) {}

  When made() {
    who("key", [](const Key& key) { return key.name; });
    who("team", [](const Key& key) { return key.team; });
    who("project", [](const Key& key) { return key.project; });
    if (from_.find("route") != nullptr) {
      when_.routes.emplace();
      for (const auto& route : build_.snapshot.routes)
        if (names("route", route->name)) when_.routes->add(route->index);
    }
    for (const std::string& tag : from_.texts("tags")) when_.tags.push_back(lower(tag));
    when_.content = from_.texts("content");
    when_.endpoints = bits<Endpoint>("endpoint", endpoint_count);
    when_.modalities = bits<Modality>("modality", modality_count);
    for (const Section& range : from_.sections("input_tokens")) when_.input_tokens.push_back(range_of(range));
    for (const std::string& network : from_.texts("network"))
      if (const auto parsed = parse_network(network)) when_.networks.push_back(*parsed);
    for (const Section& window : from_.sections("time")) when_.times.push_back(time_window_of(window, build_));
    return std::move(when_);
  }

 private:
  /// Is it one of the condition's values? Case does not count, so that a rule is not lost by it.
  bool names(std::string_view condition, std::string_view name) const {
    const auto values = from_.texts(condition);
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) { return lower(value) == lower(name); });
  }

  /// Conditions about who asks are one set of keys: those for which all of them hold.
  template <class NameOf>
  void who(std::string_view condition, const NameOf& name_of) {
    if (from_.find(condition) == nullptr) return;
    IndexSet found;
    for (const Key& key : build_.snapshot.keys)
      if (names(condition, name_of(key))) found.add(key.index);
    if (when_.keys) found.keep(*when_.keys);
    when_.keys = std::move(found);
  }

  template <class Value>
  std::uint8_t bits(std::string_view condition, int count) const {
    unsigned bits = 0;
    for (int i = 0; i < count; ++i)
      if (names(condition, to_string(static_cast<Value>(i)))) bits |= 1U << i;
    return static_cast<std::uint8_t>(bits);
  }

  TokenRange range_of(const Section& from) {
    TokenRange range;
    if (from.find("above") != nullptr) range.above = from.integer("above");
    if (from.find("up_to") != nullptr) range.up_to = from.integer("up_to");
    if (range.up_to <= range.above)
      build_.findings.error(*from.find("up_to"), "no number is in this range", "`up_to` must be more than `above`");
    return range;
  }

  Build& build_;
  const Section& from_;
  When when_;
};

/// Groups of the user's own, with the countries of the groups that they name. Each is resolved once.
class Groups {
 public:
  explicit Groups(Build& build) : build_(build), written_(build.root.find("region_groups")) {
    if (written_ != nullptr)
      for (const Value& entry : written_->children) own_.emplace(entry.key, &entry);
  }

  std::vector<RegionGroup> made() {
    std::vector<RegionGroup> groups;
    if (own_.size() > groups_max)
      build_.findings.error(*written_, "these are more than " + std::to_string(groups_max) + " groups",
                            "name countries in the rules");
    else if (written_ != nullptr)
      for (const Value& entry : written_->children) {
        check_name(entry);
        const auto& countries = resolved(entry, 1).countries;
        groups.push_back({entry.key, {countries.begin(), countries.end()}});
      }
    for (const RegionGroup& group : built_in_region_groups())
      if (own_.count(group.name) == 0) groups.push_back(group);
    return groups;
  }

 private:
  void check_name(const Value& entry) {
    if (entry.key.size() == 2 && entry.key != "EU")
      build_.findings.error(entry, "a group of two letters could be a country", "give it a longer name");
    const auto tell = [&](const std::string& name, const std::string& which, const std::string& hint) {
      if (name != entry.key && lower(name) == lower(entry.key))
        build_.findings.add(
            Severity::error, entry.key_place, entry.path,
            in_quotes(entry.key) + " and the " + which + " " + in_quotes(name) + " differ by case alone, which `deny` does not see",
            hint);
    };
    for (const RegionGroup& group : built_in_region_groups())
      tell(group.name, "built-in group", "write " + in_quotes(group.name) + " to replace that one, or choose another name");
    const auto [first, fresh] = by_lower_name_.emplace(lower(entry.key), &entry);
    if (!fresh) tell(first->second->key, "group", "choose another name");
  }

  struct Resolved {
    std::set<std::string> countries;
    int height = 1;     ///< groups within each other, itself included
    bool open = false;  ///< its members are being looked at
  };

  /// `depth`: in how many groups it was come upon, itself included.
  const Resolved& resolved(const Value& entry, int depth) {
    const auto [known, fresh] = resolved_.try_emplace(entry.key);
    Resolved& group = known->second;
    if (group.open) build_.findings.error(entry, "the group " + in_quotes(entry.key) + " is in itself", "name its countries");
    if (!fresh) return group;
    group.open = true;
    for (const Value& member : entry.children) {
      if (!member.good) continue;
      if (const auto own = own_.find(member.text); own == own_.end())
        add_country(member.text, group.countries);
      else
        add_group(*own->second, member, depth, group);
    }
    group.open = false;
    return group;
  }

  void add_group(const Value& entry, const Value& member, int depth, Resolved& to) {
    const Resolved* group = depth < depth_max ? &resolved(entry, depth + 1) : nullptr;
    if (group == nullptr || group->height == depth_max)
      return build_.findings.error(member, "here are more than " + std::to_string(depth_max) + " groups within each other",
                                   "name the countries");
    to.height = std::max(to.height, group->height + 1);
    to.countries.insert(group->countries.begin(), group->countries.end());
  }

  static void add_country(const std::string& name, std::set<std::string>& countries) {
    const auto& known = built_in_region_groups();
    const auto group = std::find_if(known.begin(), known.end(), [&](const RegionGroup& g) { return g.name == name; });
    if (group != known.end())
      countries.insert(group->members.begin(), group->members.end());
    else
      countries.insert(name);
  }

  static constexpr int depth_max = 32;
  static constexpr std::size_t groups_max = 1'000;
  Build& build_;
  const Value* written_;
  std::map<std::string, const Value*> own_, by_lower_name_;
  std::map<std::string, Resolved> resolved_;
};

void build_assertion(Build& build, const Section& from, const Section& says, bool never) {
  Assertion assertion{from.text("name"), build.findings.where(from.value().place), never, {}, rules_of(says, "target")};
  check_names(build, says, "when", "key", key_names(build));
  check_names(build, says, "when", "route", names_of(build.snapshot.route_by_name));
  check_names(build, says, "target", "provider", names_of(build.providers));
  if (says.find("when") != nullptr) assertion.when = WhenBuilder(build, says.section("when")).made();
  build.snapshot.assertions.push_back(std::move(assertion));
  build.assertion_places.push_back(&from.value());
}

}  // namespace

void build_assertions(Build& build) {
  std::map<std::string, const Value*> names;
  for (const Section& from : build.root.sections("assertions")) {
    take_name(build, names, from.find("name"), "assertions");
    const bool never = from.value().find("never") != nullptr, always = from.value().find("always") != nullptr;
    if (from.value().kind == Value::Kind::map && never == always)
      build.findings.error(from.value(), never ? "it says both `never` and `always`" : "it says neither `never` nor `always`",
                           never ? "make it two assertions" : "say one of them: what no request may reach, or what all must reach");
    for (const bool is_never : {true, false})
      if (from.find(is_never ? "never" : "always") != nullptr)
        build_assertion(build, from, from.section(is_never ? "never" : "always"), is_never);
  }
}

void build_policies(Build& build) {
  build.snapshot.region_groups = Groups(build).made();
  std::map<std::string, const Value*> names;
  for (const Section& from : build.root.sections("policies")) {
    take_name(build, names, from.find("name"), "policies");
    const auto says = [&](std::string_view part) { return from.value().find(part) != nullptr; };
    if (from.value().kind == Value::Kind::map && !says("allow") && !says("deny") && !says("max_cost"))
      build.findings.error(from.value(), "a policy without `allow`, `deny` and `max_cost` narrows nothing",
                           "say what targets it allows or denies, or what a request may cost");
    check_names(build, from, "when", "key", key_names(build));
    check_names(build, from, "when", "route", names_of(build.snapshot.route_by_name));
    check_names(build, from, "allow", "provider", names_of(build.providers));
    check_names(build, from, "deny", "provider", names_of(build.providers));
    Policy policy;
    policy.name = from.text("name");
    if (const Value* when = from.find("when")) {
      policy.when = WhenBuilder(build, from.section("when")).made();
      policy.when_text = text_of(*when, "; ");
    }
    policy.allow = rules_of(from, "allow");
    policy.deny = rules_of(from, "deny");
    policy.max_cost = from.decimal("max_cost");
    policy.reason = from.text("reason");
    build.snapshot.policies.push_back(std::move(policy));
  }
  resolve_policies(build.snapshot);
}

void build_trusted_proxies(Build& build) {
  for (const std::string& network : build.root.texts("trusted_proxies"))
    if (const auto parsed = parse_network(network)) build.snapshot.trusted_proxies.push_back(*parsed);
}

void take_name(Build& build, std::map<std::string, const Value*>& taken, const Value* name, std::string_view what) {
  if (name == nullptr) return;
  auto [first, fresh] = taken.emplace(name->text, name);
  if (!fresh)
    build.findings.error(*name, "there are two " + std::string(what) + " named " + in_quotes(name->text),
                         "the first is at " + build.findings.where(first->second->place));
}

}  // namespace fairlead::config
