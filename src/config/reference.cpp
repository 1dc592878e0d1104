// The description as docs/configuration.md.
#include "config/config.h"
#include "config/options.h"
#include "config/reading.h"
#include "config/yaml.h"

#include <set>

namespace fairlead::config {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string default_of(const Option& option) {
  if (option.required) return "**required**";
  if (!option.fallback.empty()) return code(option.fallback);
  return option.otherwise;
}

std::string type_of(const Node& node) {
  const Option& option = node.option;
  if (!option.allowed.empty()) {
    std::string words;
    for (std::string_view word : option.allowed) words += (words.empty() ? "" : ", ") + code(word);
    return words;
  }
  if (option.type == Type::list && node.each->children.empty()) return "list of: " + type_of(*node.each);
  return std::string(facts_of(option.type).name);
}

/// Items that are plain texts are told with their list.
bool has_row(const Node& node) { return node.name != "[]" || !node.children.empty(); }

void add_rows(const Node& node, std::string& out) {
  const Option& option = node.option;
  if (has_row(node))
    out += "| " + code(option.path) + " | " + type_of(node) + " | " + default_of(option) + " | " +
           (is_counted(option.type) ? limits_text(option) : "") + " | " + option.doc + " |\n";
  for (const auto& child : node.children) add_rows(*child, out);
  if (node.each) add_rows(*node.each, out);
}

void add_table(const std::vector<const Node*>& nodes, const std::string& title, std::string& out) {
  out += "\n## " + title + "\n\n| option | type | default | limits | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const Node* node : nodes) add_rows(*node, out);
}

void add_types(std::string& out) {
  out += "\n## Types\n\n| type | is written as |\n| --- | --- |\n";
  std::set<std::string_view> told;  // several types may have one name
  for (const TypeFacts& facts : all_types())
    if (!facts.pattern.empty() && told.insert(facts.name).second)
      out += "| " + std::string(facts.name) + " | " + std::string(facts.right) + " |\n";
}

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

std::string reference_markdown() {
  std::string out =
      "# Configuration\n\n"
      "<!-- Written by `fairlead schema --markdown`; a test keeps the two the same. -->\n\n"
      "One YAML file (JSON is YAML too). `fairlead check FILE` finds every mistake in it at once, each with its place and what "
      "would be right.\n"
      "`fairlead schema` prints a JSON Schema of it, so that editors complete and check it.\n\n"
      "In the tables, `*` is a name of your own, and `[]` an item of a list. A list of one may be written without its brackets; "
      "where an item is\n"
      "a map with one required key, as in `listen` and `targets`, that key's value may stand for the map.\n\n"
      "**References.** `${env:NAME}` is an environment variable, `${file:PATH}` the content of a file without its last line break "
      "(which serves\n"
      "systemd credentials). They may be used in any value, and are the only way to give a secret. Where one cannot be resolved, a "
      "provider (`api_key`,\n"
      "`proxy`, `base_url`), a key (`hash`) or the webhook is disabled, with a warning; anywhere else it is an error. Inside `{ }` "
      "and `[ "
      "]`, quote them.\n\n"
      "**Files.** Relative paths are taken from the file that names them, except the ledger's, which is taken from the working "
      "directory.\n"
      "`include` merges maps and appends lists; a name or a value that is given twice is an error.\n\n"
      "**Limits of reading.** A file has at most " +
      mebibytes(file_bytes_max) + ", its values " + mebibytes(values_bytes_max) +
      " of memory with all aliases unfolded, lists and maps are nested at most " + std::to_string(nesting_max) +
      " deep,\nfiles include each other at most " + std::to_string(include_depth_max) + " deep, a configuration has at most " +
      std::to_string(files_max) + " files, and a reference stands for at most " + std::to_string(secret_bytes_max >> 10) +
      " KiB. At most " + std::to_string(findings_max) + "\nfindings are reported at once.\n";
  std::vector<const Node*> plain;
  const auto is_plain = [](const Node& node) { return node.children.empty() && (!node.each || !has_row(*node.each)); };
  for (const auto& child : root_node().children)
    if (is_plain(*child)) plain.push_back(child.get());
  add_table(plain, "The top level", out);
  for (const auto& child : root_node().children)
    if (!is_plain(*child)) add_table({child.get()}, child->name, out);
  add_types(out);
  return out;
}

}  // namespace fairlead::config
