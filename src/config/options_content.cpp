// The rows of the description: classes of content of the operator's own.
#include "config/option_rows.h"

namespace fairlead::config {

void add_content_rows(Rows& rows) {
  rows.push_back(
      {.path = "content",
       .type = Type::map,
       .doc = "Classes of content of your own, which policies name in `when`. Only what a policy names is looked for in prompts."});
  rows.push_back(
      {.path = "content.*", .type = Type::object, .doc = "A class: found where one of its words or patterns is.", .min = 1});
  rows.push_back({.path = "content.*.words",
                  .type = Type::list,
                  .doc = "Whole words or phrases, in any case; at most 1,000 of 200 bytes.",
                  .min = 1,
                  .short_for = "[]"});
  rows.push_back({.path = "content.*.words[]", .type = Type::text, .doc = "A word."});
  rows.push_back(
      {.path = "content.*.patterns",
       .type = Type::list,
       .doc =
           "Regular expressions of RE2; at most 100 of 1,000 bytes, with 1,500 steps each and 15,000 in all that policies ask for.",
       .min = 1,
       .short_for = "[]"});
  rows.push_back({.path = "content.*.patterns[]", .type = Type::text, .doc = "A pattern; it may not match the empty text."});
}

}  // namespace fairlead::config
