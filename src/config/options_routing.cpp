// The rows of the description: routes and keys.
#include "config/option_rows.h"

#include <fairlead/strategy.h>

namespace fairlead::config {

void add_route_rows(Rows& rows) {
  rows.push_back({.path = "routes",
                  .type = Type::map,
                  .doc = "The names that apps ask for in `model`.",
                  .min = 1,
                  .required = true,
                  .key_type = Type::path_name});
  rows.push_back({.path = "routes.*", .type = Type::object, .doc = "The targets behind a name, and how they are ranked."});
  rows.push_back({.path = "routes.*.targets",
                  .type = Type::list,
                  .doc = "Its targets, in the order in which ties are broken.",
                  .min = 1,
                  .required = true,
                  .short_for = "[]"});
  rows.push_back({.path = "routes.*.targets[]",
                  .type = Type::object,
                  .doc = "A target: `provider/model`, or a map of these.",
                  .short_for = "target"});
  rows.push_back({.path = "routes.*.targets[].target",
                  .type = Type::target,
                  .doc = "A provider of this file and a model as it names it; the model may hold slashes.",
                  .required = true});
  rows.push_back({.path = "routes.*.targets[].weight",
                  .type = Type::integer,
                  .doc = "For `weighted`: its share of the requests, in proportion to the weights of the others. 0: only after "
                         "those have failed.",
                  .fallback = "1",
                  .max = 1'000'000});
  rows.push_back({.path = "routes.*.targets[].quality",
                  .type = Type::integer,
                  .doc = "How good its answers are for this route, by your own measure, from 0 to 100.",
                  .otherwise = "not stated",
                  .max = 100});
  rows.push_back({.path = "routes.*.strategy",
                  .type = Type::choice,
                  .doc =
                      "How its targets are ranked: the cheapest for this request, the fastest, in the order written, by chance in "
                      "proportion to their weights, or the cheapest of those within `latency_ms_max` (balanced).",
                  .fallback = "cheapest",
                  .allowed = strategy_names()});
  rows.push_back(
      {.path = "routes.*.latency_ms_max",
       .type = Type::duration,
       .doc = "For `balanced`, which needs it: the time within which a target's first token must come nine times in ten.",
       .otherwise = "none",
       .min = 1});
  rows.push_back({.path = "routes.*.quality_min",
                  .type = Type::integer,
                  .doc = "Targets whose `quality` is lower, or not stated, are rejected.",
                  .otherwise = "none",
                  .max = 100});
  rows.push_back({.path = "routes.*.max_price",
                  .type = Type::object,
                  .doc = "Dearer targets are rejected.",
                  .otherwise = "no limit",
                  .min = 1});
  rows.push_back(
      {.path = "routes.*.max_price.input", .type = Type::decimal, .doc = "USD per million input tokens.", .otherwise = "no limit"});
  rows.push_back({.path = "routes.*.max_price.output",
                  .type = Type::decimal,
                  .doc = "USD per million output tokens.",
                  .otherwise = "no limit"});
  rows.push_back({.path = "routes.*.max_cost",
                  .type = Type::decimal,
                  .doc = "USD that a request is expected to cost at most; dearer targets, and those whose cost is not known, are "
                         "rejected.",
                  .otherwise = "no limit"});
  rows.push_back({.path = "routes.*.fallback",
                  .type = Type::boolean,
                  .doc = "Try the next target when one fails before the app has seen anything.",
                  .fallback = "true"});
  rows.push_back({.path = "routes.*.fallback_on_unconfirmed",
                  .type = Type::boolean,
                  .doc = "Do so even when the failed attempt may have been billed: it was sent whole and no answer came, or an "
                         "answer had begun and broke off.",
                  .fallback = "true"});
  rows.push_back({.path = "routes.*.fallback_on_refusal",
                  .type = Type::list,
                  .doc =
                      "Also when the provider refused the request itself: as longer than the model's context (then a target whose "
                      "`context_window` is larger, or not stated), by its content filter, or as wrong in another way.",
                  .otherwise = "none; the app gets the refusal"});
  rows.push_back({.path = "routes.*.fallback_on_refusal[]",
                  .type = Type::choice,
                  .doc = "A reason.",
                  .allowed = {"context", "filtered", "refused"}});
  rows.push_back({.path = "routes.*.answer_model",
                  .type = Type::choice,
                  .doc = "The model's name in answers: as the provider says it, or as the app asked.",
                  .fallback = "provider",
                  .allowed = {"provider", "asked"}});
  add_rate_limit_rows(rows, "routes.*", "this route, for all keys together");
  rows.push_back({.path = "routes.*.unpriced",
                  .type = Type::choice,
                  .doc = "Whether requests that a budget counts may reach targets without a price, whose cost no budget can count.",
                  .fallback = "refuse",
                  .allowed = {"refuse", "allow"}});
  add_budget_rows(rows, "routes.*.budget", "all requests to it");
}

void add_key_rows(Rows& rows) {
  rows.push_back({.path = "keys", .type = Type::list, .doc = "Virtual keys, which apps hold. `fairlead key new NAME` makes one."});
  rows.push_back({.path = "keys[]", .type = Type::object, .doc = "A key."});
  rows.push_back(
      {.path = "keys[].name", .type = Type::name, .doc = "Its name in the ledger, in reports and in rules.", .required = true});
  rows.push_back({.path = "keys[].hash",
                  .type = Type::key_hash,
                  .doc = "The SHA-256 of the key. If a reference here cannot be resolved, the key is disabled, with a warning.",
                  .required = true,
                  .may_be_missing = true});
  rows.push_back({.path = "keys[].expires_at",
                  .type = Type::instant,
                  .doc = "From then on it is refused.",
                  .otherwise = "it does not expire"});
  rows.push_back({.path = "keys[].former",
                  .type = Type::list,
                  .doc = "Secrets that `hash` has replaced, and that are good for a while yet.",
                  .otherwise = "none"});
  rows.push_back({.path = "keys[].former[]", .type = Type::object, .doc = "A former secret."});
  rows.push_back({.path = "keys[].former[].hash", .type = Type::key_hash, .doc = "Its SHA-256.", .required = true});
  rows.push_back({.path = "keys[].former[].until", .type = Type::instant, .doc = "From then on it is refused.", .required = true});
  rows.push_back({.path = "keys[].team", .type = Type::name, .doc = "Who pays.", .otherwise = "no team"});
  rows.push_back({.path = "keys[].project",
                  .type = Type::name,
                  .doc = "What it is for; policies and reports go by it.",
                  .otherwise = "no project"});
  rows.push_back({.path = "keys[].tags",
                  .type = Type::list,
                  .doc = "Tags of all of its requests, for policies; case does not count.",
                  .short_for = "[]"});
  rows.push_back({.path = "keys[].tags[]", .type = Type::name, .doc = "A tag."});
  rows.push_back({.path = "keys[].request_tags",
                  .type = Type::list,
                  .doc = "Tags that a request may add, in the header `x-fairlead-tags`. They can only make more policies apply.",
                  .short_for = "[]"});
  rows.push_back({.path = "keys[].request_tags[]", .type = Type::name, .doc = "A tag."});
  rows.push_back({.path = "keys[].routes",
                  .type = Type::list,
                  .doc = "The routes that it may ask for.",
                  .min = 1,
                  .required = true,
                  .short_for = "[]"});
  rows.push_back({.path = "keys[].routes[]", .type = Type::path_name, .doc = "A route of this file."});
  rows.push_back({.path = "keys[].targets",
                  .type = Type::boolean,
                  .doc = "It may also ask for a target of its routes directly, as `provider/model`.",
                  .fallback = "false"});
  add_rate_limit_rows(rows, "keys[]", "this key");
  add_budget_rows(rows, "keys[].budget", "its requests");
  add_credit_row(rows, "keys[].credit");
}

}  // namespace fairlead::config
