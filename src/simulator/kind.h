#pragma once
// The providers that the simulator can stand in for, and those of their habits that are plain facts. Immutable tables.
#include <cstdint>
#include <span>
#include <string_view>

namespace fairlead::simulator {

enum class Kind : std::uint8_t { deepseek, qwen, openai, vllm, sglang, llamacpp, ollama, lmstudio };

/// When chunks other than the last carry "usage":null.
enum class NullUsage : std::uint8_t { never, when_asked, always };

struct Habits {
  Kind kind = Kind::openai;
  std::string_view name;               ///< "deepseek": in markers, bills and model names
  std::string_view base;               ///< "/qwen/compatible-mode/v1": what a base_url ends in
  bool cloud = false;                  ///< wants a key, and sells the models of the price list
  bool max_completion_tokens = false;  ///< honours it; every kind honours max_tokens where it does not refuse it
  bool many = false;                   ///< honours n
  bool counts_reasoning = false;       ///< tells reasoning tokens
  std::int64_t cache_unit = 0;         ///< prompt tokens are cached in multiples of this; 0: it tells of none
  std::int64_t cache_tokens_min = 0;
  std::string_view reasoning_field = {};  ///< its name in messages and deltas; empty: thinks unseen
  NullUsage null_usage = NullUsage::never;
  bool usage_with_finish = false;  ///< in the chunk of finish_reason, not in one of its own
};

/// All kinds, in the order of the enumeration.
std::span<const Habits> all_kinds();

/// A request path taken apart: the kind whose prefix it has, and what follows its base. `habits` is null if there is none.
struct Endpoint {
  const Habits* habits = nullptr;
  std::string_view rest;  ///< "/chat/completions"
};
Endpoint find_endpoint(std::string_view path);

}  // namespace fairlead::simulator
