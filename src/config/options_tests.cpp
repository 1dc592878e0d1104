// The rows of the description: routing tests.
#include "config/option_rows.h"

#include <fairlead/names.h>
#include <fairlead/policy.h>

#include <utility>

namespace fairlead::config {
namespace {

constexpr std::int64_t tokens_max = 1'000'000'000;

void add_list(Rows& rows, const std::string& path, std::string doc, Option item) {
  rows.push_back({.path = path, .type = Type::list, .doc = std::move(doc), .short_for = "[]"});
  item.path = path + "[]";
  rows.push_back(std::move(item));
}

void add_request(Rows& rows) {
  rows.push_back({.path = "tests[].key", .type = Type::name, .doc = "The key that asks.", .required = true});
  rows.push_back({.path = "tests[].route",
                  .type = Type::path_name,
                  .doc = "What it asks for, in `model`: a route, or a target.",
                  .otherwise = "the key's first route"});
  rows.push_back({.path = "tests[].tokens", .type = Type::integer, .doc = "Its input.", .fallback = "1000", .max = tokens_max});
  rows.push_back({.path = "tests[].output_tokens",
                  .type = Type::integer,
                  .doc = "Its own cap on the output.",
                  .otherwise = "none",
                  .max = tokens_max});
  add_list(rows, "tests[].tags", "Tags that it adds to its key's.", {.type = Type::name, .doc = "A tag."});
  add_list(rows, "tests[].content", "Classes of content that its prompt holds.", {.type = Type::word, .doc = "A class."});
  add_list(rows, "tests[].modality", "What it carries beside text.",
           {.type = Type::choice, .doc = "A modality.", .allowed = all_names<Modality>(modality_count)});
  rows.push_back({.path = "tests[].endpoint",
                  .type = Type::choice,
                  .doc = "The API that it asks for.",
                  .fallback = "chat.completions",
                  .allowed = all_names<Endpoint>(endpoint_count)});
  rows.push_back({.path = "tests[].network",
                  .type = Type::network,
                  .doc = "The address that it comes from.",
                  .otherwise = "not known, which counts as being in every network"});
  rows.push_back({.path = "tests[].stream", .type = Type::boolean, .doc = "It asks for a stream.", .fallback = "false"});
  rows.push_back({.path = "tests[].store",
                  .type = Type::boolean,
                  .doc = "It asks its provider to keep it (`store: true`).",
                  .fallback = "false"});
  rows.push_back({.path = "tests[].at", .type = Type::instant, .doc = "When it comes.", .otherwise = "now"});
}

void add_expectation(Rows& rows) {
  rows.push_back({.path = "tests[].expect", .type = Type::object, .doc = "Where it goes.", .min = 1, .required = true});
  rows.push_back(
      {.path = "tests[].expect.target", .type = Type::target, .doc = "The target tried first.", .otherwise = "not looked at"});
  add_list(rows, "tests[].expect.allowed", "All targets that may be tried, in any order.",
           {.type = Type::target, .doc = "A target."});
  add_list(rows, "tests[].expect.order", "All targets that may be tried, in this order.",
           {.type = Type::target, .doc = "A target."});
  add_list(rows, "tests[].expect.refused_by", "No target is left, because of exactly these policies.",
           {.type = Type::name, .doc = "A policy."});
  rows.push_back({.path = "tests[].expect.cost",
                  .type = Type::decimal,
                  .doc = "USD that it is expected to cost at the target tried first, to the last digit.",
                  .otherwise = "not looked at"});
}

}  // namespace

void add_test_rows(Rows& rows) {
  rows.push_back(
      {.path = "tests",
       .type = Type::list,
       .doc = "Requests that nobody has sent, and where they should go. `fairlead check` plans each, as if all secrets were there, "
              "and fails if one would go elsewhere. They are best kept in a file of their own, named by `include`."});
  rows.push_back({.path = "tests[]", .type = Type::object, .doc = "A routing test."});
  rows.push_back({.path = "tests[].name", .type = Type::text, .doc = "What it shows.", .required = true});
  add_request(rows);
  add_expectation(rows);
}

}  // namespace fairlead::config
