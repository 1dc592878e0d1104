#pragma once
// What a YAML file says, with the place of every word. Made by yaml.cpp, checked by validate.cpp, read by section.h. Plain values.
#include <string>
#include <vector>

namespace fairlead::config {

/// A place in one of the files of a load. Line and column from 1; 0: no place.
struct Place {
  int file = 0;  ///< index into Findings::files
  int line = 0, column = 0;
};

struct Value {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Place place;
  std::string text;             ///< of a scalar, with its references resolved: may be a secret, never shown
  std::string raw;              ///< of a scalar, as it stands in the file: what messages show
  std::string missing;          ///< the reference that could not be resolved, e.g. "the environment variable X"; empty: none
  bool malformed = false;       ///< `missing` tells of a reference that could never be resolved
  std::vector<Value> children;  ///< the items of a list, the values of a map

  std::string key;  ///< in a map
  Place key_place;

  std::string path;  ///< "routes.chat.targets[1]"; set by validate()
  bool good = true;  ///< false: validate() found it wrong, and nobody reads it

  /// The value of a map's key; null if there is none.
  const Value* find(std::string_view name) const {
    for (const Value& child : children)
      if (child.key == name) return &child;
    return nullptr;
  }
};

/// "routes" + "chat" -> "routes.chat"; names with dots or blanks stand in brackets: models["openai/gpt-5.5"].
std::string path_of_key(const std::string& parent, const std::string& key);
std::string path_of_item(const std::string& parent, std::size_t index);

}  // namespace fairlead::config
