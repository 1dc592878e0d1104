#pragma once
// Tokens as the simulated provider counts them, the cache of prompts that it claims to have, and how it tells its usage. One
// thread.
#include <cstdint>
#include <string>
#include <unordered_set>

#include "simulator/chat.h"
#include "simulator/script.h"

namespace fairlead::simulator {

/// Units: tokens. Cached and written ones are inside `prompt`, reasoning inside `completion`.
struct Tokens {
  std::int64_t prompt = 0, cached = 0, cache_write = 0, completion = 0, reasoning = 0;
  bool operator==(const Tokens&) const = default;
};

/// Remembers beginnings of conversations, per kind and model. Bounded; forgets everything when full.
class PromptCache {
 public:
  /// The prompt's tokens: 3, and for each message 4 and one per 4 bytes, and one per 4 bytes of the tools' JSON; cached as far as
  /// a beginning of it was seen before, in the provider's unit. Remembers this prompt.
  Tokens take(const Habits& habits, const Chat& chat, const Script& script);

 private:
  std::unordered_set<std::uint64_t> seen_;
};

/// The usage object as this provider writes it. `thinking`: reasoning tokens are told. `how`: invalid or zero change the figures.
std::string usage_json(const Habits& habits, const Tokens& tokens, bool thinking, UsageTold how);

}  // namespace fairlead::simulator
