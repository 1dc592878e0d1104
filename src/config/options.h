#pragma once
// The one description of the configuration: the parser and validator, the JSON Schema and the reference of options all come from
// it. Immutable after its first use; any thread.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::config {

enum class Type : std::uint8_t {
  object,  ///< a map with the keys described
  map,     ///< a map with keys of the user's own
  list,
  text,
  word,       ///< a text without blanks
  name,       ///< something that others point at
  path_name,  ///< a name that may hold '/'
  target,     ///< provider/model
  boolean,
  integer,
  bytes,
  duration,
  decimal,
  currency,
  instant,
  time_of_day,
  url,
  secret_url,  ///< a URL whose password is a reference
  secret,      ///< a reference, nothing else
  key_hash,
  address,
  network,  ///< an address, or those of a prefix
  ledger,
  file,    ///< that must be readable
  path,    ///< of a file that the load itself reads
  choice,  ///< one of `allowed`
};

/// One option. Texts are as a user would write them.
struct Option {
  std::string path = {};  ///< "providers.*.timeouts.connect"; `*`: a name of the user's own, `[]`: an item of a list
  Type type = Type::object;
  std::string doc = {};        ///< one sentence
  std::string fallback = {};   ///< the default; empty: none
  std::string otherwise = {};  ///< in words, what holds when it is not given and there is no default
  std::int64_t min = 0;  ///< in its unit: bytes, milliseconds, a number; of lists, objects and maps, the least number of members
  std::int64_t max = 0;  ///< 0: no limit
  bool required = false;
  bool may_be_missing = false;  ///< a reference that cannot be resolved is a warning, and disables the provider or key
  std::string short_for = {};   ///< objects: a plain text stands for this key alone. "[]" for lists: a plain text is a list of one
  Type key_type = Type::name;   ///< of a map's keys
  std::vector<std::string_view> allowed = {};
};

/// An option and those inside of it.
struct Node {
  Option option;
  std::string name;                             ///< the last part of the path
  std::vector<std::unique_ptr<Node>> children;  ///< of an object, in the order of the table
  std::unique_ptr<Node> each;                   ///< the values of a map, the items of a list

  const Node* find(std::string_view key) const;
};

const Node& root_node();

/// What a type is called, how it is written, and what it accepts.
struct TypeFacts {
  Type type;
  std::string_view name;     ///< "duration"
  std::string_view right;    ///< "a duration such as 500ms, 15s, 2m or 1h": completes "expected ..."
  std::string_view pattern;  ///< the same as a regular expression of JSON Schema; empty: it is no text, or `allowed` says
  bool (*accepts)(std::string_view);
};
const TypeFacts& facts_of(Type type);
std::span<const TypeFacts> all_types();

/// Is it a number with limits?
bool is_counted(Type type);
/// A number in the unit of an option: "32 KiB", "15s", "7".
std::string in_unit(Type type, std::int64_t value);
/// "1 KiB to 1 MiB", "at least 1"; empty: no limits.
std::string limits_text(const Option& option);

}  // namespace fairlead::config
