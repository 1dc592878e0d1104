#pragma once
// Validated values -> Snapshot. Each function builds one part, in this order, and reports what only the whole can show: names that
// nothing bears, names that two bear. Every one works on a tree with errors too, so that all errors are told at once. One load; one
// thread.
#include "config/findings.h"
#include "config/reading.h"
#include "config/section.h"

#include <fairlead/snapshot.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fairlead::config {

struct Build {
  Snapshot& snapshot;
  Findings& findings;
  Reading& reading;
  Section root;                     ///< the user's files, merged
  std::vector<Section> built_in{};  ///< the product's own lists
  std::optional<TimePoint> now{};   ///< for warnings about times; empty: none are given

  // What was built, by name, and where the files say it. Names of what is refused or disabled are here too: they are known.
  std::map<std::string, const Profile*> profiles{};
  std::map<std::string, std::shared_ptr<const Calendar>> calendars{};
  std::map<std::string, const Model*> models{};                ///< by "price list/model", aliases too
  std::set<std::string> built_in_names{};                      ///< of the models of the product's own lists
  std::map<std::string, std::set<std::string>> model_names{};  ///< by "price list/model": all names of that model there
  std::map<std::string, const Provider*> providers{};
  std::map<const Provider*, const Value*> provider_places{};
  std::map<const Target*, const Value*> target_places{};  ///< where a route names it first
  std::map<const Route*, const Value*> route_places{};
  std::map<std::string, const Value*> keys{};
  std::vector<const Value*> assertion_places{};  ///< as Snapshot::assertions
  std::vector<StoredKey> ended_secrets{};
};

void build_server(Build& build);
void build_idempotency(Build& build);
void build_profiles(Build& build);
void build_calendars(Build& build);
void build_models(Build& build);
void build_providers(Build& build);
void build_routes(Build& build);
void build_contracts(Build& build);
void build_keys(Build& build);
void build_teams(Build& build);
void build_policies(Build& build);
void build_content(Build& build);
void build_assertions(Build& build);
void build_trusted_proxies(Build& build);
std::vector<RoutingTest> build_tests(Build& build);
/// Warnings about a configuration that is valid, but may not mean what it says.
void lint(const Build& build);
void lint_homes(const Build& build);
void lint_policies(const Build& build);
void lint_reach(const Build& build);

/// What else a model is called in its price list, whichever entry stands for it: a rule that denies one name denies all.
std::vector<std::string> other_names(const Build& build, const std::string& full_name);

/// What a section states under `budget` and `credit`.
std::vector<Budget> budgets_of(Build& build, const Section& from, BudgetOf of, const std::string& name);

/// A finding if `until` is not after `from`.
void check_span(const Section& from, Findings& findings);
/// The time zone that an option names. Null: UTC, or a finding as there is none of this name.
std::shared_ptr<const Zone> zone_of(const Section& from, std::string_view option, Build& build);
/// A weekly window, as prices and rules have it.
TimeWindow time_window_of(const Section& from, Build& build);
/// Takes a name; a finding if another has it.
void take_name(Build& build, std::map<std::string, const Value*>& taken, const Value* name, std::string_view what);
/// All that rules may say.
std::vector<std::string_view> key_names(const Build& build);
/// Of `owner.limits`; empty: there are none.
std::optional<RateLimits> rate_limits_of(const Section& owner);

/// The names of a map of named things, sorted, for did_you_mean().
template <class Map>
std::vector<std::string_view> names_of(const Map& map) {
  std::vector<std::string_view> names;
  for (const auto& [name, thing] : map) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace fairlead::config
