#include "config/yaml.h"

#include "wire/json.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fairlead::config {
namespace {

/// Ends the parse from inside of the library's callbacks; caught in parse_yaml().
struct Refused {
  Place place;
  std::string message, hint;
  std::string path = {};
};

class Builder : public YAML::EventHandler {
 public:
  explicit Builder(int file) : file_(file), last_{file, 1, 1} {}
  Value take() { return std::move(root_); }
  /// Of the last word or bracket that was understood.
  Place last() const { return last_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw Refused{place(mark), "a second document begins here", "keep one document in a file; `include:` joins files"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(made(mark, Value::Kind::null), anchor); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override {
    check_tag(mark, tag, "str");
    Value value = made(mark, Value::Kind::scalar);
    value.raw = value.text = text;
    add(std::move(value), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto known = anchors_.find(anchor);
    if (known == anchors_.end()) throw Refused{place(mark), "an alias inside of what it stands for", "write the values out"};
    if (open_.size() + known->second.height > nesting_max) throw too_deep(mark);
    spend(place(mark), known->second.bytes);
    Value copy = known->second.value;
    copy.place = place(mark);
    bytes_of_last_ = known->second.bytes;
    height_of_last_ = known->second.height;
    attach(std::move(copy));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key;
    Place key_place;
    std::unordered_map<std::string, Place> keys;
    std::size_t bytes = sizeof(Value), height = 1;
  };
  struct Anchored {
    Value value;
    std::size_t bytes, height;
  };

  Place place(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }
  Value made(const YAML::Mark& mark, Value::Kind kind) {
    Value value;
    value.kind = kind;
    value.place = last_ = place(mark);
    return value;
  }
  Refused too_deep(const YAML::Mark& mark) const {
    return {place(mark), "nested deeper than " + std::to_string(nesting_max) + " levels", ""};
  }

  /// `own`: YAML's own name of what is tagged, which says nothing new. All else would be another value than the one that is read.
  void check_tag(const YAML::Mark& mark, const std::string& tag, std::string_view own) const {
    const std::string yaml = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!" || tag == yaml + std::string(own)) return;
    const std::string written = tag.starts_with(yaml) ? "!!" + tag.substr(yaml.size()) : tag;
    throw Refused{place(mark), "the tag " + in_quotes(written) + " means nothing here", "remove it"};
  }

  void spend(Place at, std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > values_bytes_max)
      throw Refused{
          at, "too large: its values need more than " + std::to_string(values_bytes_max >> 20) + " MiB with all aliases unfolded",
          ""};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    check_tag(mark, tag, kind == Value::Kind::list ? "seq" : "map");
    if (open_.size() == nesting_max) throw too_deep(mark);
    spend(place(mark), sizeof(Value));
    Open next;
    next.value = made(mark, kind);
    next.anchor = anchor;
    open_.push_back(std::move(next));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    bytes_of_last_ = done.bytes;
    height_of_last_ = done.height;
    remember(done.anchor, done.value);
    attach(std::move(done.value));
  }

  void add(Value value, YAML::anchor_t anchor) {
    bytes_of_last_ = sizeof(Value) + 2 * value.text.size();
    height_of_last_ = 0;
    spend(value.place, bytes_of_last_);
    remember(anchor, value);
    attach(std::move(value));
  }

  void remember(YAML::anchor_t anchor, const Value& value) {
    if (anchor == YAML::NullAnchor) return;
    spend(value.place, bytes_of_last_);
    anchors_.insert_or_assign(anchor, Anchored{value, bytes_of_last_, height_of_last_});
  }

  /// Puts a finished value where it belongs: the root, the next item, the next key, or the value of the key before.
  void attach(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    parent.bytes += bytes_of_last_;
    parent.height = std::max(parent.height, height_of_last_ + 1);
    if (parent.value.kind == Value::Kind::map && !parent.has_key) return take_key(parent, value);
    value.key = std::exchange(parent.key, {});
    value.key_place = parent.key_place;
    parent.has_key = false;
    // The library finds a missing value at the next word: the key is nearer.
    if (value.kind == Value::Kind::null && parent.value.kind == Value::Kind::map) value.place = value.key_place;
    parent.value.children.push_back(std::move(value));
  }

  void take_key(Open& parent, const Value& key) {
    if (key.kind != Value::Kind::scalar) throw Refused{key.place, "a key must be a word", "write `name: value`"};
    if (key.raw == "<<") throw Refused{key.place, "merge keys (<<) are not taken", "write the values out, or use `include:`"};
    auto [first, fresh] = parent.keys.emplace(key.raw, key.place);
    if (!fresh)
      throw Refused{
          key.place, "the key " + in_quotes(key.raw) + " is written twice",
          "the first is at line " + std::to_string(first->second.line) + ", column " + std::to_string(first->second.column),
          path_of_key(path(), key.raw)};
    parent.has_key = true;
    parent.key = key.raw;
    parent.key_place = key.place;
  }

  /// Of the innermost open list or map.
  std::string path() const {
    std::string out;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i)
      out = open_[i].value.kind == Value::Kind::map ? path_of_key(out, open_[i].key)
                                                    : path_of_item(out, open_[i].value.children.size());
    return out;
  }

  int file_;
  int documents_ = 0;
  Place last_;
  std::size_t bytes_ = 0, bytes_of_last_ = 0, height_of_last_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  Value root_;
};

int lines_in(const std::string& text) {
  const auto breaks = std::count(text.begin(), text.end(), '\n');
  return static_cast<int>(breaks) + (text.empty() || text.back() != '\n' ? 1 : 0);
}

/// Where the text is no UTF-8. Line 0: nowhere.
Place not_utf_8(std::string_view text, int file) {
  Place at{file, 1, 1};
  while (!text.empty()) {
    const std::size_t bytes = wire::utf8_sequence(text);
    if (bytes == 0) return at;
    ++at.column;
    if (text.front() == '\n') at = {file, at.line + 1, 1};
    text.remove_prefix(bytes);
  }
  return {file, 0, 0};
}

std::string_view line_of(const std::string& text, int line) {
  std::size_t begin = 0;
  for (int at = 1; at < line && begin != std::string::npos; ++at) {
    begin = text.find('\n', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos) return {};
  return std::string_view(text).substr(begin, text.find('\n', begin) - begin);
}

/// What usually is behind a syntax error on this line.
std::string syntax_hint(std::string_view line) {
  const std::size_t first = line.find_first_not_of(' ');
  if (first != std::string_view::npos && line[first] == '\t') return "indent with blanks: YAML takes no tabs";
  if (line.find("${") != std::string_view::npos && line.find_first_of("{[") < line.find("${"))
    return "inside of { } or [ ], write references in quotes: \"${env:NAME}\"";
  if (line.find(": ") != line.rfind(": ")) return "quote a text that holds ': '";
  return "look for a missing quote, bracket or blank after ':' here or just above";
}

}  // namespace

std::optional<Value> parse_yaml(const std::string& text, int file, Findings& findings) {
  const auto fail = [&](Place place, std::string message, std::string hint, std::string path = {}) {
    findings.add(Severity::error, place, std::move(path), std::move(message), std::move(hint));
    return std::nullopt;
  };
  if (const Place wrong = not_utf_8(text, file); wrong.line > 0)
    return fail(wrong, "this is no UTF-8", "save the file as UTF-8 text");
  if (text.find('\0') != std::string::npos) return fail({file, 0, 0}, "it holds a zero byte", "the file must be UTF-8 text");
  Builder builder(file);
  try {
    // yaml-cpp 0.7 takes the end of the file for a closing quote, but the end of the document for an error.
    std::istringstream stream(text + "\n...\n");
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Refused& refused) {
    return fail(refused.place, refused.message, refused.hint, refused.path);
  } catch (const YAML::Exception& e) {
    if (e.mark.line >= lines_in(text))
      return fail(builder.last(), "not YAML: the file ends inside of a quote or bracket",
                  "one that opens here or just below is never closed");
    if (e.mark.is_null()) return fail({file, 0, 0}, "not YAML: " + e.msg, "");
    return fail({file, e.mark.line + 1, e.mark.column + 1}, "not YAML: " + e.msg, syntax_hint(line_of(text, e.mark.line + 1)));
  } catch (const std::exception& e) {
    return fail({file, 0, 0}, std::string("not YAML: ") + e.what(), "");
  }
}

}  // namespace fairlead::config
