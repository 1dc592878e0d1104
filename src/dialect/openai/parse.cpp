// What an app sent: proven to be JSON and read for routing in one pass over the body, which stays as it is.
#include "dialect/openai/request.h"
#include "dialect/openai/wishes.h"
#include "wire/json.h"
#include "wire/script.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::openai {
namespace {

using wire::JsonKind;
using wire::JsonReader;
using wire::JsonString;

constexpr std::size_t members_max = 256;  ///< of the top-level object; the API knows about 40
constexpr std::size_t model_bytes_max = 512;

/// Of the top level, those that are read here or rewritten on the way.
constexpr std::string_view known_fields[] = {"model",
                                             "messages",
                                             "models",
                                             "provider",
                                             "stream",
                                             "stream_options",
                                             "max_tokens",
                                             "max_completion_tokens",
                                             "n",
                                             "tools",
                                             "functions",
                                             "response_format",
                                             "service_tier",
                                             "enable_thinking",
                                             "thinking",
                                             "reasoning_effort",
                                             "audio",
                                             "store",
                                             "prompt_cache_retention"};

/// As servers compare names that do so without regard to case: those in Go, for instance, which also take the long s and the
/// Kelvin sign for letters.
std::string without_case(std::string_view name) {
  std::string folded;
  while (!name.empty()) {
    const auto special = [&](std::string_view bytes, char letter) {
      if (!name.starts_with(bytes)) return false;
      folded += letter;
      name.remove_prefix(bytes.size());
      return true;
    };
    if (special("\xc5\xbf", 's') || special("\xe2\x84\xaa", 'k')) continue;
    const char c = name.front();
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    name.remove_prefix(1);
  }
  return folded;
}

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9'); }

/// The field that a server without regard to case would take this for, and then use it in place of the one that was checked.
/// Empty: none, or it is that.
std::string_view mistakable_for(std::string_view name) {
  if (std::all_of(name.begin(), name.end(), is_plain)) return {};
  const std::string folded = without_case(name);
  const auto* const known = std::find(std::begin(known_fields), std::end(known_fields), folded);
  return known == std::end(known_fields) || *known == name ? std::string_view() : *known;
}

class RequestReader {
 public:
  explicit RequestReader(ChatRequest& request) : request_(request), json_(request.body) {}

  Result<void> read() {
    if (json_.peek() != JsonKind::object && !json_.failed()) return refuse("", "The body must be a JSON object.");
    json_.object([&](JsonString key) { member(key); });
    json_.finish();
    if (!refusal_.message().empty()) return refusal_;
    if (json_.failed()) return malformed();
    if (request_.model.empty()) return refuse("model", "The field 'model' is missing; it must be a string that names a route.");
    if (!has_messages_)
      return refuse("messages", "The field 'messages' is missing; it must be an array with at least one message.");
    if (!unlimited_) request_.output_tokens_max = max_completion_tokens_ ? max_completion_tokens_ : max_tokens_;
    if (!unlimited_ && max_completion_tokens_ && max_tokens_)
      request_.output_tokens_max_of_both = std::max(*max_completion_tokens_, *max_tokens_);
    request_.text = wire::sample_scripts(text_parts_, request_.prompt_bytes, json_.saw_unicode_escape());
    return boost::system::in_place_value;
  }

 private:
  void member(JsonString key) {
    Member member{key.text(), json_.offset_of(key.raw) - 1, 0, 0};
    const auto same = [&](const Member& other) { return other.key == member.key; };
    if (request_.members.size() == members_max) return note("", "The body has too many fields.");
    if (std::any_of(request_.members.begin(), request_.members.end(), same)) return note(member.key, "The field is given twice.");
    if (const std::string_view known = mistakable_for(member.key); !known.empty())
      return note(member.key, "The field must be written '" + std::string(known) + "': some servers would take it for that.");
    const JsonKind kind = json_.peek();
    member.value_begin = json_.offset();
    value(member.key, kind);
    member.value_end = json_.offset();
    request_.members.push_back(std::move(member));
  }

  void value(std::string_view key, JsonKind kind) {
    if (key == "model") return model(kind);
    if (key == "messages") return messages(kind);
    if (key == "provider" || key == "models") return wishes(key);
    if (kind == JsonKind::null) return void(json_.skip());
    if (key == "stream") return boolean(key, kind, request_.stream);
    if (key == "stream_options") return stream_options(kind);
    if (key == "max_tokens") return count(key, kind, max_tokens_);
    if (key == "max_completion_tokens") return count(key, kind, max_completion_tokens_);
    if (key == "n") return choices(kind);
    if (key == "tools" || key == "functions") return tools(kind);
    if (key == "response_format") return response_format(kind);
    if (key == "service_tier" && kind == JsonKind::string) return service_tier();
    if (key == "enable_thinking" || key == "thinking" || key == "reasoning_effort") return thinking(key, kind);
    if (key == "store" || key == "prompt_cache_retention") return keeping(key, kind);
    if (key == "audio") request_.needs.add(Capability::audio);
    json_.skip();
  }

  void skip_unless_mistakable(JsonString key, std::string_view known) {
    if (without_case(key.text()) != known) return void(json_.skip());
    note(key.text(), "The field must be written '" + std::string(known) + "': some servers would take it for that.");
  }

  /// What is of another shape may be taken for a yes.
  void keeping(std::string_view key, JsonKind kind) {
    const bool in_memory = kind == JsonKind::string && key != "store";
    if (kind == JsonKind::boolean ? !json_.boolean() : in_memory && is_in_memory(json_.string())) return;
    if (kind != JsonKind::boolean && !in_memory) json_.skip();
    request_.keeping = key == "store" ? Keeping::store : Keeping::prompt_cache_retention;
  }
  static bool is_in_memory(const JsonString& text) { return text.is("in_memory") || text.is("in-memory"); }

  void service_tier() { request_.mode.service_tier = parse_service_tier(json_.string().text()); }

  /// `enable_thinking: true`, `thinking: {type: enabled}`, `reasoning_effort: none`. What is of another shape says nothing.
  void thinking(std::string_view key, JsonKind kind) {
    ThinkingWish& wish = request_.mode.thinking;
    if (key == "enable_thinking" && kind == JsonKind::boolean) return wish.set(ThinkingSwitch::enable_thinking, json_.boolean());
    if (key == "reasoning_effort" && kind == JsonKind::string)
      return wish.set(ThinkingSwitch::reasoning_effort, !json_.string().is("none"));
    if (key != "thinking" || kind != JsonKind::object) return void(json_.skip());
    json_.object([&](JsonString inner) {
      if (!inner.is("type")) return skip_unless_mistakable(inner, "type");
      if (json_.peek() != JsonKind::string) return void(json_.skip());
      wish.set(ThinkingSwitch::thinking, !json_.string().is("disabled"));
    });
  }

  void model(JsonKind kind) {
    if (kind != JsonKind::string) return note("model", "The field 'model' must be a string.");
    request_.model = json_.string().text();
    if (request_.model.size() > model_bytes_max) note("model", "The field 'model' is too long.");
  }

  void wishes(std::string_view key) {
    if (!request_.wishes) request_.wishes = std::make_unique<Wishes>();
    const std::string_view value = json_.skip();
    if (json_.failed()) return;
    if (const auto read = read_wishes(key, value, *request_.wishes); !read) {
      refusal_ = read.error();
      json_.stop();
    }
  }

  void boolean(std::string_view key, JsonKind kind, bool& into) {
    if (kind != JsonKind::boolean) return note(key, "The field must be a boolean.");
    into = json_.boolean();
  }

  /// Servers of the llama.cpp family take -1 for "no limit". What a server makes of 0 nobody knows; few give nothing.
  void count(std::string_view key, JsonKind kind, std::optional<std::int64_t>& into) {
    std::int64_t value = 0;
    if (kind != JsonKind::number || !integer(value)) return note(key, "The field must be an integer.");
    if (value > 0)
      into = value;
    else if (key == "max_completion_tokens")
      unlimited_ = true;
  }

  void choices(JsonKind kind) {
    if (kind != JsonKind::number || !integer(request_.choices) || request_.choices < 1)
      note("n", "The field 'n' must be a positive integer.");
  }

  bool integer(std::int64_t& value) {
    const std::string_view text = json_.skip();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  }

  void stream_options(JsonKind kind) {
    if (kind != JsonKind::object) return note("stream_options", "The field 'stream_options' must be an object.");
    bool seen = false;
    json_.object([&](JsonString key) {
      if (!key.is("include_usage")) return skip_unless_mistakable(key, "include_usage");
      if (std::exchange(seen, true)) return note("stream_options.include_usage", "The field is given twice.");
      if (json_.peek() == JsonKind::null) return void(json_.skip());
      boolean("stream_options.include_usage", json_.peek(), request_.include_usage);
    });
  }

  void tools(JsonKind kind) {
    if (kind != JsonKind::array) return note("tools", "The field 'tools' must be an array.");
    const std::size_t begin = json_.offset();
    json_.array([&] {
      request_.needs.add(Capability::tools);
      json_.skip();
    });
    request_.prompt_bytes += json_.offset() - begin;
    text_parts_[2] = part_of_body(begin, json_.offset());
  }

  void response_format(JsonKind kind) {
    if (kind != JsonKind::object) return note("response_format", "The field 'response_format' must be an object.");
    json_.object([&](JsonString key) {
      if (!key.is("type") || json_.peek() != JsonKind::string) return void(json_.skip());
      const JsonString type = json_.string();
      if (type.is("json_object")) request_.needs.add(Capability::json_object);
      if (type.is("json_schema")) request_.needs.add(Capability::json_schema);
    });
  }

  void messages(JsonKind kind) {
    if (kind != JsonKind::array) return note("messages", "The field 'messages' must be an array.");
    const std::size_t begin = request_.messages_begin = json_.offset();
    std::size_t index = 0;
    json_.array([&] {
      if (json_.peek() != JsonKind::object) return note("messages[" + std::to_string(index) + "]", "A message must be an object.");
      ++index;
      const std::size_t message = json_.offset();
      bool of_user = false;
      json_.object([&](JsonString key) {
        const JsonKind value = json_.peek();
        if (key.is("content") && value == JsonKind::array) return json_.array([&] { part(); });
        request_.reasoning_content |= key.is("reasoning_content");
        const bool nested = value == JsonKind::object || value == JsonKind::array;
        if (nested && !key.is("tool_calls") && !key.is("function_call")) request_.unknown_content = true;
        const bool role = key.is("role") && value == JsonKind::string;
        if (!role) return void(json_.skip());
        const JsonString name = json_.string();
        request_.developer_role |= name.is("developer");
        of_user |= name.is("user");
      });
      if (!of_user || request_.conversation_end != 0) return;
      request_.opening_end = message;
      request_.conversation_end = json_.offset();
    });
    if (index == 0) return note("messages", "The field 'messages' is empty; it must have at least one message.");
    has_messages_ = true;
    request_.prompt_bytes += json_.offset() - begin - payload_bytes_;
    text_parts_[0] = part_of_body(begin, payload_bytes_ == 0 ? json_.offset() : first_payload_);
    if (payload_bytes_ != 0) text_parts_[1] = part_of_body(payloads_end_, json_.offset());
  }

  /// One part of a message's content. Images, sound and files count for what they need, not for their bytes.
  void part() {
    if (json_.peek() != JsonKind::object) {
      request_.unknown_content |= json_.peek() != JsonKind::string;
      return void(json_.skip());
    }
    bool known = true;
    json_.object([&](JsonString key) {
      const bool text = key.is("type") || key.is("text") || key.is("refusal") || key.is("cache_control");
      const bool image = key.is("image_url") || key.is("image") || key.is("video_url") || key.is("video");
      const bool audio = key.is("input_audio") || key.is("audio_url");
      if (image) request_.needs.add(Capability::vision);
      if (audio) request_.needs.add(Capability::audio);
      known = known && (text || image || audio);
      const std::string_view value = json_.skip();
      if (!image && !audio && !key.is("file")) return;
      if (payload_bytes_ == 0) first_payload_ = json_.offset_of(value);
      payload_bytes_ += value.size();
      payloads_end_ = json_.offset();
    });
    request_.unknown_content |= !known;
  }

  std::string_view part_of_body(std::size_t begin, std::size_t end) const {
    return request_.body.view().substr(begin, end - begin);
  }

  static Error refuse(std::string_view param, std::string message) {
    Error error(ErrorKind::bad_request, ErrorOrigin::app, std::move(message));
    error.set_param(std::string(param));
    return error;
  }

  /// Keeps the first thing that is wrong; the reading ends here, as the value is not read.
  void note(std::string_view param, std::string message) {
    if (refusal_.message().empty() && !json_.failed()) refusal_ = refuse(param, std::move(message));
    json_.stop();
  }

  Error malformed() const {
    return refuse(
        "", "The body is not valid JSON: " + std::string(json_.reason()) + " (at byte " + std::to_string(json_.offset()) + ").");
  }

  ChatRequest& request_;
  JsonReader json_;
  Error refusal_;
  std::optional<std::int64_t> max_tokens_, max_completion_tokens_;
  bool unlimited_ = false;  ///< the newer of them says so, and it is the one that counts
  std::size_t payload_bytes_ = 0, first_payload_ = 0, payloads_end_ = 0;
  std::array<std::string_view, 3> text_parts_;  ///< of messages, before the first and after the last payload; and of tools
  bool has_messages_ = false;
};

}  // namespace

Result<ChatRequest> parse_request(Bytes body) {
  Result<ChatRequest> parsed(boost::system::in_place_value);
  ChatRequest& request = *parsed;
  request.body = std::move(body);
  request.members.reserve(8);
  if (const auto read = RequestReader(request).read(); !read) return read.error();
  return parsed;
}

}  // namespace fairlead::openai
