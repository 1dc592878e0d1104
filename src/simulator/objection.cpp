// What each provider refuses although it can read it: `objection` of chat.h.
#include <algorithm>
#include <array>
#include <cctype>

#include "simulator/chat.h"

namespace fairlead::simulator {
namespace {
using nlohmann::json;
using Objection = std::optional<Refusal>;

constexpr std::int64_t choices_max = 128;
constexpr std::int64_t deepseek_output_tokens_max = 393'216;

Refusal bad(std::string message, std::string param = {}, std::string code = {}) {
  return {400, std::move(message), {}, std::move(code), std::move(param)};
}

bool given(const Chat& chat, const char* field) {
  const auto at = chat.body.find(field);
  return at != chat.body.end() && !at->is_null();
}

/// The index of the first message of this role.
std::optional<std::size_t> find_role(const Chat& chat, std::string_view role) {
  const json& messages = chat.body["messages"];
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (messages[i].is_object() && messages[i].value("role", json()) == role) return i;
  return std::nullopt;
}

bool says_json(const Chat& chat) {
  std::string all;
  for (const json& message : chat.body["messages"])
    if (message.is_object() && message.contains("content")) all += text_of(message["content"]);
  std::transform(all.begin(), all.end(), all.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return all.find("json") != std::string::npos;
}

Objection bad_message(const Chat& chat) {
  static constexpr std::array<std::string_view, 6> roles{"system", "developer", "user", "assistant", "tool", "function"};
  const json& messages = chat.body["messages"];
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string at = "messages[" + std::to_string(i) + "]";
    if (!messages[i].is_object()) return bad(at + " is not an object.", at);
    const json role = messages[i].value("role", json());
    if (!role.is_string() || std::find(roles.begin(), roles.end(), role.get_ref<const std::string&>()) == roles.end())
      return bad("Invalid value for '" + at + ".role'.", at + ".role", "invalid_value");
  }
  return std::nullopt;
}

Objection unknown_model(const Habits& habits, const Chat& chat) {
  const std::string& name = chat.model;
  switch (habits.kind) {
    case Kind::deepseek: return bad("Model Not Exist", {}, "invalid_request_error");
    case Kind::vllm: return Refusal{404, "The model `" + name + "` does not exist.", {}, {}, "model"};
    case Kind::ollama: return Refusal{404, "model '" + name + "' not found", {}, {}, {}};
    case Kind::lmstudio: return Refusal{404, "Model \"" + name + "\" not found.", {}, {}, {}};
    case Kind::sglang:
    case Kind::llamacpp: return std::nullopt;  // they serve what they have under any name
    case Kind::qwen:
    case Kind::openai: break;
  }
  return Refusal{404, "The model `" + name + "` does not exist or you do not have access to it.", {}, "model_not_found", {}};
}

/// DeepSeek: in thinking mode, a turn with tool calls comes back with its reasoning.
Objection lost_reasoning(const Chat& chat) {
  const json& messages = chat.body["messages"];
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (!messages[i].value("tool_calls", json()).empty() && !messages[i].contains("reasoning_content"))
      return bad("Missing `reasoning_content` field in the assistant message at message index " + std::to_string(i) + ".", {},
                 "invalid_request_error");
  return std::nullopt;
}

Objection deepseek_objection(const Chat& chat) {
  if (const auto at = find_role(chat, "developer"))
    return Refusal{422,
                   "Failed to deserialize the JSON body into the target type: messages[" + std::to_string(*at) +
                       "].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`",
                   {},
                   "invalid_request_error",
                   {}};
  if (chat.n != 1) return bad("Invalid n value (currently only n = 1 is supported)", {}, "invalid_request_error");
  if (chat.format == Format::json_schema) return bad("This response_format type is unavailable now", {}, "invalid_request_error");
  if (chat.format == Format::json_object && !says_json(chat))
    return bad("Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.", {},
               "invalid_request_error");
  if (chat.tokens_max && (*chat.tokens_max < 1 || *chat.tokens_max > deepseek_output_tokens_max))
    return bad("Invalid max_tokens value, the valid range of max_tokens is [1, 393216]", {}, "invalid_request_error");
  return chat.thinking ? lost_reasoning(chat) : std::nullopt;
}

Objection no_json_word(const Chat& chat) {
  if (chat.format != Format::json_object || says_json(chat)) return std::nullopt;
  return bad("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", "messages");
}

Objection qwen_objection(const Chat& chat) {
  constexpr const char* code = "invalid_parameter_error";
  if (const auto at = find_role(chat, "developer"))
    return bad(
        "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages." + std::to_string(*at) + ".role'",
        {}, code);
  const bool open_weights =
      chat.model.size() > 6 && chat.model.starts_with("qwen3-") && std::isdigit(static_cast<unsigned char>(chat.model[6]));
  if (chat.thinking && !chat.stream && open_weights)
    return bad("parameter.enable_thinking must be set to false for non-streaming calls", {}, code);
  if (chat.thinking && chat.tool_choice != "auto" && chat.tool_choice != "none")
    return bad("The tool_choice parameter does not support being set to required or object in thinking mode", {}, code);
  if (chat.n > 4 || (chat.n > 1 && (chat.thinking || given(chat, "tools"))))
    return bad("Range of n should be [1, 4], and n should be 1 with tools or thinking", {}, code);
  if (chat.thinking && chat.format == Format::json_object)
    return bad("Json mode response is not supported when enable_thinking is true", {}, code);
  if (Objection objection = no_json_word(chat)) {
    objection->code = code;
    return objection;
  }
  return std::nullopt;
}

/// OpenAI: strict schemas close every object.
Objection loose_schema(const Chat& chat) {
  const json format = chat.body["response_format"].value("json_schema", json());
  if (!format.is_object() || format.value("strict", json()) != true) return std::nullopt;
  const json schema = format.value("schema", json::object());
  if (!schema.is_object() || schema.value("type", json()) != "object" || schema.value("additionalProperties", json()) == false)
    return std::nullopt;
  const json name = format.value("name", json("?"));
  return bad("Invalid schema for response_format '" + (name.is_string() ? name.get<std::string>() : name.dump()) +
                 "': In context=(), 'additionalProperties' is required to be supplied and to be false.",
             "response_format");
}

Objection openai_objection(const Chat& chat) {
  if (openai_reasons(chat.model)) {
    if (given(chat, "max_tokens"))
      return bad("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                 "max_tokens", "unsupported_parameter");
    for (const char* field : {"temperature", "top_p"})
      if (given(chat, field) && chat.body[field] != 1 && chat.thinking)
        return bad(std::string("Unsupported value: '") + field + "' does not support " + chat.body[field].dump() +
                       " with this model. Only the default (1) value is supported.",
                   field, "unsupported_value");
    for (const char* field : {"presence_penalty", "frequency_penalty", "logprobs", "logit_bias", "stop"})
      if (given(chat, field) && chat.body[field] != 0 && chat.body[field] != false)
        return bad(std::string("Unsupported parameter: '") + field + "' is not supported with this model.", field,
                   "unsupported_parameter");
  } else if (given(chat, "reasoning_effort")) {
    return bad("Unrecognized request argument supplied: reasoning_effort", "reasoning_effort");
  }
  if (chat.format == Format::json_schema) return loose_schema(chat);
  return no_json_word(chat);
}

Objection of_kind(const Habits& habits, const Chat& chat) {
  switch (habits.kind) {
    case Kind::deepseek: return deepseek_objection(chat);
    case Kind::qwen: return qwen_objection(chat);
    case Kind::openai: return openai_objection(chat);
    default: return std::nullopt;
  }
}

}  // namespace

Objection objection(const Habits& habits, const Chat& chat, const std::vector<std::string>& models) {
  if (chat.model.empty() && habits.kind != Kind::llamacpp) return bad("you must provide a model parameter", "model");
  const bool known =
      models.empty() ? !chat.model.starts_with("no-such-") : std::find(models.begin(), models.end(), chat.model) != models.end();
  if (!known)
    if (Objection refusal = unknown_model(habits, chat)) return refusal;
  if (Objection refusal = bad_message(chat)) return refusal;
  if (chat.n < 1 || chat.n > choices_max) return bad("Invalid 'n': it should be from 1 to 128.", "n", "invalid_value");
  if (chat.tokens_max && *chat.tokens_max < 1) return bad("max_tokens must be at least 1.", "max_tokens", "invalid_value");
  return of_kind(habits, chat);
}

}  // namespace fairlead::simulator
