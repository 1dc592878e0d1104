#include "config/validate.h"

#include "config/scalar.h"

#include <algorithm>
#include <string>

namespace fairlead::config {
namespace {

std::string kind_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "nothing";
    case Value::Kind::list: return "a list";
    case Value::Kind::map: return "a map";
    case Value::Kind::scalar: break;
  }
  return in_quotes(value.raw);
}

std::string expected(const Option& option) {
  if (!option.allowed.empty()) return alternatives(option.allowed);
  return std::string(facts_of(option.type).right);
}

bool is_reference(std::string_view raw) {
  return (raw.starts_with("${env:") || raw.starts_with("${file:")) && raw.find('}') == raw.size() - 1;
}

class Validation {
 public:
  explicit Validation(Findings& findings) : findings_(findings) {}

  void check(Value& value, const Node& node) {
    unfold(value, node.option);
    switch (node.option.type) {
      case Type::object: return check_object(value, node);
      case Type::map: return check_map(value, node);
      case Type::list: return check_list(value, node);
      default: return check_scalar(value, node.option);
    }
  }

 private:
  void refuse(Value& value, std::string message, std::string hint) {
    value.good = false;
    findings_.error(value, std::move(message), std::move(hint));
  }

  void unfold(Value& value, const Option& option) const {
    const bool item = value.kind == Value::Kind::map && option.type == Type::list;
    if (option.short_for.empty() || (value.kind != Value::Kind::scalar && !item)) return;
    Value whole;
    whole.kind = option.type == Type::list ? Value::Kind::list : Value::Kind::map;
    whole.place = value.place;
    whole.path = value.path;
    whole.key = std::move(value.key);
    whole.key_place = value.key_place;
    value.key = option.type == Type::list ? "" : option.short_for;
    value.key_place = value.place;
    whole.children.push_back(std::move(value));
    value = std::move(whole);
  }

  bool has_kind(Value& value, const Option& option, Value::Kind kind) {
    if (value.kind == kind) return true;
    const std::string what = option.type == Type::list ? "a list" : "a map";
    // A text in the place of many things may be anything, a key that stands alone or a file of another kind: it is not repeated.
    refuse(value, "expected " + what + ", found " + (value.kind == Value::Kind::scalar ? "a text" : kind_of(value)),
           value.kind == Value::Kind::null ? "fill it in or remove the key" : "");
    return false;
  }

  void check_count(Value& value, const Node& node) {
    if (static_cast<std::int64_t>(value.children.size()) >= node.option.min) return;
    std::string names;
    for (const auto& child : node.children) names += (names.empty() ? "" : ", ") + child->name;
    refuse(value, value.children.empty() ? "it is empty" : "it says too little",
           names.empty() ? "give at least one" : "state at least " + std::to_string(node.option.min) + " of " + names);
  }

  void check_object(Value& value, const Node& node) {
    if (!has_kind(value, node.option, Value::Kind::map)) return;
    std::vector<std::string_view> known;
    for (const auto& child : node.children) known.push_back(child->name);
    for (Value& child : value.children) {
      child.path = path_of_key(value.path, child.key);
      if (const Node* described = node.find(child.key)) {
        check(child, *described);
        continue;
      }
      child.good = false;
      findings_.add(Severity::error, child.key_place, child.path, "there is no option " + in_quotes(child.key),
                    did_you_mean(child.key, known, value.path.empty() ? "the top level has" : "known here are"));
    }
    check_count(value, node);
    if (!node.name.empty()) check_required(value, node);
  }

  void check_required(Value& value, const Node& node) {
    for (const auto& child : node.children) {
      if (!child->option.required || value.find(child->name) != nullptr) continue;
      findings_.error(value, "the option '" + child->name + "' is missing", "it is " + expected(child->option));
    }
  }

  void check_map(Value& value, const Node& node) {
    if (!has_kind(value, node.option, Value::Kind::map)) return;
    const TypeFacts& key_facts = facts_of(node.option.key_type);
    for (Value& child : value.children) {
      child.path = path_of_key(value.path, child.key);
      if (!key_facts.accepts(child.key)) {
        child.good = false;
        findings_.add(Severity::error, child.key_place, child.path, in_quotes(child.key) + " cannot be a name here",
                      "expected " + std::string(key_facts.right));
      }
      check(child, *node.each);
    }
    check_count(value, node);
  }

  void check_list(Value& value, const Node& node) {
    if (!has_kind(value, node.option, Value::Kind::list)) return;
    for (std::size_t i = 0; i < value.children.size(); ++i) {
      value.children[i].path = path_of_item(value.path, i);
      check(value.children[i], *node.each);
    }
    check_count(value, node);
  }

  void check_scalar(Value& value, const Option& option) {
    const bool secret = option.type == Type::secret;
    if (value.kind != Value::Kind::scalar)
      return refuse(value, "expected " + expected(option) + ", found " + kind_of(value),
                    value.kind == Value::Kind::null ? "fill it in or remove the key" : "");
    // What is written here is not repeated: messages go to logs and screens.
    if (secret && !is_reference(value.raw))
      return refuse(value, "a secret may not be written into the configuration", "use ${env:NAME} or ${file:PATH}");
    if (!value.missing.empty()) {
      if (value.malformed) return refuse(value, value.missing, "there are ${env:NAME} and ${file:PATH}");
      if (!option.may_be_missing) refuse(value, value.missing, "set it, or write the value here");
      return;
    }
    if (secret && !is_header_safe(value.text))
      return refuse(
          value, (looks_secret(value.raw) ? "it" : value.raw) + " holds a blank, a line break or another character that no key has",
          "");
    if (option.type == Type::url || option.type == Type::secret_url) return check_url(value, option);
    if (!option.allowed.empty()) return check_choice(value, option);
    if (option.type == Type::key_hash && !facts_of(option.type).accepts(value.text))
      return refuse(value, "expected " + expected(option), "what stands here is not repeated, in case it is the key itself");
    if (!facts_of(option.type).accepts(value.text))
      return refuse(value, "expected " + expected(option) + ", found " + kind_of(value), scalar_hint(value, option));
    check_limits(value, option);
  }

  static bool is_header_safe(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  }

  static std::string scalar_hint(const Value& value, const Option& option) {
    if (option.type == Type::address && value.raw.starts_with(':')) return "did you mean '0.0.0.0" + value.raw + "'?";
    if (option.type == Type::address && value.raw.starts_with("localhost:"))
      return "did you mean '127.0.0.1" + value.raw.substr(9) + "'?";
    if (option.type == Type::boolean) return did_you_mean(value.raw, {"true", "false"});
    return {};
  }

  void check_choice(Value& value, const Option& option) {
    if (std::find(option.allowed.begin(), option.allowed.end(), value.text) != option.allowed.end()) return;
    refuse(value, "expected " + alternatives(option.allowed) + ", found " + kind_of(value),
           did_you_mean(value.text, option.allowed));
  }

  void check_url(Value& value, const Option& option) {
    UrlFault fault;
    const auto parsed = parse_url(value.text, fault);
    if (!parsed) return refuse(value, "this is no URL: " + fault.why, fault.hint);
    if (option.type == Type::url) {
      if (!parsed->userinfo.empty()) refuse(value, "a URL with a user or password", "give credentials as api_key: ${env:NAME}");
      return;
    }
    if (parsed->url.tls || !parsed->url.path.empty())
      return refuse(value, "a proxy is http://host:port", "without TLS of its own, and without a path");
    const std::size_t at = value.raw.rfind('@'), scheme_end = value.raw.find("://");
    if (parsed->userinfo.empty() || at == std::string::npos || scheme_end == std::string::npos) return;
    if (value.raw.substr(scheme_end + 3, at - scheme_end - 3).find("${") == std::string::npos)
      refuse(value, "a password may not be written into the configuration", "use http://user:${env:NAME}@host:port");
  }

  void check_limits(Value& value, const Option& option) {
    std::int64_t number = 0;
    switch (option.type) {
      case Type::integer: number = parse_integer(value.text).value_or(0); break;
      case Type::bytes: number = parse_bytes(value.text).value_or(0); break;
      case Type::duration: number = parse_duration(value.text).value_or(Milliseconds(0)).count(); break;
      default: return;
    }
    if (number >= option.min && (option.max == 0 || number <= option.max)) return;
    refuse(value, in_quotes(value.raw) + " is out of limits", "it may be " + limits_text(option));
  }

  Findings& findings_;
};

}  // namespace

void validate(Value& root, Findings& findings) { Validation(findings).check(root, root_node()); }

void validate_whole(const Value& root, Findings& findings) {
  for (const auto& child : root_node().children)
    if (child->option.required && root.find(child->name) == nullptr)
      findings.add(Severity::error, {root.place.file, 0, 0}, child->name, "the option '" + child->name + "' is missing",
                   "give at least one");
}

}  // namespace fairlead::config
