#pragma once
// Text -> located values -> validated Snapshot. Pure but for reading the files; any thread.
#include "config/stored_keys.h"

#include <fairlead/hypothetical.h>
#include <fairlead/result.h>
#include <fairlead/snapshot.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::config {

enum class Severity : std::uint8_t { error, warning };

/// One finding in a configuration. Lines and columns from 1; 0 where there is no place.
struct Finding {
  Severity severity = Severity::error;
  std::string file;
  int line = 0, column = 0;
  std::string path;     ///< "routes.chat.targets[1]"
  std::string message;  ///< what is wrong
  std::string hint;     ///< what would be right: "did you mean 'deepseek'?"; may be empty
};

/// "fairlead.yaml:12:5: routes.chat.targets[1]: no provider 'deepsek'; did you mean 'deepseek'?"
std::string format(const Finding& finding);

/// An assertion that does not hold for all requests, or that could not be decided.
struct Unproved {
  const Assertion* assertion = nullptr;
  const Key* key = nullptr;  ///< of the ledger's database: it is its doing; null: the files' own
  std::string why;           ///< follows "the assertion 'a' "
  std::string hint;          ///< may be empty
};

/// The world as a configuration sees it; in tests a map.
struct Sources {
  std::function<std::optional<std::string>(const std::string& path)> read_file;  ///< empty: missing or unreadable
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<TimePoint()> now = {};  ///< for warnings of what ends or is missing soon; empty: none are given
  /// What only a running daemon needs (secrets, addresses by reference, certificates) counts as there, whatever it is.
  bool secrets_assumed = false;
  /// Is there such a folder, and may it be written? Empty: all of them count as there.
  std::function<bool(const std::string& path)> writable_folder = {};
  /// The keys that are in the ledger's database, which the files name; empty: there are none.
  std::function<StoredKeys(const std::string& ledger)> stored_keys = {};
  /// Decides the assertions of what was built. What is told is an error where the assertion stands; of a key of the ledger's
  /// database, it leaves that key out. Empty, or without `now`: nobody asks.
  std::function<std::vector<Unproved>(const Snapshot& snapshot, TimePoint now)> prove = {};
};
Sources real_sources();

/// One of `tests`: a request that nobody has sent, and where it should go.
struct RoutingTest {
  std::string name, place;  ///< "fairlead.yaml:12:5"
  Hypothetical asked;
  std::optional<TimePoint> at;                         ///< empty: now
  std::optional<std::string> target;                   ///< the first to be tried
  std::optional<std::vector<std::string>> allowed;     ///< all that may be tried, in any order
  std::optional<std::vector<std::string>> order;       ///< in this order
  std::optional<std::vector<std::string>> refused_by;  ///< by these policies, in any order, so that no target is left
  std::optional<Int128> cost;                          ///< 10^-12 USD that the first is expected to cost
};

/// An option as the files state it: "limits" and "attempts_max", "content.projects" and "words".
struct WrittenOption {
  std::string thing, field, text;
  bool operator==(const WrittenOption&) const = default;
};

struct Loaded {
  std::shared_ptr<const Snapshot> snapshot;  ///< null if there is an error
  std::vector<Finding> findings;             ///< all of them, in the order of the files
  std::vector<std::string> files;            ///< all that were read or looked for: secrets and certificates too
  bool readable = false;                     ///< the file is there, and YAML
  std::string admin;                         ///< the admin address, as far as it can be told with errors too
  std::vector<RoutingTest> tests;
  std::vector<WrittenOption> written;  ///< what `diff` compares as it stands
};

/// Reads, parses and validates; all findings at once. Never throws.
Loaded load(const std::string& file, const Sources& sources);

/// A model of the price list that comes with the product. `name` is "<price list>/<model>".
struct ListedModel {
  std::string name;
  std::vector<Price> prices;
};
std::vector<ListedModel> built_in_models();

/// The JSON Schema of the file, and the reference of all options in Markdown; both from the parser's own description.
std::string json_schema();
std::string reference_markdown();

/// What `fairlead check` prints of a good file: providers with their four facts, routes with targets, prices per million and for a
/// 1,000/1,000-token example at `now`, policies, keys. No secrets. `whole`: the same file as if all secrets were there, so that
/// keys without their hash are told too, as disabled.
std::string summary(const Snapshot& snapshot, const Snapshot& whole, TimePoint now);

}  // namespace fairlead::config
