// What rules say of targets, and the sets that they are resolved to.
#include <fairlead/policy.h>
#include <fairlead/snapshot.h>

#include <algorithm>

namespace fairlead {
namespace {

constexpr std::string_view eu[] = {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE",
                                   "IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"};
constexpr std::string_view efta_in_eea[] = {"IS", "LI", "NO"};
constexpr std::string_view gcc[] = {"BH", "KW", "OM", "QA", "SA", "AE"};
constexpr std::string_view asean[] = {"BN", "ID", "KH", "LA", "MM", "MY", "PH", "SG", "TH", "TL", "VN"};  // TL since 2025-10-26

template <class Names>
void add_members(RegionGroup& group, const Names& names) {
  group.members.insert(group.members.end(), std::begin(names), std::end(names));
  std::sort(group.members.begin(), group.members.end());
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b, bool any_case) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return any_case ? lower(x) == lower(y) : x == y; });
}

/// Does the text fit the pattern, in which a `*` stands for any characters?
bool fits(std::string_view text, std::string_view pattern, bool any_case) {
  std::size_t t = 0, p = 0, after_star = std::string_view::npos, taken = 0;  // `taken`: where the last star's characters end
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      taken = t;
    } else if (p < pattern.size() && same(text.substr(t, 1), pattern.substr(p, 1), any_case)) {
      ++t;
      ++p;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      t = ++taken;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(), [](char c) { return c == '*'; });
}

bool is_region(Fact fact) { return fact == Fact::origin || fact == Fact::operator_ || fact == Fact::region; }
bool is_pattern(Fact fact) { return fact == Fact::provider || fact == Fact::model; }

bool is_one_of(std::string_view country, const std::vector<std::string>& values, const std::vector<RegionGroup>& groups,
               bool any_case) {
  return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
    if (same(country, value, any_case)) return true;
    return std::any_of(groups.begin(), groups.end(), [&](const RegionGroup& group) {  // in any case, names may be those of several
      return same(group.name, value, any_case) &&
             std::any_of(group.members.begin(), group.members.end(),
                         [&](const std::string& member) { return same(country, member, any_case); });
    });
  });
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

void IndexSet::add(int index) {
  const auto word = static_cast<std::size_t>(index) / 64;
  if (word >= words_.size()) words_.resize(word + 1);
  words_[word] |= std::uint64_t{1} << (index % 64);
}

void IndexSet::remove(int index) {
  const auto word = static_cast<std::size_t>(index) / 64;
  if (word < words_.size()) words_[word] &= ~(std::uint64_t{1} << (index % 64));
  trim();
}

void IndexSet::keep(const IndexSet& other) {
  words_.resize(std::min(words_.size(), other.words_.size()));
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  trim();
}

void IndexSet::trim() {
  while (!words_.empty() && words_.back() == 0) words_.pop_back();
}

const std::vector<RegionGroup>& built_in_region_groups() {
  static const std::vector<RegionGroup> groups = [] {
    std::vector<RegionGroup> made{{"EU", {}}, {"EEA", {}}, {"GCC", {}}, {"ASEAN", {}}};
    add_members(made[0], eu);
    add_members(made[1], eu);
    add_members(made[1], efta_in_eea);
    add_members(made[2], gcc);
    add_members(made[3], asean);
    return made;
  }();
  return groups;
}

std::string_view stated_fact(const Target& target, Fact fact) {
  const Facts& facts = target.provider->facts;
  switch (fact) {
    case Fact::provider: return target.provider->name;
    case Fact::model: return target.model->name;
    case Fact::origin: return target.model->origin;
    case Fact::operator_: return facts.operator_;
    case Fact::region: return facts.region;
    case Fact::hosting: return facts.hosting;
    case Fact::retention: return facts.retention;
    case Fact::label: break;
  }
  return {};
}

bool states(const Target& target, const FactRule& rule, const std::vector<RegionGroup>& groups, TimePoint at) {
  const auto& values = rule.values;
  if (rule.fact == Fact::label)
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
      const auto label = target.provider->facts.labels.find(value);
      return label != target.provider->facts.labels.end() && at < label->second;
    });
  const std::string_view fact = stated_fact(target, rule.fact);
  if (fact.empty()) return false;
  if (is_pattern(rule.fact))
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) { return fits(fact, value, false); });
  if (!is_region(rule.fact)) return std::find(values.begin(), values.end(), fact) != values.end();
  if (is_one_of(fact, values, groups, false)) return true;
  const auto group = std::find_if(groups.begin(), groups.end(), [&](const RegionGroup& one) { return one.name == fact; });
  return group != groups.end() && !group->members.empty() &&
         std::all_of(group->members.begin(), group->members.end(),
                     [&](const std::string& member) { return is_one_of(member, values, groups, false); });
}

bool may_have(const Target& target, const FactRule& rule, const std::vector<RegionGroup>& groups) {
  const auto& values = rule.values;
  const auto named = [&](std::string_view name) {
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
      return is_pattern(rule.fact) ? fits(name, value, true) : same(name, value, true);
    });
  };
  if (rule.fact == Fact::label) {
    const auto& labels = target.provider->facts.labels;
    return std::any_of(labels.begin(), labels.end(), [&](const auto& label) { return named(label.first); });
  }
  const std::string_view fact = stated_fact(target, rule.fact);
  if (fact.empty()) return true;
  if (rule.fact == Fact::model && std::any_of(target.model->also_named.begin(), target.model->also_named.end(), named)) return true;
  if (!is_region(rule.fact)) return named(fact);
  if (is_one_of(fact, values, groups, true)) return true;
  return std::any_of(groups.begin(), groups.end(), [&](const RegionGroup& group) {
    return same(group.name, fact, true) && std::any_of(group.members.begin(), group.members.end(), [&](const std::string& member) {
             return is_one_of(member, values, groups, true);
           });
  });
}

namespace {

bool lets_pass(const Policy& policy, const Target& target, const std::vector<RegionGroup>& groups, TimePoint at) {
  return std::all_of(policy.allow.begin(), policy.allow.end(),
                     [&](const FactRule& rule) { return states(target, rule, groups, at); }) &&
         std::none_of(policy.deny.begin(), policy.deny.end(), [&](const FactRule& rule) { return may_have(target, rule, groups); });
}

/// When labels that the policy asks for end at the target.
std::vector<TimePoint> label_ends(const Policy& policy, const Target& target) {
  std::vector<TimePoint> ends;
  for (const FactRule& rule : policy.allow)
    for (const std::string& value : rule.values)
      if (const auto label = target.provider->facts.labels.find(value);
          rule.fact == Fact::label && label != target.provider->facts.labels.end())
        ends.push_back(label->second);
  std::sort(ends.begin(), ends.end());
  return ends;
}

}  // namespace

void resolve_policies(Snapshot& snapshot) {
  for (Policy& policy : snapshot.policies) {
    policy.targets = {};
    const auto on_retention = [](const FactRule& rule) { return rule.fact == Fact::retention; };
    policy.on_retention = std::any_of(policy.allow.begin(), policy.allow.end(), on_retention) ||
                          std::any_of(policy.deny.begin(), policy.deny.end(), on_retention);
    policy.ends.clear();
    snapshot.policies_need.network |= !policy.when.networks.empty();
    for (const auto& target : snapshot.targets) {
      // Labels only end, so what passes at the beginning of time passes until one of them does.
      if (!lets_pass(policy, *target, snapshot.region_groups, TimePoint::min())) continue;
      policy.targets.add(target->index);
      for (const TimePoint end : label_ends(policy, *target)) {
        if (lets_pass(policy, *target, snapshot.region_groups, end)) continue;
        policy.ends.push_back({end, target->index});
        break;
      }
    }
    std::sort(policy.ends.begin(), policy.ends.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  }
}

}  // namespace fairlead
