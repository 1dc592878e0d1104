// The rows of the description: policies and what they speak of.
#include "config/option_rows.h"

#include <fairlead/names.h>
#include <fairlead/policy.h>

#include <utility>

namespace fairlead::config {
namespace {

constexpr std::int64_t tokens_max = 1'000'000'000;

void add_values(Rows& rows, const std::string& at, std::string doc, Option item) {
  rows.push_back({.path = at, .type = Type::list, .doc = std::move(doc), .min = 1, .short_for = "[]"});
  item.path = at + "[]";
  item.doc = "A value.";
  rows.push_back(std::move(item));
}

void add_facts(Rows& rows, const std::string& at) {
  for (int i = 0; i < fact_count; ++i) {
    const auto fact = static_cast<Fact>(i);
    const std::string name(to_string(fact));
    Option item{.type = Type::word};
    if (fact == Fact::hosting) item = {.type = Type::choice, .allowed = {"cloud", "self"}};
    if (fact == Fact::retention) item = {.type = Type::choice, .allowed = {"none", "provider", "trains"}};
    std::string doc = "One or several values of `" + name + "`";
    if (fact == Fact::provider || fact == Fact::model) doc += "; a `*` stands for any characters";
    if (fact == Fact::origin || fact == Fact::operator_ || fact == Fact::region) doc += ", or region groups";
    if (fact == Fact::label) doc = "One or several of the providers' `labels`";
    add_values(rows, at + "." + name, doc + ".", std::move(item));
  }
}

void add_token_ranges(Rows& rows, const std::string& at) {
  rows.push_back({.path = at,
                  .type = Type::list,
                  .doc = "Its input in tokens, as estimated before it is sent: one or several ranges.",
                  .min = 1,
                  .short_for = "[]"});
  rows.push_back({.path = at + "[]", .type = Type::object, .doc = "A range.", .min = 1});
  rows.push_back(
      {.path = at + "[].above", .type = Type::integer, .doc = "More than this.", .otherwise = "any number", .max = tokens_max});
  rows.push_back({.path = at + "[].up_to",
                  .type = Type::integer,
                  .doc = "No more than this. An app can always send more, and so leave such a rule.",
                  .otherwise = "any number",
                  .max = tokens_max});
}

void add_times(Rows& rows, const std::string& at) {
  rows.push_back(
      {.path = at, .type = Type::list, .doc = "When it comes: one or several weekly windows.", .min = 1, .short_for = "[]"});
  rows.push_back({.path = at + "[]", .type = Type::object, .doc = "A window.", .min = 1});
  add_window_rows(rows, at + "[]", true, "In a year that the calendar does not know, it begins on every day on which it might.");
}

void add_when(Rows& rows, const std::string& at) {
  rows.push_back({.path = at,
                  .type = Type::object,
                  .doc = "Which requests it applies to: each condition named here must hold, with any of its values. There is no "
                         "negation: nothing that an app adds to a request can free it from a rule.",
                  .otherwise = "all"});
  add_values(rows, at + ".key", "The key's name.", {.type = Type::word});
  add_values(rows, at + ".team", "The key's team; case does not count.", {.type = Type::word});
  add_values(rows, at + ".project", "The key's project; case does not count.", {.type = Type::word});
  add_values(rows, at + ".tags", "A tag of the key or of the request; case does not count.", {.type = Type::name});
  add_values(rows, at + ".route",
             "The route that it asks for. A target asked for by name counts as asked for under every route of its key that has it.",
             {.type = Type::word});
  add_values(rows, at + ".endpoint", "The API that it asks for; only `chat.completions` is served so far.",
             {.type = Type::choice, .allowed = all_names<Endpoint>(endpoint_count)});
  add_values(rows, at + ".content",
             "Classes of content, one of which the prompt holds: those listed in docs/content.md, or your own, of `content`.",
             {.type = Type::word});
  add_values(rows, at + ".modality", "What it carries; every request carries text.",
             {.type = Type::choice, .allowed = all_names<Modality>(modality_count)});
  add_token_ranges(rows, at + ".input_tokens");
  add_values(rows, at + ".network",
             "The networks that its connection comes from (see `trusted_proxies`); an address that is not known is in all of them.",
             {.type = Type::network});
  add_times(rows, at + ".time");
}

void add_assertion(Rows& rows, const std::string& at, std::string doc, std::string target) {
  rows.push_back({.path = at, .type = Type::object, .doc = std::move(doc)});
  add_when(rows, at + ".when");
  rows.push_back({.path = at + ".target", .type = Type::object, .doc = std::move(target), .min = 1, .required = true});
  add_facts(rows, at + ".target");
}

}  // namespace

void add_assertion_rows(Rows& rows) {
  rows.push_back({.path = "assertions",
                  .type = Type::list,
                  .doc =
                      "What the policies must ensure, for all requests. Each is proved, or a request is shown that breaks it: by "
                      "`fairlead check`, and by `serve` and each reload, which then refuse the configuration."});
  rows.push_back({.path = "assertions[]", .type = Type::object, .doc = "An assertion: it has one of `never` and `always`."});
  rows.push_back(
      {.path = "assertions[].name", .type = Type::name, .doc = "Its name, told where it is not proved.", .required = true});
  add_assertion(
      rows, "assertions[].never", "No request for which `when` holds may reach a target that fits `target`.",
      "Facts that the target has, all of them. One that is not stated might be anything, so it fits, as it does for `deny`.");
  add_assertion(rows, "assertions[].always", "A request for which `when` holds may reach only targets that fit `target`.",
                "Facts that the target has, all of them. One that is not stated does not fit, as it does not for `allow`.");
}

void add_policy_rows(Rows& rows) {
  rows.push_back({.path = "policies",
                  .type = Type::list,
                  .doc = "Rules that narrow what a request may reach. All that apply must agree; their order does not matter."});
  rows.push_back({.path = "policies[]", .type = Type::object, .doc = "A rule."});
  rows.push_back(
      {.path = "policies[].name", .type = Type::name, .doc = "Its name, which the app is told when it refuses.", .required = true});
  add_when(rows, "policies[].when");
  rows.push_back({.path = "policies[].allow",
                  .type = Type::object,
                  .doc = "A target must have one of the values of each fact named here; a fact that is not stated has none.",
                  .min = 1});
  add_facts(rows, "policies[].allow");
  rows.push_back({.path = "policies[].deny",
                  .type = Type::object,
                  .doc = "A target may have none of the values named here. A fact that is not stated might be any of them, so it "
                         "is denied too; only labels are not.",
                  .min = 1});
  add_facts(rows, "policies[].deny");
  rows.push_back({.path = "policies[].max_cost",
                  .type = Type::decimal,
                  .doc = "USD that the request is expected to cost at most; dearer targets, and those whose cost is not known, are "
                         "refused.",
                  .otherwise = "no limit"});
  rows.push_back({.path = "policies[].reason",
                  .type = Type::text,
                  .doc = "Why; kept in plans, for `explain`. The app that is refused is told the name of the policy.",
                  .otherwise = "none"});
  rows.push_back({.path = "region_groups",
                  .type = Type::map,
                  .doc =
                      "Names for several countries, for policies. EU, EEA, GCC and ASEAN are built in; an entry of the same name "
                      "replaces one. A provider that states a group is somewhere in it: allowed where all of it is, denied "
                      "where any of it is."});
  rows.push_back({.path = "region_groups.*", .type = Type::list, .doc = "Its members.", .min = 1, .short_for = "[]"});
  rows.push_back({.path = "region_groups.*[]", .type = Type::word, .doc = "A country, or another group."});
}

}  // namespace fairlead::config
