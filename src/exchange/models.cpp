#include "exchange/models.h"

#include <fairlead/near.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

#include "net/app.h"

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

}  // namespace

std::string models_json(const Key& key) {
  nlohmann::ordered_json data = nlohmann::ordered_json::array();
  for (const std::string& name : names_of(key)) data.push_back(model_object(name));
  return nlohmann::ordered_json{{"object", "list"}, {"data", std::move(data)}}.dump();
}

Result<std::string> model_json(std::string_view escaped_id, const Key& key) {
  const std::string id = net::unescaped(escaped_id);
  for (const std::string& name : names_of(key))
    if (name == id) return model_object(name).dump();
  return Error(ErrorKind::unknown_model, ErrorOrigin::app,
               "The model '" + echo_of(id) + "' does not exist, or this key may not use it.");
}

}  // namespace fairlead::exchange
