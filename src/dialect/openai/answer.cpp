#include "dialect/openai/answer.h"

#include <charconv>

namespace fairlead::openai {
namespace {

using wire::JsonKind;
using wire::JsonReader;
using wire::JsonString;

/// What DeepSeek, SGLang, Zhipu and OpenRouter say where others would send an error: the answer is no answer.
constexpr std::string_view broken_off_reasons[] = {"insufficient_system_resource", "abort", "network_error", "error"};

class AnswerTextReader {
 public:
  AnswerTextReader(AnswerText& answer, std::string_view text) : answer_(answer), json_(text) {}

  void read() {
    if (json_.peek() == JsonKind::object) {
      json_.object([&](JsonString key) { member(key); });
      answer_.well_formed = json_.finish();
    }
    answer_.truncated = json_.truncated();
  }

 private:
  void member(JsonString key) {
    const std::size_t begin = json_.offset_of(key.raw) - 1;
    if (cut_after_usage_) answer_.usage_members.back().end = begin;
    cut_after_usage_ = false;
    answer_.padding = {};
    const JsonKind kind = json_.peek();
    if (key.is("choices") && kind == JsonKind::array) {
      answer_.has_choices = true;
      std::uint64_t position = 0;
      json_.array([&] { choice(position++); });
    } else if (key.is("id") && kind == JsonKind::string) {
      answer_.id = json_.string();
    } else if (key.is("model") && kind == JsonKind::string) {
      const std::size_t value = json_.offset();
      answer_.model = json_.string();
      if (!answer_.model.raw.empty()) answer_.model_value = {value, json_.offset()};
    } else if (key.is("usage")) {
      usage_member(begin, kind);
      after_usage_ = true;
      return;
    } else if (key.is("service_tier") && kind == JsonKind::string) {
      answer_.service_tier = json_.string();
    } else if (key.is("x_groq") && kind == JsonKind::object) {
      json_.object([&](JsonString inner) { inner.is("usage") ? usage() : void(json_.skip()); });
    } else if (key.is("error")) {
      // Some send `"error": ""` or `"error": {}` beside good answers; only null and these are none.
      const std::string_view value = json_.skip();
      answer_.error |= kind != JsonKind::null && value != "{}" && value != "\"\"" && value != "false";
    } else if (key.is("object") && kind == JsonKind::string) {
      answer_.error |= json_.string().is("error");
    } else if (key.is("obfuscation") && kind == JsonKind::string) {
      const std::size_t inside = json_.offset() + 1;
      answer_.padding = {inside, inside + json_.string().raw.size()};
    } else {
      json_.skip();
    }
    kept_end_ = json_.offset();
    after_usage_ = false;
  }

  void usage_member(std::size_t begin, JsonKind kind) {
    const std::size_t value = json_.offset();
    usage();
    if (kind == JsonKind::object) answer_.usage_value = {value, json_.offset()};
    const bool first = kept_end_ == 0;
    if (!after_usage_) answer_.usage_members.push_back({first ? begin : kept_end_, 0});
    answer_.usage_members.back().end = json_.offset();
    cut_after_usage_ = first;
  }

  void usage() {
    const bool object = json_.peek() == JsonKind::object;
    const std::string_view value = json_.skip();
    if (object && !json_.failed()) answer_.usages.push_back(value);
  }

  void choice(std::uint64_t index) {
    if (json_.peek() != JsonKind::object) return void(json_.skip());
    JsonString reason;
    json_.object([&](JsonString key) {
      const JsonKind kind = json_.peek();
      if ((key.is("delta") || key.is("message")) && kind == JsonKind::object) {
        message();
      } else if (key.is("finish_reason") && kind == JsonKind::string) {
        reason = json_.string();
      } else if (key.is("index") && kind == JsonKind::number) {
        const std::string_view text = json_.skip();
        std::from_chars(text.data(), text.data() + text.size(), index);
      } else if (key.is("usage")) {
        usage();
      } else {
        json_.skip();
      }
    });
    const ChoiceSet bit = ChoiceSet{1} << std::min(index, choice_bits - 1);
    answer_.choices_seen |= bit;
    if (reason.raw.empty()) return;
    if (index < choice_bits) answer_.choices_finished |= bit;
    answer_.has_content = true;
    if (index == 0) answer_.finish_reason = reason;
    for (const std::string_view broken : broken_off_reasons)
      if (reason.is(broken)) answer_.broken_off = broken;
  }

  void message() {
    Range reasoning_key;
    std::string_view reasoning;
    bool has_reasoning_content = false;
    json_.object([&](JsonString key) {
      if (key.is("role")) return void(json_.skip());
      if (key.is("reasoning_content")) {
        has_reasoning_content = true;
        return take_reasoning(content());
      }
      if (key.is("reasoning")) {
        reasoning_key = {json_.offset_of(key.raw), json_.offset_of(key.raw) + key.raw.size()};
        reasoning = content();
        return;
      }
      if (key.is("content") || key.is("refusal")) return take(content());
      if (key.is("tool_calls") && json_.peek() == JsonKind::array) return json_.array([&] { call(); });
      if (key.is("function_call")) return function();
      const std::string_view other = json_.skip();
      if (key.is("audio") && other != "null") answer_.has_content = true;
    });
    if (has_reasoning_content) return;  // some versions of vLLM say it twice
    take_reasoning(reasoning);
    if (!reasoning_key.empty()) answer_.reasoning_keys.push_back(reasoning_key);
  }

  /// Text, or what else says something: Mistral's content is an array. Null, "" and [] are nothing.
  std::string_view content() {
    const JsonKind kind = json_.peek();
    const std::string_view said = kind == JsonKind::string ? json_.string().raw : json_.skip();
    if (kind == JsonKind::null || (kind == JsonKind::array && said.size() <= 2)) return {};
    if (!said.empty()) answer_.has_content = true;
    return said;
  }

  void take(std::string_view said) {
    if (said.empty()) return;
    answer_.content_bytes += said.size();
    answer_.contents.push_back(said);
  }

  void take_reasoning(std::string_view said) {
    answer_.has_reasoning |= !said.empty();
    take(said);
  }

  void call() {
    answer_.has_content = true;
    if (json_.peek() != JsonKind::object) return void(json_.skip());
    json_.object([&](JsonString key) { key.is("function") ? function() : void(json_.skip()); });
  }

  void function() {
    if (json_.peek() != JsonKind::object) return void(json_.skip());
    json_.object([&](JsonString key) {
      if (key.is("arguments") || key.is("name")) return take(content());
      json_.skip();
    });
  }

  AnswerText& answer_;
  JsonReader json_;
  std::size_t kept_end_ = 0;      ///< of the last value that is no usage; 0: none came yet
  bool after_usage_ = false;      ///< the last member was usage
  bool cut_after_usage_ = false;  ///< usage came first: it goes with the comma after it
};

}  // namespace

void AnswerText::read(std::string_view text) {
  clear();
  AnswerTextReader(*this, text).read();
}

void AnswerText::clear() {
  static_cast<AnswerMarks&>(*this) = {};
  contents.clear();
  usages.clear();
  usage_members.clear();
  reasoning_keys.clear();
}

}  // namespace fairlead::openai
