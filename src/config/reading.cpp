#include "config/reading.h"

#include "config/validate.h"
#include "config/yaml.h"

#include <filesystem>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace fairlead::config {
namespace {

Value empty_map(int file) {
  Value value;
  value.kind = Value::Kind::map;
  value.place.file = file;
  return value;
}

}  // namespace

Value Reading::read_files(const std::string& path) {
  Value whole = empty_map(0);
  read_file(path, nullptr, 0, whole);
  return whole;
}

Value Reading::read_text(const std::string& name, std::string_view text) {
  const int file = findings_.add_file(name);
  digest_.add(name);
  digest_.add(text);
  auto root = parse_yaml(std::string(text), file, findings_);
  if (!root || root->kind == Value::Kind::null) return empty_map(file);
  resolve(*root);
  validate(*root, findings_);
  return root->good ? std::move(*root) : empty_map(file);
}

void Reading::read_stored_key(const StoredKeyText& key, Value& whole) {
  const int file = findings_.add_file(stored_key_file(key.name));
  findings_.forgive(file);
  stored_keys_.emplace(file, key.name);
  digest_.add(findings_.file(file));
  digest_.add(key.text);
  auto root = parse_yaml(key.text, file, findings_);
  if (!root) return;
  validate(*root, findings_);  // nothing is resolved: who may make keys may not read files by it
  if (root->good) merge(whole, std::move(*root));
}

void Reading::read_file(const std::string& path, const Value* include, int depth, Value& whole) {
  const auto refuse = [&](const std::string& message, const std::string& hint) {
    if (include != nullptr) return findings_.error(*include, in_quotes(path) + " " + message, hint);
    findings_.add(Severity::error, {findings_.add_file(path), 0, 0}, "", message, hint);
  };
  const std::string normal = std::filesystem::path(path).lexically_normal().string();
  const Place asked = include == nullptr ? Place{} : include->place;
  auto [first, fresh] = included_.emplace(normal, asked);
  if (!fresh)
    return refuse("is read twice", first->second.line == 0 ? "files may not include each other in a circle"
                                                           : "it is included at " + findings_.where(first->second) + " already");
  if (depth > include_depth_max) return refuse("is included through more than " + std::to_string(include_depth_max) + " files", "");
  if (included_.size() > static_cast<std::size_t>(files_max))
    return refuse("is one file too many", "a configuration may have " + std::to_string(files_max));
  const auto text = sources_.read_file(path);
  if (!text)
    return refuse("cannot be read", include == nullptr ? "is the path right, and may this user read it?"
                                                       : "paths are relative to the file that includes");
  if (text->size() > file_bytes_max)
    return refuse("is larger than " + std::to_string(file_bytes_max >> 20) + " MiB", "split it with `include:`");
  if (text->find_first_not_of(" \t\r\n\xEF\xBB\xBF") == std::string::npos) return refuse("is empty", "was it written to the end?");
  Value root = read_text(path, *text);
  if (include == nullptr) whole.place.file = root.place.file;
  const Value copy = root.find("include") == nullptr ? Value{} : *root.find("include");
  merge(whole, std::move(root));
  read_includes(copy, depth, whole);
}

void Reading::read_includes(const Value& include, int depth, Value& whole) {
  for (const Value& item : include.children)
    if (item.good) read_file(beside(item.place.file, item.text), &item, depth + 1, whole);
}

void Reading::merge(Value& whole, Value part) {
  for (Value& child : part.children) {
    if (child.key == "include") continue;
    Value* first = const_cast<Value*>(whole.find(child.key));
    if (first == nullptr)
      whole.children.push_back(std::move(child));
    else if (first->kind != child.kind || child.kind == Value::Kind::scalar)
      set_twice(*first, child);
    else if (child.kind == Value::Kind::list)
      std::move(child.children.begin(), child.children.end(), std::back_inserter(first->children));
    else
      merge_maps(*first, std::move(child));
  }
}

void Reading::merge_maps(Value& whole, Value part) {
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < whole.children.size(); ++i) known.emplace(whole.children[i].key, i);
  for (Value& child : part.children) {
    auto first = known.find(child.key);
    if (first != known.end())
      set_twice(whole.children[first->second], child);
    else
      whole.children.push_back(std::move(child));
  }
}

void Reading::set_twice(const Value& first, const Value& second) {
  if (!first.good || !second.good) return;  // told already
  findings_.add(Severity::error, second.key_place, second.path, "this is defined twice",
                "the first is at " + findings_.where(first.key_place));
}

void Reading::resolve(Value& value) {
  if (value.kind == Value::Kind::scalar && value.raw.find("${") != std::string::npos) resolve_scalar(value);
  for (Value& child : value.children) resolve(child);
}

void Reading::resolve_scalar(Value& value) {
  std::string out;
  std::string_view rest = value.raw;
  while (true) {
    const std::size_t begin = rest.find("${");
    out += rest.substr(0, begin);
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin + 2);
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos || !resolve_reference(value, rest.substr(0, end), out)) {
      if (!value.missing.empty()) return;
      value.missing = "a reference without its '}'";
      value.malformed = true;
      return;
    }
    rest.remove_prefix(end + 1);
  }
  value.text = std::move(out);
}

bool Reading::resolve_reference(Value& value, std::string_view reference, std::string& out) {
  const std::size_t colon = reference.find(':');
  const std::string_view kind = reference.substr(0, colon);
  const std::string name(colon == std::string_view::npos ? std::string_view{} : reference.substr(colon + 1));
  if ((kind != "env" && kind != "file") || name.empty()) {
    value.missing = in_quotes("${" + std::string(reference) + "}") + " is no reference";
    value.malformed = true;
    return false;
  }
  const bool env = kind == "env";
  const std::string shown = looks_secret(name) ? in_quotes(name) : name;
  const std::string what = (env ? "the environment variable " : "the file ") + shown;
  auto found = env ? sources_.environment(name) : sources_.read_file(beside(value.place.file, name));
  if (!found) return value.missing = what + (env ? " is not set" : " cannot be read"), false;
  if (!env && !found->empty() && found->back() == '\n') found->pop_back();
  if (!env && !found->empty() && found->back() == '\r') found->pop_back();
  if (found->empty()) return value.missing = what + " is empty", false;
  if (found->size() > secret_bytes_max)
    return value.missing = what + " holds more than " + std::to_string(secret_bytes_max >> 10) + " KiB", false;
  digest_.add_secret(*found);
  out += *found;
  return true;
}

std::string Reading::beside(int file, const std::string& path) const {
  return (std::filesystem::path(findings_.file(file)).parent_path() / path).lexically_normal().string();
}

Reading::OptionFile Reading::option_file(const Value& option) {
  OptionFile file{beside(option.place.file, option.text), {}};
  if (sources_.secrets_assumed) return file;
  auto content = sources_.read_file(file.path);
  if (!content || content->empty())
    findings_.error(option, "the file " + in_quotes(file.path) + (content ? " is empty" : " cannot be read"),
                    "relative paths are taken from the file that names them");
  else
    digest_.add_secret(file.text = std::move(*content));
  return file;
}

}  // namespace fairlead::config
