#include "exchange/models.h"

#include <fairlead/near.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace fairlead::exchange {
namespace {

std::vector<std::string> names_of(const Key& key) {
  std::vector<std::string> names;
  for (const Route* route : key.routes) names.push_back(route->name);
  if (!key.may_name_targets) return names;
  for (const Route* route : key.routes)
    for (const Target* target : route->targets)
      if (std::find(names.begin(), names.end(), target->name) == names.end()) names.push_back(target->name);
  return names;
}

nlohmann::ordered_json model_object(const std::string& name) {
  return {{"id", name}, {"object", "model"}, {"created", 0}, {"owned_by", "fairlead"}};
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high && low) {
        out += static_cast<char>(*high * 16 + *low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::string models_json(const Key& key) {
  nlohmann::ordered_json data = nlohmann::ordered_json::array();
  for (const std::string& name : names_of(key)) data.push_back(model_object(name));
  return nlohmann::ordered_json{{"object", "list"}, {"data", std::move(data)}}.dump();
}

Result<std::string> model_json(std::string_view escaped_id, const Key& key) {
  const std::string id = unescape(escaped_id);
  for (const std::string& name : names_of(key))
    if (name == id) return model_object(name).dump();
  return Error(ErrorKind::unknown_model, ErrorOrigin::app,
               "The model '" + echo_of(id) + "' does not exist, or this key may not use it.");
}

}  // namespace fairlead::exchange
