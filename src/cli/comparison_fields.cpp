// What is written of keys, routes, policies, providers and targets, as texts that can be compared. A field that is not here is not
// compared as it is written.
#include "cli/comparison.h"
#include "cli/table.h"
#include "config/digest.h"

#include <fairlead/time.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace fairlead::cli {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Things = std::vector<std::pair<std::string, Fields>>;  // by name, in the order of the file

std::string yes(bool is) { return is ? "yes" : "no"; }

std::string refusals_text(const FallbackOnRefusal& fallback) {
  std::vector<std::string> names;
  if (fallback.context) names.push_back("context");
  if (fallback.filtered) names.push_back("filtered");
  if (fallback.refused) names.push_back("refused");
  return joined(names);
}

std::string amount(const std::optional<Int128>& pico) { return pico ? format_decimal(*pico) : ""; }

std::string url_text(const Url& url) {
  if (url.host.empty()) return "by reference";
  const bool ipv6 = url.host.find(':') != std::string::npos;
  return (url.tls ? "https://" : "http://") + (ipv6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port) + url.path;
}

/// Enough of a key's hash to see that it is another.
std::string hash_text(const Key& key) {
  if (std::all_of(key.sha256.begin(), key.sha256.end(), [](auto byte) { return byte == 0; })) return "by reference";
  return "sha256:" + config::hex(key.sha256).substr(0, 8) + "...";
}

std::string rules_text(const std::vector<FactRule>& rules) {
  std::string text;
  for (const FactRule& rule : rules)
    text += (text.empty() ? "" : "; ") + std::string(to_string(rule.fact)) + " " + joined(rule.values);
  return text;
}

std::string labels_text(const Facts& facts) {
  std::string text;
  for (const auto& [name, end] : facts.labels) text += (text.empty() ? "" : ", ") + name + " until " + day_text(end);
  return text;
}

std::string shares_text(const std::vector<DatedShare>& shares) {
  std::string text;
  for (const DatedShare& one : shares) {
    text += (text.empty() ? "" : ", ") + format_decimal(one.share * 100) + " %";
    if (one.from) text += " from " + day_text(*one.from);
    if (one.until) text += " until " + day_text(*one.until);
  }
  return text;
}

/// "500 USD per month, Europe/Berlin; credit"
std::string budgets_text(const std::vector<Budget>& budgets) {
  std::string text;
  for (const Budget& budget : budgets) {
    if (!text.empty()) text += "; ";
    if (budget.per == BudgetPeriod::credit) {
      text += "credit";
      continue;
    }
    text += format_decimal(budget.usd_pico) + (budget.per == BudgetPeriod::all ? " USD in all" : " USD per ");
    if (budget.per != BudgetPeriod::all) text += to_string(budget.per);
    if (budget.zone) text += ", " + budget.zone->name;
    for (const Int128 share : budget.notify_at) text += ", notify_at " + format_decimal(share);
  }
  return text;
}

Things keys_of(const Snapshot& snapshot) {
  Things things;
  for (const Key& key : snapshot.keys) {
    std::vector<std::string> routes;
    for (const Route* route : key.routes) routes.push_back(route->name);
    things.push_back({key.name,
                      {{"hash", hash_text(key)},
                       {"team", key.team},
                       {"project", key.project},
                       {"tags", joined(key.tags)},
                       {"request_tags", joined(key.request_tags)},
                       {"routes", joined(routes)},
                       {"may name targets", yes(key.may_name_targets)},
                       {"budget", budgets_text(key.budgets)},
                       {"expires_at", key.expires_at ? day_text(*key.expires_at) : ""}}});
  }
  return things;
}

/// " (weight 3, quality 80)"
std::string terms_text(const TargetTerms& terms) {
  std::string text;
  if (terms.weight != TargetTerms{}.weight) text = "weight " + std::to_string(terms.weight);
  if (terms.quality) text += (text.empty() ? "quality " : ", quality ") + std::to_string(*terms.quality);
  return text.empty() ? "" : " (" + text + ")";
}

Things routes_of(const Snapshot& snapshot) {
  Things things;
  for (const auto& route : snapshot.routes) {
    std::vector<std::string> targets;
    for (std::size_t i = 0; i < route->targets.size(); ++i)
      targets.push_back(route->targets[i]->name + (i < route->terms.size() ? terms_text(route->terms[i]) : ""));
    things.push_back({route->name,
                      {{"targets", joined(targets)},
                       {"strategy", route->strategy},
                       {"latency_ms_max", route->latency_ms_max ? std::to_string(route->latency_ms_max->count()) : ""},
                       {"quality_min", route->quality_min ? std::to_string(*route->quality_min) : ""},
                       {"max_price.input", amount(route->max_price.input)},
                       {"max_price.output", amount(route->max_price.output)},
                       {"max_cost", amount(route->max_cost)},
                       {"budget", budgets_text(route->budgets)},
                       {"unpriced", route->unpriced_allowed ? "allow" : "refuse"},
                       {"fallback", yes(route->fallback)},
                       {"fallback_on_unconfirmed", yes(route->fallback_on_unconfirmed)},
                       {"fallback_on_refusal", refusals_text(route->fallback_on_refusal)},
                       {"answer_model", route->answer_model == AnswerModel::asked ? "asked" : "provider"}}});
  }
  return things;
}

Things policies_of(const Snapshot& snapshot) {
  Things things;
  for (const Policy& policy : snapshot.policies)
    things.push_back({policy.name,
                      {{"when", policy.when_text.empty() ? "always" : policy.when_text},
                       {"allow", rules_text(policy.allow)},
                       {"deny", rules_text(policy.deny)},
                       {"max_cost", amount(policy.max_cost)},
                       {"reason", policy.reason}}});
  return things;
}

Things groups_of(const Snapshot& snapshot) {
  Things things;
  for (const RegionGroup& group : snapshot.region_groups) things.push_back({group.name, {{"members", joined(group.members)}}});
  return things;
}

/// What holds for all targets and requests.
Things settings_of(const Snapshot& snapshot) {
  std::vector<std::string> proxies;
  for (const Network& network : snapshot.trusted_proxies) proxies.push_back(fairlead::to_string(network));
  Things things{
      {"trusted_proxies", {{"networks", joined(proxies)}}},
      {"prices",
       {{"strict", yes(snapshot.price_rules.strict)}, {"stale_days", std::to_string(snapshot.price_rules.stale_days.count())}}}};
  if (snapshot.retention.detail.count() > 0)
    things.push_back(
        {"retention",
         {{"detail_days", std::to_string(snapshot.retention.detail.count())}, {"archive", snapshot.retention.archive}}});
  things.push_back({"installation", {{"budget", budgets_text(snapshot.budgets)}}});
  for (const auto& [name, team] : snapshot.teams)
    things.push_back({"team " + name, {{"markup", format_decimal(team.markup)}, {"budget", budgets_text(team.budgets)}}});
  for (const auto& [name, project] : snapshot.projects)
    things.push_back({"project " + name, {{"budget", budgets_text(project.budgets)}}});
  for (const auto& [currency, rates] : snapshot.usd_per)
    for (const UsdRate& rate : rates.dated)
      things.push_back(
          {"fx " + currency + (rate.from ? " from " + day_text(*rate.from) : ""), {{"USD", format_decimal(rate.usd)}}});
  return things;
}

Things providers_of(const Snapshot& snapshot) {
  Things things;
  for (const auto& provider : snapshot.providers)
    things.push_back({provider->name,
                      {{"at", url_text(provider->base_url)},
                       {"by proxy", provider->proxy ? url_text(*provider->proxy) : ""},
                       {"budget", budgets_text(provider->budgets)},
                       {"dialect", provider->dialect},
                       {"profile", provider->profile ? provider->profile->name : ""},
                       {"operator", provider->facts.operator_},
                       {"region", provider->facts.region},
                       {"hosting", provider->facts.hosting},
                       {"retention", provider->facts.retention},
                       {"labels", labels_text(provider->facts)},
                       {"regional", provider->regional ? "yes" : ""},
                       {"discount", shares_text(provider->discounts)},
                       {"surcharge", shares_text(provider->surcharges)},
                       {"currency", std::string(provider->currency.view())}}});
  return things;
}

/// "input 0.5, output 1.5 USD per million"
std::string price_text(const std::optional<PriceInForce>& price, Currency currency) {
  if (!price) return "none";
  std::string text;
  const auto add = [&](const char* kind, const std::optional<Int128>& rate) {
    if (rate) text.append(text.empty() ? "" : ", ").append(kind).append(" ").append(format_decimal(*rate));
  };
  add("input", price->rates.input);
  add("cached input", price->rates.cached_input);
  add("cache write", price->rates.cache_write);
  add("output", price->rates.output);
  text.append(" ").append(currency.view()).append(" per million");
  if (price->contract) text += ", by contract";
  if (price->discount > 0) text += ", less " + format_decimal(price->discount * 100) + " %";
  return price->window.empty() ? text : text + ", " + price->window + " hours";
}

/// With the price of the reference request at its time.
Things targets_of(const Snapshot& snapshot, const Reference& reference) {
  Things things;
  for (const auto& target : snapshot.targets)
    things.push_back(
        {target->name,
         {{"origin", target->model->origin},
          {"context window", target->model->context_window == 0 ? "" : std::to_string(target->model->context_window)},
          {"price", price_text(price_of(*target, reference.input_tokens, reference.at), target->provider->currency)}}});
  return things;
}

const Fields* find(const Things& things, const std::string& name) {
  const auto at = std::find_if(things.begin(), things.end(), [&](const auto& thing) { return thing.first == name; });
  return at == things.end() ? nullptr : &at->second;
}

/// Both have the same fields in the same order, or one has none.
std::vector<FieldChange> field_changes(const Fields& before, const Fields& after) {
  std::vector<FieldChange> changes;
  for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    const std::string was = before.empty() ? "" : before[i].second, is = after.empty() ? "" : after[i].second;
    if (was != is) changes.push_back({before.empty() ? after[i].first : before[i].first, was, is});
  }
  return changes;
}

std::vector<Change> changes_of(const Things& before, const Things& after) {
  std::vector<Change> changes;
  for (const auto& [name, fields] : after) {
    const Fields* was = find(before, name);
    auto differing = field_changes(was ? *was : Fields{}, fields);
    if (was == nullptr || !differing.empty())
      changes.push_back({was ? ChangeKind::changed : ChangeKind::added, name, std::move(differing)});
  }
  for (const auto& [name, fields] : before)
    if (find(after, name) == nullptr) changes.push_back({ChangeKind::removed, name, field_changes(fields, {})});
  return changes;
}

using Options = std::vector<config::WrittenOption>;
using Texts = std::map<std::pair<std::string_view, std::string_view>, std::string_view>;  // by thing and field

Texts texts_of(const Options& options) {
  Texts texts;
  for (const config::WrittenOption& option : options) texts[{option.thing, option.field}] = option.text;
  return texts;
}

/// Things in the order in which they are met: those that are there now, then those that are gone.
std::vector<Change> option_changes(const Options& before, const Options& after) {
  const Texts was = texts_of(before), is = texts_of(after);
  const auto text_in = [](const Texts& texts, const config::WrittenOption& option) {
    const auto at = texts.find({option.thing, option.field});
    return at == texts.end() ? std::string_view{} : at->second;
  };
  std::vector<Change> changes;
  const auto add = [&](const config::WrittenOption& option) {
    const std::string_view then = text_in(was, option), now = text_in(is, option);
    if (then == now) return;
    auto change = std::find_if(changes.begin(), changes.end(), [&](const Change& one) { return one.name == option.thing; });
    if (change == changes.end()) change = changes.insert(change, {ChangeKind::changed, option.thing, {}});
    change->fields.push_back({option.field, std::string(then), std::string(now)});
  };
  for (const config::WrittenOption& option : after) add(option);
  for (const config::WrittenOption& option : before)
    if (is.count({option.thing, option.field}) == 0) add(option);
  return changes;
}

}  // namespace

std::vector<Section> compare_fields(const config::Loaded& old_file, const config::Loaded& new_file, const Reference& reference) {
  const Snapshot &before = *old_file.snapshot, &after = *new_file.snapshot;
  std::vector<Section> sections;
  const auto add = [&](const char* title, const Things& was, const Things& is) {
    auto changes = changes_of(was, is);
    if (!changes.empty()) sections.push_back({title, std::move(changes)});
  };
  add("policies", policies_of(before), policies_of(after));
  add("keys", keys_of(before), keys_of(after));
  add("routes", routes_of(before), routes_of(after));
  add("providers", providers_of(before), providers_of(after));
  add("targets", targets_of(before, reference), targets_of(after, reference));
  add("region groups", groups_of(before), groups_of(after));
  add("settings", settings_of(before), settings_of(after));
  if (auto changes = option_changes(old_file.written, new_file.written); !changes.empty())
    sections.push_back({"other options", std::move(changes)});
  return sections;
}

}  // namespace fairlead::cli
