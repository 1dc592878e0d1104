// Teams, projects, and budgets wherever they stand.
#include "config/build.h"

#include <algorithm>

namespace fairlead::config {
namespace {

constexpr Int128 budget_usd_max = Int128{9'000'000} * pico_per_unit;  // what the ledger's integers hold

constexpr Int128 markup_max = Int128{10} * pico_per_unit;

BudgetPeriod period_named(const std::string& name) {
  for (const BudgetPeriod per : {BudgetPeriod::hour, BudgetPeriod::day, BudgetPeriod::week, BudgetPeriod::month})
    if (to_string(per) == name) return per;
  return BudgetPeriod::all;
}

std::vector<Int128> shares_of(Build& build, const Section& from) {
  std::vector<Int128> shares;
  for (const Value* written : from.values("notify_at")) {
    const auto share = parse_decimal(written->text);
    if (!share) continue;
    if (*share <= 0 || *share > pico_per_unit)
      build.findings.error(*written, "a share of the budget is above 0, and 1 at most", "write 0.8 for 80 %");
    shares.push_back(*share);
  }
  std::sort(shares.begin(), shares.end());
  shares.erase(std::unique(shares.begin(), shares.end()), shares.end());
  return shares;
}

/// A reference that is not there leaves the webhook out, as it leaves out a provider, and is warned of.
void set_webhook(Build& build) {
  const Section notify = build.root.section("notify");
  const Value* written = build.root.find("notify") == nullptr ? nullptr : notify.value().find("webhook");
  if (written != nullptr && written->good && !written->missing.empty() && !build.reading.secrets_assumed())
    build.findings.warning(*written, written->missing, "notices go to the log and the metrics alone until then");
  UrlFault fault;
  if (const auto webhook = parse_url(notify.text("webhook"), fault)) build.snapshot.notify_webhook = webhook->url;
}

}  // namespace

std::vector<Budget> budgets_of(Build& build, const Section& from, BudgetOf of, const std::string& name) {
  std::vector<Budget> budgets;
  const auto add = [&](Budget budget) {
    budget.of = of;
    budget.name = name;
    budget.id = id_of(budget);
    budgets.push_back(std::move(budget));
    build.snapshot.budgeted = true;
  };
  for (const Section& written : from.sections("budget")) {
    if (written.find("usd") == nullptr || written.find("per") == nullptr) continue;
    Budget budget;
    budget.per = period_named(written.text("per"));
    budget.usd_pico = written.decimal("usd").value_or(0);
    if (budget.usd_pico > budget_usd_max)
      build.findings.error(*written.find("usd"), "this is more than a budget can be", "it may be 9000000 at most");
    budget.zone = zone_of(written, "time_zone", build);
    budget.notify_at = shares_of(build, written);
    add(std::move(budget));
    const auto same = [&](const Budget& other) { return other.id == budgets.back().id; };
    if (std::count_if(budgets.begin(), budgets.end(), same) > 1)
      build.findings.error(written.value(), "there are two budgets here per " + written.text("per"), "keep the smaller one");
  }
  if ((of == BudgetOf::key || of == BudgetOf::team) && from.boolean("credit")) {
    Budget credit;
    credit.per = BudgetPeriod::credit;
    add(std::move(credit));
  }
  return budgets;
}

void build_teams(Build& build) {
  for (const Section& from : build.root.sections("teams")) {
    Team team;
    team.markup = from.decimal("markup").value_or(0);
    if (team.markup > markup_max)
      build.findings.error(*from.find("markup"), "a markup of more than 10 times the cost", "write \"0.15\" for 15 %");
    team.budgets = budgets_of(build, from, BudgetOf::team, from.key());
    team.limits = rate_limits_of(from);
    build.snapshot.teams_limited = build.snapshot.teams_limited || team.limits;
    build.snapshot.teams.emplace(from.key(), std::move(team));
  }
  for (const Section& from : build.root.sections("projects"))
    build.snapshot.projects.emplace(from.key(), Project{budgets_of(build, from, BudgetOf::project, from.key())});
  build.snapshot.budgets = budgets_of(build, build.root, BudgetOf::installation, "");
  set_webhook(build);
}

}  // namespace fairlead::config
