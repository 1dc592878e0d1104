// Warnings about a configuration that is valid, but may not mean what it says.
#include "config/build.h"

#include <fairlead/price_doubt.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace fairlead::config {
namespace {

void lint_facts(const Build& build) {
  for (const auto& [provider, place] : build.provider_places) {
    std::vector<std::string_view> unstated;
    if (provider->facts.operator_.empty()) unstated.push_back("operator");
    if (provider->facts.region.empty()) unstated.push_back("region");
    if (provider->facts.retention.empty()) unstated.push_back("retention");
    if (!unstated.empty())
      build.findings.warning(*place, "no " + alternatives(unstated) + " is stated",
                             "no policy that allows by a fact not stated lets this provider through");
  }
}

/// The models of the price list of a target's provider.
std::vector<std::string_view> listed_beside(const Build& build, const Target& target) {
  std::vector<std::string_view> names;
  const std::string prefix = target.provider->price_list + "/";
  for (const auto& [name, model] : build.models)
    if (name.starts_with(prefix) && !model->prices.empty()) names.push_back(std::string_view(name).substr(prefix.size()));
  return names;
}

bool has_price(const Target& target) {
  const auto& prices = target.model->prices;
  return !target.contract.empty() ||
         std::any_of(prices.begin(), prices.end(), [&](const Price& p) { return is_for(p, account_of(*target.provider)); });
}

void lint_prices_of(const Build& build, const Target& target, const Value& place) {
  const auto& prices = target.model->prices;
  if (has_price(target)) return;
  const std::string currency(target.provider->currency.view());
  const std::string name = target.provider->price_list + "/" + target.model->name;
  if (prices.empty())
    return build.findings.warning(place, "this target is unpriced: there is no price of " + in_quotes(name),
                                  did_you_mean(target.model->name, listed_beside(build, target)));
  if (std::any_of(prices.begin(), prices.end(), [&](const Price& p) { return p.currency == target.provider->currency; }))
    return build.findings.warning(place,
                                  "this target is unpriced: " + in_quotes(name) + " has no price in " + currency +
                                      " for the region " + in_quotes(target.provider->facts.region),
                                  "see the provider's `currency` and `region`");
  build.findings.warning(place, "this target is unpriced: " + in_quotes(name) + " has no price in " + currency,
                         "it has one in " + std::string(prices.front().currency.view()) + "; see the provider's `currency`");
}

/// What there is to doubt about a target's price now, and an end that is near. What no price list shows is told above.
void lint_doubts_of(const Build& build, const Target& target, const Value& place, TimePoint now) {
  constexpr std::chrono::days ahead{30};
  const std::string outcome =
      build.snapshot.price_rules.strict ? "with prices.strict, no request is sent to it" : "see docs/prices.md";
  const auto price = price_of(target, 1, now);
  for (const DoubtedPrice& doubted : doubts_of(target, build.snapshot, now)) {
    const bool told = doubted.doubt == PriceDoubt::missing ? !has_price(target)
                                                           : doubted.doubt == PriceDoubt::implausible && !price->entry->built_in;
    if (told) continue;
    build.findings.warning(
        place, doubted.doubt == PriceDoubt::missing && !price ? "this target has no price today" : "its price " + doubted.reason,
        outcome);
  }
  for (const auto* prices : {&target.contract, &target.model->prices})
    for (const Price& entry : *prices)
      if (price && entry.until && *entry.until > now && *entry.until <= now + ahead && !price_of(target, 1, *entry.until))
        build.findings.warning(place, "its price ends on " + day_text(*entry.until) + ", and none follows", "add the next one");
}

/// A window of an entry that has not ended, whose calendar does not know the day. Null: there is none.
const PriceWindow* unknowing_window(const std::vector<Price>& prices, const Account& account, TimePoint now,
                                    std::chrono::sys_days day) {
  for (const Price& price : prices) {
    if (!is_for(price, account) || (price.until && *price.until <= now)) continue;
    for (const PriceWindow& window : price.windows)
      if (window.time.calendar && !window.time.calendar->knows(day)) return &window;
  }
  return nullptr;
}

/// Is the year at hand, and the next before it begins, among those that the calendars of windows know?
void lint_calendars_of(const Build& build, const Target& target, const Value& place, TimePoint now) {
  using namespace std::chrono;
  constexpr days ahead{30};
  for (const sys_days day : {floor<days>(now), floor<days>(now) + ahead})
    for (const auto* prices : {&target.contract, &target.model->prices})
      if (const PriceWindow* window = unknowing_window(*prices, account_of(*target.provider), now, day))
        return build.findings.warning(place,
                                      "the calendar " + in_quotes(window->time.calendar->name) + " of its window " +
                                          in_quotes(window->name) + " does not know " +
                                          std::to_string(static_cast<int>(year_month_day(day).year())) +
                                          ": the dearer price is taken on all of its days",
                                      "add the year to the calendar, under `calendars`, once it is announced");
}

/// Budgets, limits and markups of a team or project that no key has: most likely its name is written otherwise there.
void lint_owners(const Build& build, std::string_view owners, std::string_view owner) {
  if (build.keys.empty()) return;
  std::set<std::string> named;
  for (const Section& key : build.root.sections("keys"))
    if (const Value* value = key.find(owner)) named.insert(value->text);
  for (const Section& one : build.root.sections(owners)) {
    if (named.count(one.key()) != 0) continue;
    const auto same =
        std::find_if(named.begin(), named.end(), [&](const std::string& name) { return lower(name) == lower(one.key()); });
    build.findings.add(Severity::warning, one.value().key_place, one.value().path,
                       "no key has the " + std::string(owner) + " " + in_quotes(one.key()) + ", so nothing is counted here",
                       same != named.end() ? "did you mean " + in_quotes(*same) + "? here case counts"
                                           : did_you_mean(one.key(), {named.begin(), named.end()}));
  }
}

void lint_routes(const Build& build) {
  for (const auto& [route, place] : build.route_places) {
    const auto disabled = [](const Target* target) { return !target->provider->disabled_because.empty(); };
    if (!route->targets.empty() && std::all_of(route->targets.begin(), route->targets.end(), disabled))
      build.findings.warning(*place, "every provider of this route is disabled",
                             "it answers nobody until one of their secrets is there");
  }
}

}  // namespace

void lint(const Build& build) {
  lint_facts(build);
  lint_homes(build);
  for (const auto& [target, place] : build.target_places) lint_prices_of(build, *target, *place);
  for (const auto& [target, place] : build.target_places) {
    if (!build.now) break;
    lint_doubts_of(build, *target, *place, *build.now);
    lint_calendars_of(build, *target, *place, *build.now);
  }
  lint_routes(build);
  lint_owners(build, "teams", "team");
  lint_owners(build, "projects", "project");
  lint_policies(build);
  lint_reach(build);
  if (build.keys.empty() && !build.findings.failed())
    build.findings.add(Severity::warning, {build.root.value().place.file, 0, 0}, "keys",
                       "there are no keys, so no app can ask for anything", "`fairlead key new NAME` makes one");
}

}  // namespace fairlead::config
