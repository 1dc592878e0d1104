#include "simulator/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "simulator/quote.h"

namespace fairlead::simulator {
namespace {
using nlohmann::json;

constexpr std::size_t echo_bytes_max = 160;
constexpr std::int64_t tokens_per_chunk = 4;
constexpr std::int64_t chunks_default_max = 1'024;
constexpr std::int64_t chunks_max = 1'000'000;
constexpr std::int64_t bytes_max = std::int64_t{1} << 30;
constexpr std::int64_t tool_calls_max = 128;

constexpr std::string_view plain_filler = "The quick brown fox jumps over the lazy dog, and then it rests. ";
constexpr std::string_view unicode_filler =
    "你好，世界 🌍 Grüße aus Zürich — 東京で 42 ¥, naïve café 👩‍🚀 привет. ";

std::string filled(std::string_view filler, std::size_t bytes) {
  std::string text;
  text.reserve(bytes);
  while (text.size() + filler.size() <= bytes) text += filler;
  text += cut_at_character(filler, bytes - text.size());
  text.append(bytes - text.size(), '.');
  return text;
}

std::int64_t bytes_wanted(const Script& script) {
  if (script.line_mb > 0) return script.line_mb << 20;
  if (script.bytes > 0) return script.bytes;
  return script.chunks * tokens_per_chunk * 4;
}

/// Null: none is asked for.
const json* schema_of(const Chat& chat) {
  if (chat.format != Format::json_schema) return nullptr;
  const json& format = chat.body["response_format"];
  const auto named = format.find("json_schema");
  if (named == format.end() || !named->is_object()) return nullptr;
  static const json any = json::object();
  const auto schema = named->find("schema");
  return schema == named->end() ? &any : &*schema;
}

std::string json_text(const Chat& chat) {
  if (const json* schema = schema_of(chat)) return sample_of(*schema).value_or(json()).dump();
  return json{{"answer", chat.prompt.empty() ? "none" : std::string(cut_at_character(chat.prompt, echo_bytes_max))}}.dump();
}

std::string text_for(const Chat& chat, const Script& script) {
  if (chat.format != Format::text) return json_text(chat);
  const std::string_view filler = script.unicode ? unicode_filler : plain_filler;
  if (const std::int64_t bytes = bytes_wanted(script); bytes > 0)
    return filled(filler, static_cast<std::size_t>(std::min(bytes, bytes_max)));
  std::string text;
  if (chat.last_role == "tool") {
    text = "The tools say:";
    for (const std::string& result : chat.tool_results) text += " " + std::string(cut_at_character(result, echo_bytes_max));
  } else {
    text = "You said: " + std::string(cut_at_character(chat.prompt, echo_bytes_max));
  }
  if (script.unicode) text += " " + std::string(unicode_filler);
  return text;
}

std::string call_id(const Habits& habits, std::uint64_t seed, std::size_t index) {
  seed += index;
  switch (habits.kind) {
    case Kind::deepseek: return "call_0" + std::to_string(index % 10) + "_" + random_id(seed, 24, false);
    case Kind::qwen: return "call_" + random_id(seed, 24, true);
    case Kind::vllm: return "chatcmpl-tool-" + random_id(seed, 32, true);
    case Kind::ollama: return "call_" + random_id(seed, 8, false);
    case Kind::llamacpp: return random_id(seed, 32, false);
    case Kind::lmstudio: return std::to_string(100'000'000 + seed % 900'000'000);
    case Kind::openai:
    case Kind::sglang: break;
  }
  return "call_" + random_id(seed, 24, false);
}

/// Which of the request's tools to call, by name; empty for an answer in words.
std::vector<const json*> tools_to_call(const Chat& chat, const Script& script) {
  const auto tools = chat.body.find("tools");
  if (tools == chat.body.end() || !tools->is_array() || chat.tool_choice == "none" || chat.last_role == "tool") return {};
  std::vector<const json*> functions;
  for (const json& tool : *tools) {
    if (!tool.is_object() || !tool.value("function", json()).is_object()) continue;
    const json& function = tool["function"];
    if (!function.value("name", json()).is_string()) continue;
    if (chat.tool_choice.front() != '=' || function["name"] == chat.tool_choice.substr(1)) functions.push_back(&function);
  }
  const bool forced = chat.tool_choice == "required" || chat.tool_choice.front() == '=';
  std::int64_t wanted = std::max<std::int64_t>(script.tools, forced ? 1 : 0);
  if (!chat.parallel_tool_calls) wanted = std::min<std::int64_t>(wanted, 1);
  if (functions.empty()) return {};
  std::vector<const json*> called;
  for (std::int64_t i = 0; i < std::min(wanted, tool_calls_max); ++i)
    called.push_back(functions[static_cast<std::size_t>(i) % functions.size()]);
  return called;
}

/// Cuts a text into what the limit leaves of it. Returns false once the limit is used up.
bool spend(std::string& text, std::int64_t& tokens_left) {
  std::size_t at = 0;
  while (at < text.size() && tokens_left > 0) {
    at = token_end(text, at);
    --tokens_left;
  }
  const bool whole = at == text.size();
  text.resize(at);
  return whole;
}

void limit(Choice& choice, std::int64_t tokens_left) {
  bool whole = spend(choice.reasoning, tokens_left);
  whole = spend(choice.text, tokens_left) && whole;
  std::size_t kept = 0;
  for (; kept < choice.calls.size() && tokens_left > count_tokens(choice.calls[kept].name); ++kept) {
    tokens_left -= count_tokens(choice.calls[kept].name);
    whole = spend(choice.calls[kept].arguments, tokens_left) && whole;
  }
  whole = whole && kept == choice.calls.size();
  choice.calls.resize(kept);
  if (!whole) choice.finish_reason = "length";
}

/// Adds `text` in `chunks` pieces of about as many tokens each.
void cut_up(Piece::What what, int choice, int call, std::string_view text, std::int64_t chunks, std::vector<Piece>& pieces) {
  const std::int64_t tokens = count_tokens(text);
  chunks = std::clamp<std::int64_t>(chunks, 1, std::max<std::int64_t>(tokens, 1));
  std::size_t at = 0;
  std::int64_t done = 0;
  for (std::int64_t i = 1; i <= chunks && at < text.size(); ++i) {
    const std::size_t begin = at;
    const std::int64_t until = tokens * i / chunks, before = done;
    for (; done < until; ++done) at = token_end(text, at);
    pieces.push_back({what, choice, call, std::string(text.substr(begin, at - begin)), done - before});
  }
}

std::int64_t default_chunks(std::string_view text) {
  return std::clamp<std::int64_t>((count_tokens(text) + tokens_per_chunk - 1) / tokens_per_chunk, 1, chunks_default_max);
}

std::int64_t text_chunks(const Script& script, std::string_view text) {
  if (script.chunks > 0) return std::min(script.chunks, chunks_max);
  return script.line_mb > 0 ? 1 : default_chunks(text);
}

void add_pieces(const Choice& choice, int index, const Script& script, std::vector<Piece>& pieces) {
  cut_up(Piece::What::reasoning, index, 0, choice.reasoning, default_chunks(choice.reasoning), pieces);
  cut_up(Piece::What::text, index, 0, choice.text, text_chunks(script, choice.text), pieces);
  for (std::size_t i = 0; i < choice.calls.size(); ++i) {
    const ToolCall& call = choice.calls[i];
    pieces.push_back({Piece::What::call, index, static_cast<int>(i), {}, count_tokens(call.name)});
    cut_up(Piece::What::arguments, index, static_cast<int>(i), call.arguments, default_chunks(call.arguments), pieces);
  }
}

}  // namespace

std::string random_id(std::uint64_t seed, std::size_t length, bool hex) {
  static constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
  std::string id;
  for (std::size_t i = 0; i < length; ++i) {  // splitmix64
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    id += letters[(z ^ (z >> 31)) % (hex ? 16 : letters.size())];
  }
  return id;
}

std::optional<Refusal> schema_objection(const Chat& chat, const Script& script) {
  const auto too_large = [](const std::string& what, std::string param) {
    return Refusal{
        400, "Invalid schema for " + what + ": it is too large, or refers to itself too often.", {}, {}, std::move(param)};
  };
  const std::vector<const json*> called = tools_to_call(chat, script);
  for (const json* function : called)
    if (!sample_of(function->value("parameters", json::object())))
      return too_large("function '" + (*function)["name"].get<std::string>() + "'", "tools");
  const json* schema = called.empty() ? schema_of(chat) : nullptr;
  if (schema != nullptr && !sample_of(*schema)) return too_large("response_format", "response_format");
  return std::nullopt;
}

Answer compose(const Habits& habits, const Chat& chat, const Script& script, std::uint64_t seed) {
  Answer answer;
  const std::vector<const json*> called = tools_to_call(chat, script);
  const bool thinking = script.thinking >= 0 ? script.thinking > 0 : chat.thinking;
  const std::int64_t choices = habits.many ? chat.n : 1;
  for (std::int64_t i = 0; i < choices; ++i) {
    Choice choice;
    if (thinking) choice.reasoning = "They want an answer to: " + std::string(cut_at_character(chat.prompt, echo_bytes_max));
    if (called.empty()) choice.text = text_for(chat, script);
    if (i > 0 && chat.format == Format::text) choice.text += " (" + std::to_string(i + 1) + ")";
    for (const json* function : called) {
      const json arguments = sample_of(function->value("parameters", json::object())).value_or(json());
      choice.calls.push_back(
          {call_id(habits, seed, choice.calls.size()), (*function)["name"], arguments.is_object() ? arguments.dump() : "{}"});
    }
    if (!called.empty()) choice.finish_reason = "tool_calls";
    if (chat.tokens_max) limit(choice, *chat.tokens_max);
    if (!script.finish.empty()) choice.finish_reason = script.finish;
    add_pieces(choice, static_cast<int>(i), script, answer.pieces);
    answer.choices.push_back(std::move(choice));
  }
  return answer;
}

}  // namespace fairlead::simulator
