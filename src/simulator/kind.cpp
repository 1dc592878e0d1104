#include "simulator/kind.h"

#include <array>

namespace fairlead::simulator {
namespace {

constexpr std::array<Habits, 8> kinds{{
    {.kind = Kind::deepseek,
     .name = "deepseek",
     .base = "/deepseek",
     .cloud = true,
     .counts_reasoning = true,
     .cache_unit = 64,
     .cache_tokens_min = 64,
     .reasoning_field = "reasoning_content",
     .null_usage = NullUsage::always,
     .usage_with_finish = true},
    {.kind = Kind::qwen,
     .name = "qwen",
     .base = "/qwen/compatible-mode/v1",
     .cloud = true,
     .many = true,
     .counts_reasoning = true,
     .cache_unit = 64,
     .cache_tokens_min = 256,
     .reasoning_field = "reasoning_content",
     .null_usage = NullUsage::always},
    {.kind = Kind::openai,
     .name = "openai",
     .base = "/openai/v1",
     .cloud = true,
     .max_completion_tokens = true,
     .many = true,
     .counts_reasoning = true,
     .cache_unit = 128,
     .cache_tokens_min = 1024,
     .null_usage = NullUsage::when_asked},
    {.kind = Kind::vllm,
     .name = "vllm",
     .base = "/vllm/v1",
     .max_completion_tokens = true,
     .many = true,
     .reasoning_field = "reasoning"},
    {.kind = Kind::sglang,
     .name = "sglang",
     .base = "/sglang/v1",
     .max_completion_tokens = true,
     .many = true,
     .counts_reasoning = true,
     .reasoning_field = "reasoning_content"},
    {.kind = Kind::llamacpp, .name = "llamacpp", .base = "/llamacpp/v1", .reasoning_field = "reasoning_content"},
    {.kind = Kind::ollama, .name = "ollama", .base = "/ollama/v1", .reasoning_field = "reasoning"},
    {.kind = Kind::lmstudio,
     .name = "lmstudio",
     .base = "/lmstudio/v1",
     .max_completion_tokens = true,
     .reasoning_field = "reasoning_content"},
}};

}  // namespace

std::span<const Habits> all_kinds() { return kinds; }

Endpoint find_endpoint(std::string_view path) {
  path = path.substr(0, path.find('?'));
  for (const Habits& habits : kinds) {
    if (!path.starts_with(habits.base)) continue;
    std::string_view rest = path.substr(habits.base.size());
    if (habits.kind == Kind::deepseek && rest.starts_with("/v1/")) rest.remove_prefix(3);  // accepted, and means nothing
    if (!rest.empty() && rest.front() == '/') return {&habits, rest};
  }
  return {};
}

}  // namespace fairlead::simulator
