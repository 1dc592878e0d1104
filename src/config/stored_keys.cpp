#include "config/stored_keys.h"

#include "config/findings.h"
#include "config/yaml.h"

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace fairlead::config {
namespace {

using KeyJson = nlohmann::ordered_json;

std::string dumped(const KeyJson& json) { return json.dump(-1, ' ', false, KeyJson::error_handler_t::replace); }

KeyJson json_of(const Value& value) {
  if (value.kind == Value::Kind::scalar) return value.raw;
  if (value.kind == Value::Kind::null) return nullptr;
  KeyJson json = value.kind == Value::Kind::list ? KeyJson::array() : KeyJson::object();
  for (const Value& child : value.children)
    if (value.kind == Value::Kind::list)
      json.push_back(json_of(child));
    else
      json[child.key] = json_of(child);
  return json;
}

std::string text_of_key(const StoredKey& current, const std::vector<const StoredKey*>& former) {
  KeyJson key{{"name", current.name}, {"hash", current.hash}};
  for (const StoredKey* one : former)
    key["former"].push_back({{"hash", one->hash}, {"until", iso_8601(std::chrono::ceil<std::chrono::seconds>(*one->ends_at))}});
  const KeyJson options = KeyJson::parse(current.options, nullptr, false);
  if (!options.is_object())
    key["options"] = "are no JSON object";  // not known to the description: it refuses the key, and says where
  else
    for (const auto& [name, value] : options.items()) key[name] = value;
  return dumped({{"keys", KeyJson::array({key})}});
}

}  // namespace

StoredKeys stored_keys(const std::vector<StoredKey>& rows, TimePoint now) {
  StoredKeys stored;
  std::map<std::string, std::vector<const StoredKey*>> former;
  std::set<std::string> ended;
  for (const StoredKey& row : rows) {
    if (row.replaced_at && holds(row, now)) former[row.name].push_back(&row);
    ended.insert(row.name);
    if (!holds(row, now)) stored.ended_secrets.push_back(row);
  }
  for (const StoredKey& row : rows) {
    if (row.replaced_at || row.revoked_at) continue;
    stored.texts.push_back({row.name, text_of_key(row, former[row.name])});
    ended.erase(row.name);
  }
  stored.ended.assign(ended.begin(), ended.end());
  return stored;
}

std::string stored_key_file(std::string_view name) { return "ledger key " + std::string(name); }

Result<std::string> json_of_yaml(const std::string& text) {
  Findings findings;
  const int file = findings.add_file("the value");
  const auto value = parse_yaml(text, file, findings);
  if (value) return dumped(json_of(*value));
  const auto found = findings.take(findings.file(file));
  return Error(ErrorKind::bad_request, ErrorOrigin::app, found.empty() ? "it is no YAML" : format(found.front()));
}

}  // namespace fairlead::config
