#pragma once
// Keys of the ledger's database as a part of the configuration: each is read like an included file, by the same description. Pure.
#include <fairlead/key_store.h>
#include <fairlead/result.h>
#include <fairlead/snapshot.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::config {

struct StoredKeyText {
  std::string name;
  std::string text;  ///< {"keys":[{...}]}
};

/// What a load takes in beside the files.
struct StoredKeys {
  std::vector<StoredKeyText> texts;  ///< of each key that holds, oldest first
  std::vector<std::string> ended;    ///< names that rules may still say, and nobody has
  std::vector<StoredKey> ended_secrets;
};

/// `rows`: all of the ledger. Former secrets are left out once they have ended.
StoredKeys stored_keys(const std::vector<StoredKey>& rows, TimePoint now);

/// How findings name the text of a key as their file.
std::string stored_key_file(std::string_view name);

/// An option's value as YAML -> JSON, for StoredKey::options; all scalars become strings, as a configuration takes them.
/// Errors: bad_request.
Result<std::string> json_of_yaml(const std::string& text);

}  // namespace fairlead::config
