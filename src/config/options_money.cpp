// The rows of the description: teams and projects, and what budgets state, wherever they stand.
#include "config/option_rows.h"

namespace fairlead::config {

void add_budget_rows(Rows& rows, const std::string& at, const std::string& whose) {
  rows.push_back({.path = at,
                  .type = Type::list,
                  .doc = "What may be charged for " + whose + ": one budget or several, all of which apply.",
                  .otherwise = "no limit",
                  .min = 1,
                  .short_for = "[]"});
  rows.push_back({.path = at + "[]", .type = Type::object, .doc = "A budget."});
  rows.push_back({.path = at + "[].usd",
                  .type = Type::decimal,
                  .doc = "USD in one period, markup included, for example \"500.00\".",
                  .required = true});
  rows.push_back({.path = at + "[].per",
                  .type = Type::choice,
                  .doc = "The period. Weeks begin on Monday; `all` is one period without end.",
                  .required = true,
                  .allowed = {"hour", "day", "week", "month", "all"}});
  rows.push_back({.path = at + "[].time_zone",
                  .type = Type::word,
                  .doc = "By whose clocks a period begins, for example Europe/Berlin.",
                  .otherwise = "UTC"});
  rows.push_back({.path = at + "[].notify_at",
                  .type = Type::list,
                  .doc = "Shares of it, such as 0.8: when one is reached, notice is given, once a period.",
                  .otherwise = "none",
                  .short_for = "[]"});
  rows.push_back({.path = at + "[].notify_at[]", .type = Type::decimal, .doc = "Above 0, and 1 at most."});
}

void add_credit_row(Rows& rows, const std::string& at) {
  rows.push_back({.path = at,
                  .type = Type::boolean,
                  .doc = "It pays in advance: what it is charged comes off a credit, which `fairlead credit add` tops up.",
                  .fallback = "false"});
}

void add_team_rows(Rows& rows) {
  add_budget_rows(rows, "budget", "all requests together");
  rows.push_back(
      {.path = "teams",
       .type = Type::map,
       .doc = "Markup, budgets, credit and limits of teams. A key may name a team that is not here; it then has none of these."});
  rows.push_back({.path = "teams.*", .type = Type::object, .doc = "A team."});
  rows.push_back({.path = "teams.*.markup",
                  .type = Type::decimal,
                  .doc = "What it is charged on top of the cost, as a share of it: \"0.15\" is 15 %.",
                  .fallback = "0"});
  add_budget_rows(rows, "teams.*.budget", "its requests");
  add_credit_row(rows, "teams.*.credit");
  add_rate_limit_rows(rows, "teams.*", "this team, for all of its keys together");
  rows.push_back({.path = "projects",
                  .type = Type::map,
                  .doc = "Budgets of projects. A key may name one that is not here; it then has none."});
  rows.push_back({.path = "projects.*", .type = Type::object, .doc = "A project."});
  add_budget_rows(rows, "projects.*.budget", "its requests");
}

void add_notify_rows(Rows& rows) {
  rows.push_back({.path = "notify", .type = Type::object, .doc = "Who is told about budgets, besides the log and the metrics."});
  rows.push_back({.path = "notify.webhook",
                  .type = Type::url,
                  .doc = "Gets a POST with JSON when a share of a budget is reached (`notify_at`).",
                  .otherwise = "nobody",
                  .may_be_missing = true});
}

}  // namespace fairlead::config
