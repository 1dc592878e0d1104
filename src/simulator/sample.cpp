// Values that conform to simple JSON Schemas: `sample_of` of answer.h.
#include <nlohmann/json.hpp>

#include "simulator/answer.h"

namespace fairlead::simulator {
namespace {
using nlohmann::json;

constexpr int depth_max = 16;

class Sampler {
 public:
  explicit Sampler(const json& root) : root_(root) {}

  json sample(const json& schema, std::string_view name, int depth) const {
    if (!schema.is_object() || depth > depth_max) return nullptr;
    if (auto at = schema.find("const"); at != schema.end()) return *at;
    for (const char* choices : {"enum", "examples"})
      if (auto at = schema.find(choices); at != schema.end() && at->is_array() && !at->empty()) return at->front();
    if (auto at = schema.find("$ref"); at != schema.end()) return sample(referred(*at), name, depth + 1);
    for (const char* choices : {"anyOf", "oneOf", "allOf"})
      if (auto at = schema.find(choices); at != schema.end() && at->is_array() && !at->empty())
        return sample(at->front(), name, depth + 1);
    return of_type(type_of(schema), schema, name, depth);
  }

 private:
  static std::string type_of(const json& schema) {
    const json type = schema.value("type", json());
    if (type.is_string()) return type.get<std::string>();
    if (type.is_array())
      for (const json& one : type)
        if (one.is_string() && one != "null") return one.get<std::string>();
    return schema.contains("properties") ? "object" : "null";
  }

  json referred(const json& reference) const {
    if (!reference.is_string() || reference.get_ref<const std::string&>().compare(0, 1, "#") != 0) return nullptr;
    try {
      return root_.at(json::json_pointer(reference.get_ref<const std::string&>().substr(1)));
    } catch (const json::exception&) {
      return nullptr;
    }
  }

  json of_type(const std::string& type, const json& schema, std::string_view name, int depth) const {
    if (type == "string") return name.empty() ? "text" : std::string(name);
    if (type == "boolean") return true;
    if (type == "integer" || type == "number") {
      json minimum = schema.value("minimum", json());
      if (minimum.is_number()) return minimum;
      return type == "integer" ? json(7) : json(1.5);
    }
    if (type == "array") return json::array({sample(schema.value("items", json()), name, depth + 1)});
    if (type != "object") return nullptr;
    json object = json::object();
    const json properties = schema.value("properties", json());
    for (const auto& [key, value] : properties.items()) object[key] = sample(value, key, depth + 1);
    return object;
  }

  const json& root_;
};

}  // namespace

json sample_of(const json& schema) { return Sampler(schema).sample(schema, {}, 0); }

}  // namespace fairlead::simulator
