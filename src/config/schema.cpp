// The description as JSON Schema (draft 2020-12), for editors.
#include "config/config.h"
#include "config/options.h"
#include "config/scalar.h"

#include <nlohmann/json.hpp>

namespace fairlead::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* reference = "#/$defs/reference";

Json schema_of(const Node& node);

Json object_schema(const Node& node) {
  Json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const auto& child : node.children) {
    schema["properties"][child->name] = schema_of(*child);
    // The root's required options may stand in any of the files that include each other.
    if (child->option.required && !node.name.empty()) required.push_back(child->name);
  }
  if (!required.empty()) schema["required"] = required;
  if (node.option.min > 0) schema["minProperties"] = node.option.min;
  return schema;
}

Json map_schema(const Node& node) {
  Json schema{{"type", "object"}, {"additionalProperties", schema_of(*node.each)}};
  schema["propertyNames"]["pattern"] = facts_of(node.option.key_type).pattern;
  if (node.option.min > 0) schema["minProperties"] = node.option.min;
  return schema;
}

Json list_schema(const Node& node) {
  Json schema{{"type", "array"}, {"items", schema_of(*node.each)}};
  if (node.option.min > 0) schema["minItems"] = node.option.min;
  return schema;
}

Json number_schema(const Option& option) {
  Json schema{{"type", "integer"}, {"minimum", option.min}};
  if (option.max > 0) schema["maximum"] = option.max;
  return schema;
}

/// Every text may be written as a reference; numbers and booleans as texts too, since YAML's scalars are texts.
Json scalar_schema(const Option& option) {
  if (option.type == Type::secret) return {{"$ref", reference}};
  Json forms = Json::array();
  if (!option.allowed.empty()) {
    forms.push_back({{"enum", option.allowed}});
  } else {
    if (is_counted(option.type)) forms.push_back(number_schema(option));
    if (option.type == Type::decimal) forms.push_back({{"type", "number"}, {"minimum", 0}});
    if (option.type == Type::boolean) forms.push_back({{"type", "boolean"}});
    forms.push_back({{"type", "string"}, {"pattern", facts_of(option.type).pattern}});
  }
  forms.push_back({{"$ref", reference}});
  return {{"anyOf", forms}};
}

/// The default, in the type that an editor inserts.
Json default_of(const Option& option) {
  if (option.type == Type::integer) return parse_integer(option.fallback).value_or(0);
  if (option.type == Type::boolean) return option.fallback == "true";
  if (option.type == Type::list) return Json::array({option.fallback});
  return option.fallback;
}

Json schema_of(const Node& node) {
  const Option& option = node.option;
  Json form;
  switch (option.type) {
    case Type::object: form = object_schema(node); break;
    case Type::map: form = map_schema(node); break;
    case Type::list: form = list_schema(node); break;
    default: form = scalar_schema(option); break;
  }
  if (!option.short_for.empty())
    form = {{"anyOf", {form, schema_of(option.type == Type::list ? *node.each : *node.find(option.short_for))}}};
  Json schema{{"description", option.doc}};
  if (!option.fallback.empty()) schema["default"] = default_of(option);
  schema.update(form);
  return schema;
}

}  // namespace

std::string json_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "fairlead.yaml"}};
  schema.update(schema_of(root_node()));
  schema["$defs"]["reference"] = {{"description", "A value from the environment or from a file."},
                                  {"type", "string"},
                                  {"pattern", "\\$\\{(env|file):[^}]+\\}"}};
  return schema.dump(2) + "\n";
}

}  // namespace fairlead::config
