#include "config/written.h"

#include "config/findings.h"

#include <fairlead/near.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::config {
namespace {

/// Told as facts, as plans, or as what needs a restart.
const std::set<std::string_view> compared{"include",  "listen",        "admin",           "ledger", "ledger_sync", "workers",
                                          "policies", "region_groups", "trusted_proxies", "fx",     "prices",      "tests"};
/// The same of parts of the things in a section.
const std::map<std::string_view, std::set<std::string_view>> compared_fields{
    {"keys", {"name", "hash", "team", "project", "tags", "request_tags", "routes", "targets"}},
    {"routes",
     {"targets", "strategy", "max_price", "max_cost", "latency_ms_max", "quality_min", "fallback", "fallback_on_unconfirmed",
      "fallback_on_refusal", "answer_model"}},
    {"providers",
     {"base_url", "proxy", "dialect", "profile", "operator", "region", "hosting", "retention", "labels", "regional", "discount",
      "surcharge", "currency"}},
    {"models", {"origin", "context_window"}},
    {"assertions", {"name"}}};
/// Sections of things that have names.
const std::set<std::string_view> of_things{"keys",       "teams",   "projects",  "routes",    "providers", "models",
                                           "assertions", "content", "contracts", "calendars", "profiles"};

std::string shown(const Value& scalar) { return looks_secret(scalar.raw) ? "(not shown)" : scalar.raw; }

bool is_plain(const Value& list) {
  return std::all_of(list.children.begin(), list.children.end(),
                     [](const Value& item) { return item.kind == Value::Kind::scalar; });
}

std::string text_of_plain(const Value& list) {
  std::vector<std::string> texts;
  for (const Value& item : list.children) texts.push_back(shown(item));
  return joined(texts);
}

class Writing {
 public:
  std::vector<WrittenOption> take() { return std::move(options_); }

  void add(const std::string& thing, const std::string& field, const Value& value) {
    switch (value.kind) {
      case Value::Kind::null: return;
      case Value::Kind::scalar: return put(thing, field, shown(value));
      case Value::Kind::list:
        if (is_plain(value)) return put(thing, field, text_of_plain(value));
        for (std::size_t i = 0; i < value.children.size(); ++i) add(thing, path_of_item(field, i), value.children[i]);
        return;
      case Value::Kind::map:
        for (const Value& child : value.children) add(thing, path_of_key(field, child.key), child);
        return;
    }
  }

  /// A section of named things: a map by name, or a list of maps with one.
  void add_things(const Value& section) {
    const auto known = compared_fields.find(section.key);
    for (const Value& thing : section.children) {
      const Value* name = thing.find("name");
      const std::string title = path_of_key(section.key, section.kind == Value::Kind::map ? thing.key : name ? name->raw : "");
      if (thing.kind != Value::Kind::map) add(title, "", thing);
      for (const Value& field : thing.children)
        if (known == compared_fields.end() || known->second.count(field.key) == 0) add(title, field.key, field);
    }
  }

 private:
  void put(const std::string& thing, const std::string& field, std::string text) {
    options_.push_back({thing, field, std::move(text)});
  }

  std::vector<WrittenOption> options_;
};

}  // namespace

std::vector<WrittenOption> written_options(const Value& root) {
  Writing writing;
  for (const Value& section : root.children) {
    if (compared.count(section.key) != 0) continue;
    if (of_things.count(section.key) != 0)
      writing.add_things(section);
    else
      writing.add(section.key, "", section);
  }
  return writing.take();
}

}  // namespace fairlead::config
