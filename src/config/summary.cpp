// What `fairlead check` prints of a good file.
#include "config/config.h"
#include "config/digest.h"

#include <fairlead/near.h>
#include <fairlead/price.h>

#include <algorithm>
#include <utility>

namespace fairlead::config {
namespace {

constexpr std::int64_t example_tokens = 1'000;

using Row = std::vector<std::string>;

/// Left-aligned columns, indented, two blanks between them.
std::string aligned(const std::vector<Row>& rows, std::size_t indent) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string stated(const std::string& fact) { return fact.empty() ? "not stated" : fact; }

std::string shown(const Url& url) {
  const bool ipv6 = url.host.find(':') != std::string::npos;
  const bool usual = url.port == (url.tls ? 443 : 80);
  return (url.tls ? "https://" : "http://") + (ipv6 ? "[" + url.host + "]" : url.host) +
         (usual ? "" : ":" + std::to_string(url.port)) + url.path;
}

std::string providers_of(const Snapshot& snapshot) {
  std::vector<Row> rows{{"name", "operator", "region", "hosting", "retention", "at"}};
  for (const auto& provider : snapshot.providers) {
    const Facts& facts = provider->facts;
    const std::string at =
        provider->disabled_because.empty() ? shown(provider->base_url) : "disabled: " + provider->disabled_because;
    rows.push_back(
        {provider->name, stated(facts.operator_), stated(facts.region), stated(facts.hosting), stated(facts.retention), at});
  }
  return "providers\n" + aligned(rows, 2);
}

std::string amount(const std::optional<Int128>& pico, const std::optional<Int128>& otherwise = {}) {
  if (pico) return format_decimal(*pico);
  return otherwise ? format_decimal(*otherwise) : "-";
}

Row target_row(const Target& target, TimePoint now) {
  const auto price = price_of(target, example_tokens, now);
  const std::string disabled = target.provider->disabled_because.empty() ? "" : "(disabled)";
  if (!price) return {target.name, "unpriced", "", "", "", "", disabled};
  const Rates& rates = price->rates;
  Usage usage;
  usage.input = usage.output = example_tokens;
  const auto cost = cost_of(usage, *price);
  const std::string currency(target.provider->currency.view());
  return {target.name,
          amount(rates.input),
          amount(rates.cached_input, rates.input),
          amount(rates.output),
          currency,
          cost ? format_decimal(cost->pico) + " " + currency : "unknown",
          disabled + (price->window.empty() ? "" : "(" + price->window + " hours)")};
}

/// " within 2000 ms, quality from 70"
std::string terms_of(const Route& route) {
  std::string out;
  if (route.latency_ms_max) out += " within " + std::to_string(route.latency_ms_max->count()) + " ms";
  if (route.quality_min) out += ", quality from " + std::to_string(*route.quality_min);
  return out;
}

std::string routes_of(const Snapshot& snapshot, TimePoint now) {
  std::string out;
  for (const auto& route : snapshot.routes) {
    std::vector<Row> rows{{"target", "input", "cached", "output", "per million tokens", "1,000 in + 1,000 out"}};
    for (const Target* target : route->targets) rows.push_back(target_row(*target, now));
    out += "\nroute " + route->name + " (" + route->strategy + terms_of(*route) + (route->fallback ? "" : ", no fallback") + ")\n" +
           aligned(rows, 2);
    if (route->max_price.input || route->max_price.output)
      out += "  no dearer than " + amount(route->max_price.input) + " input, " + amount(route->max_price.output) +
             " output, USD per million tokens\n";
  }
  return out;
}

std::string shown(const std::vector<FactRule>& rules) {
  std::string out;
  for (const FactRule& rule : rules)
    out += (out.empty() ? "" : "; ") + std::string(to_string(rule.fact)) + " " + joined(rule.values);
  return out;
}

std::string policies_of(const Snapshot& snapshot) {
  std::vector<Row> rows;
  for (const Policy& policy : snapshot.policies) {
    std::string rule = policy.when_text.empty() ? "always" : "when " + policy.when_text;
    std::string between = ": ";
    const auto add = [&](const std::string& what) { rule += std::exchange(between, ", ") + what; };
    if (!policy.allow.empty()) add("allow " + shown(policy.allow));
    if (!policy.deny.empty()) add("deny " + shown(policy.deny));
    if (policy.max_cost) add("at most " + format_decimal(*policy.max_cost) + " USD");
    rows.push_back({policy.name, rule});
  }
  return "\npolicies" + (rows.empty() ? std::string(": none\n") : "\n" + aligned(rows, 2));
}

/// A key without its hash is none for apps, but is one for the rules.
std::string hash_of(const std::string& name, const Snapshot& snapshot) {
  for (const Key& key : snapshot.keys)
    if (key.name == name) return "sha256:" + hex(key.sha256).substr(0, 8) + "...";
  return "disabled: no hash";
}

std::string keys_of(const Snapshot& snapshot, const Snapshot& whole) {
  std::vector<Row> rows;
  for (const Key& key : whole.keys) {
    std::vector<std::string> routes;
    for (const Route* route : key.routes) routes.push_back(route->name);
    rows.push_back({key.name, "team " + (key.team.empty() ? "none" : key.team), hash_of(key.name, snapshot),
                    "routes " + joined(routes) + (key.may_name_targets ? ", and their targets by name" : "") +
                        (key.stored ? "; in the ledger" : "")});
  }
  return "\nkeys" + (rows.empty() ? std::string(": none\n") : "\n" + aligned(rows, 2));
}

/// "500 USD per month"
std::string most_of(const Budget& budget) {
  if (budget.per == BudgetPeriod::credit) return "credit";
  return format_decimal(budget.usd_pico) + " USD " +
         (budget.per == BudgetPeriod::all ? "in all" : "per " + std::string(to_string(budget.per)));
}

std::string budget_lines(const Snapshot& snapshot) {
  std::vector<Row> rows;
  for (const Budget* budget : all_budgets(snapshot)) {
    const bool by_clocks = budget->per != BudgetPeriod::credit && budget->per != BudgetPeriod::all;
    rows.push_back({std::string(to_string(budget->of)) + (budget->name.empty() ? "" : " " + budget->name), most_of(*budget),
                    !by_clocks     ? ""
                    : budget->zone ? budget->zone->name
                                   : "UTC"});
  }
  return "\nbudgets" + (rows.empty() ? std::string(": none\n") : "\n" + aligned(rows, 2));
}

std::string limit_lines(const Snapshot& snapshot) {
  std::vector<Row> rows;
  const auto add = [&](const std::string& whose, const std::optional<RateLimits>& limits) {
    if (!limits) return;
    std::vector<std::string> all;
    for (std::size_t i = 0; i < limit_count; ++i)
      if (const auto limit = static_cast<Limit>(i); limits->of(limit) != 0)
        all.push_back(std::string(to_string(limit)) + " " + std::to_string(limits->of(limit)));
    rows.push_back({whose, joined(all)});
  };
  for (const auto& [name, team] : snapshot.teams) add("team " + name, team.limits);
  for (const Key& key : snapshot.keys) add("key " + key.name, key.limits);
  for (const auto& route : snapshot.routes) add("route " + route->name, route->limits);
  return "\nlimits" + (rows.empty() ? std::string(": none\n") : "\n" + aligned(rows, 2));
}

}  // namespace

std::string summary(const Snapshot& snapshot, const Snapshot& whole, TimePoint now) {
  return providers_of(snapshot) + routes_of(snapshot, now) + policies_of(snapshot) + keys_of(snapshot, whole) +
         budget_lines(whole) + limit_lines(whole);
}

}  // namespace fairlead::config
