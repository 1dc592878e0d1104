#include "simulator/chat.h"

#include "simulator/script.h"

namespace fairlead::simulator {
namespace {
using nlohmann::json;

const json& member(const json& object, const char* name) {
  static const json none;
  if (!object.is_object()) return none;
  const auto at = object.find(name);
  return at == object.end() ? none : *at;
}
std::string string_or(const json& value, std::string_view otherwise) {
  return value.is_string() ? value.get<std::string>() : std::string(otherwise);
}
bool bool_or(const json& value, bool otherwise) { return value.is_boolean() ? value.get<bool>() : otherwise; }

constexpr int nesting_max = 128;  // what is read is copied and written by functions that call themselves

bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size() && depth <= nesting_max; ++at) {
    const char c = text[at];
    if (quoted && c == '\\') ++at;
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '{' || c == '[')) ++depth;
    if (!quoted && (c == '}' || c == ']')) --depth;
  }
  return depth > nesting_max;
}

/// Qwen's hybrids of open weights ("qwen3-32b") and the 3.5 line and later think unless told not to.
bool qwen_thinks(const Chat& chat) {
  const json& asked = member(chat.body, "enable_thinking");
  if (asked.is_boolean()) return asked.get<bool>();
  if (string_or(member(chat.body, "reasoning_effort"), "") == "none") return false;
  const std::string_view model = chat.model;
  if (model.starts_with("qwen3-")) return model.size() > 6 && model[6] >= '0' && model[6] <= '9';
  return model.starts_with("qwq") || (model.starts_with("qwen3.") && model.size() > 6 && model[6] >= '5');
}

bool thinks(const Habits& habits, const Chat& chat) {
  const json& effort = member(chat.body, "reasoning_effort");
  switch (habits.kind) {
    case Kind::deepseek: return string_or(member(member(chat.body, "thinking"), "type"), "enabled") != "disabled";
    case Kind::qwen: return qwen_thinks(chat);
    case Kind::openai: return openai_reasons(chat.model) && string_or(effort, "medium") != "none";
    default: break;
  }
  const json& arguments = member(chat.body, "chat_template_kwargs");
  return bool_or(member(arguments, "enable_thinking"),
                 bool_or(member(arguments, "thinking"), effort.is_string() && effort != "none"));
}

std::string read_tool_choice(const json& choice) {
  if (choice.is_string() && choice != "") return choice.get<std::string>();
  const json& name = member(member(choice, "function"), "name");
  return name.is_string() ? "=" + name.get<std::string>() : "auto";
}

Format read_format(const json& format) {
  const std::string type = string_or(member(format, "type"), "text");
  return type == "json_schema" ? Format::json_schema : type == "json_object" ? Format::json_object : Format::text;
}

void read_messages(const json& messages, Chat& chat) {
  for (const json& message : messages) {
    const std::string role = string_or(member(message, "role"), "");
    chat.last_role = role;
    if (role == "tool") {
      chat.tool_results.push_back(text_of(member(message, "content")));
      continue;
    }
    chat.tool_results.clear();
    if (role != "user") continue;
    Marked marked = take_markers(text_of(member(message, "content")));
    chat.prompt = std::move(marked.text);
    chat.markers = std::move(marked.markers);
  }
}

std::optional<std::int64_t> read_limit(const Habits& habits, const json& body) {
  const json& newer = member(body, "max_completion_tokens");
  if (habits.max_completion_tokens && newer.is_number_integer()) return newer.get<std::int64_t>();
  const json& older = member(body, "max_tokens");
  if (older.is_number_integer()) return older.get<std::int64_t>();
  return std::nullopt;
}

}  // namespace

bool openai_reasons(std::string_view model) {
  if (model.size() > 1 && model[0] == 'o' && model[1] >= '0' && model[1] <= '9') return true;
  return model.starts_with("gpt-5") || model.starts_with("gpt-6");
}

std::string text_of(const json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array())
    for (const json& part : content) text += string_or(member(part, "text"), "");
  return text;
}

boost::system::result<Chat, Refusal> read_chat(const Habits& habits, std::string_view body) {
  Chat chat;
  if (too_deep(body))
    return Refusal{400,
                   "The JSON body of your request is nested too deeply: it may have " + std::to_string(nesting_max) + " levels.",
                   {},
                   {},
                   {}};
  chat.body = json::parse(body, nullptr, false);
  if (!chat.body.is_object()) return Refusal{400, "We could not parse the JSON body of your request.", {}, {}, {}};
  chat.model = string_or(member(chat.body, "model"), "");
  const json& messages = member(chat.body, "messages");
  if (!messages.is_array() || messages.empty())
    return Refusal{400, "'messages' must be an array with at least one message.", {}, {}, "messages"};
  const json& n = member(chat.body, "n");
  if (n.is_number_integer()) chat.n = n.get<std::int64_t>();
  chat.stream = bool_or(member(chat.body, "stream"), false);
  const json& options = member(chat.body, "stream_options");
  chat.include_usage = bool_or(member(options, "include_usage"), false);
  chat.continuous_usage =
      chat.include_usage && habits.kind == Kind::vllm && bool_or(member(options, "continuous_usage_stats"), false);
  chat.obfuscation = bool_or(member(options, "include_obfuscation"), true);
  chat.tokens_max = read_limit(habits, chat.body);
  chat.thinking = thinks(habits, chat);
  if (habits.kind == Kind::openai) chat.service_tier = parse_service_tier(string_or(member(chat.body, "service_tier"), ""));
  chat.format = read_format(member(chat.body, "response_format"));
  chat.tool_choice = habits.kind == Kind::ollama ? "auto" : read_tool_choice(member(chat.body, "tool_choice"));
  chat.parallel_tool_calls = bool_or(member(chat.body, "parallel_tool_calls"), habits.kind != Kind::qwen);
  read_messages(messages, chat);
  return chat;
}

}  // namespace fairlead::simulator
