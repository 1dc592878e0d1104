#include "simulator/tokens.h"

#include <algorithm>
#include <functional>

#include "simulator/quote.h"

namespace fairlead::simulator {
namespace {
using nlohmann::json;

constexpr std::size_t beginnings_max = 65'536;
constexpr std::int64_t tokens_per_prompt = 3, tokens_per_message = 4;

std::string text_to_count(const json& message) {
  std::string text = message.contains("content") ? text_of(message["content"]) : std::string();
  if (message.contains("tool_calls")) text += message["tool_calls"].dump();
  return text;
}

std::uint64_t mixed(std::uint64_t hash, std::string_view text) {
  return (hash ^ std::hash<std::string_view>{}(text)) * 0x9e3779b97f4a7c15 + (hash >> 29);
}

std::string field(std::string_view name, std::int64_t value) { return "\"" + std::string(name) + "\":" + std::to_string(value); }

/// {"a":1,"b":2} of the fields given.
std::string object_of(std::initializer_list<std::string> fields) {
  std::string text = "{";
  for (const std::string& one : fields) {
    if (one.empty()) continue;
    if (text.size() > 1) text += ',';
    text += one;
  }
  return text + "}";
}

std::string named(std::string_view name, const std::string& value) { return "\"" + std::string(name) + "\":" + value; }

std::string qwen_details(const Tokens& tokens) {
  if (tokens.cache_write == 0) return object_of({field("cached_tokens", tokens.cached)});
  return object_of({field("cached_tokens", tokens.cached), field("cache_creation_input_tokens", tokens.cache_write),
                    named("cache_creation", object_of({field("ephemeral_5m_input_tokens", tokens.cache_write)})),
                    R"("cache_type":"ephemeral")"});
}

std::string openai_usage(const Tokens& t, const std::string& prompt, const std::string& completion, const std::string& total) {
  return object_of(
      {prompt, completion, total,
       named("prompt_tokens_details",
             object_of({field("cached_tokens", t.cached), field("cache_write_tokens", t.cache_write), field("audio_tokens", 0)})),
       named("completion_tokens_details",
             object_of({field("reasoning_tokens", t.reasoning), field("audio_tokens", 0), field("accepted_prediction_tokens", 0),
                        field("rejected_prediction_tokens", 0)}))});
}

}  // namespace

Tokens PromptCache::take(const Habits& habits, const Chat& chat, const Script& script) {
  if (seen_.size() >= beginnings_max) seen_.clear();
  Tokens tokens;
  tokens.prompt = tokens_per_prompt;
  if (const auto tools = chat.body.find("tools"); tools != chat.body.end()) tokens.prompt += count_tokens(tools->dump());
  std::uint64_t beginning = mixed(mixed(0, habits.name), chat.model);
  for (const json& message : chat.body["messages"]) {
    const std::string text = text_to_count(message);
    tokens.prompt += tokens_per_message + count_tokens(text);
    beginning = mixed(beginning, text);
    if (!seen_.insert(beginning).second) tokens.cached = tokens.prompt;
  }
  if (habits.cache_unit == 0 || tokens.cached < habits.cache_tokens_min) tokens.cached = 0;
  if (tokens.cached > 0) tokens.cached = std::min(tokens.cached, tokens.prompt - 1) / habits.cache_unit * habits.cache_unit;
  if (habits.cache_unit == 0) return tokens;
  if (script.cached >= 0) tokens.cached = std::min(script.cached, tokens.prompt);
  if (script.cache_write >= 0 && habits.kind != Kind::deepseek)
    tokens.cache_write = std::min(script.cache_write, tokens.prompt - tokens.cached);
  return tokens;
}

std::string usage_json(const Habits& habits, const Tokens& told, bool thinking, UsageTold how) {
  if (how == UsageTold::invalid)
    return R"({"prompt_tokens":-17,"completion_tokens":99999999999999999999999,"total_tokens":"many"})";
  const Tokens tokens = how == UsageTold::zero ? Tokens{} : told;
  const std::string prompt = field("prompt_tokens", tokens.prompt), completion = field("completion_tokens", tokens.completion),
                    total = field("total_tokens", tokens.prompt + tokens.completion);
  const std::string reasoning =
      thinking ? named("completion_tokens_details", object_of({field("reasoning_tokens", tokens.reasoning)})) : std::string();
  switch (habits.kind) {
    case Kind::deepseek:
      return object_of(
          {prompt, completion, total, named("prompt_tokens_details", object_of({field("cached_tokens", tokens.cached)})), reasoning,
           field("prompt_cache_hit_tokens", tokens.cached), field("prompt_cache_miss_tokens", tokens.prompt - tokens.cached)});
    case Kind::qwen: return object_of({prompt, completion, total, named("prompt_tokens_details", qwen_details(tokens)), reasoning});
    case Kind::openai: return openai_usage(tokens, prompt, completion, total);
    case Kind::vllm: return object_of({prompt, total, completion, R"("prompt_tokens_details":null)"});
    case Kind::sglang:
      return object_of({prompt, total, completion, R"("prompt_tokens_details":null)", field("reasoning_tokens", tokens.reasoning)});
    case Kind::llamacpp: return object_of({completion, prompt, total});
    case Kind::ollama:
    case Kind::lmstudio: break;
  }
  return object_of({prompt, completion, total});
}

}  // namespace fairlead::simulator
