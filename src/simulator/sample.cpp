// Values that conform to simple JSON Schemas: `sample_of` of answer.h.
#include <nlohmann/json.hpp>

#include "simulator/answer.h"

namespace fairlead::simulator {
namespace {
using nlohmann::json;

constexpr int sample_depth_max = 16;
constexpr std::size_t sample_bytes_max = 64 << 10;  // a schema that refers to itself twice doubles with each level

class Sampler {
 public:
  explicit Sampler(const json& root) : root_(root) {}

  json sample(const json& schema, std::string_view name, int depth) {
    if (!schema.is_object() || depth > sample_depth_max || !spend(name.size() + 1)) return nullptr;
    if (auto at = schema.find("const"); at != schema.end()) return copied(*at);
    for (const char* choices : {"enum", "examples"})
      if (auto at = schema.find(choices); at != schema.end() && at->is_array() && !at->empty()) return copied(at->front());
    if (auto at = schema.find("$ref"); at != schema.end()) return sample(referred(*at), name, depth + 1);
    for (const char* choices : {"anyOf", "oneOf", "allOf"})
      if (auto at = schema.find(choices); at != schema.end() && at->is_array() && !at->empty())
        return sample(at->front(), name, depth + 1);
    return of_type(type_of(schema), schema, name, depth);
  }

  bool too_large() const { return bytes_ > sample_bytes_max; }

 private:
  bool spend(std::size_t bytes) {
    bytes_ += bytes;
    return !too_large();
  }

  json copied(const json& value) { return spend(value.dump().size()) ? value : nullptr; }

  static const json& member(const json& schema, const char* name) {
    static const json none;
    const auto at = schema.find(name);
    return at == schema.end() ? none : *at;
  }

  static std::string type_of(const json& schema) {
    const json& type = member(schema, "type");
    if (type.is_string()) return type.get<std::string>();
    if (type.is_array())
      for (const json& one : type)
        if (one.is_string() && one != "null") return one.get<std::string>();
    return schema.contains("properties") ? "object" : "null";
  }

  const json& referred(const json& reference) const {
    static const json none;
    if (!reference.is_string() || !reference.get_ref<const std::string&>().starts_with('#')) return none;
    try {
      return root_.at(json::json_pointer(reference.get_ref<const std::string&>().substr(1)));
    } catch (const json::exception&) {
      return none;
    }
  }

  json of_type(const std::string& type, const json& schema, std::string_view name, int depth) {
    if (type == "string") return name.empty() ? "text" : std::string(name);
    if (type == "boolean") return true;
    if (type == "integer" || type == "number") {
      const json& minimum = member(schema, "minimum");
      if (minimum.is_number()) return minimum;
      return type == "integer" ? json(7) : json(1.5);
    }
    if (type == "array") return json::array({sample(member(schema, "items"), name, depth + 1)});
    if (type != "object") return nullptr;
    json object = json::object();
    for (const auto& [key, value] : member(schema, "properties").items()) object[key] = sample(value, key, depth + 1);
    return object;
  }

  const json& root_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::optional<json> sample_of(const json& schema) {
  Sampler sampler(schema);
  json sample = sampler.sample(schema, {}, 0);
  if (sampler.too_large()) return std::nullopt;
  return sample;
}

}  // namespace fairlead::simulator
