#pragma once
// How many tokens can be counted. An app may ask for any number; what it asks for beyond this is taken as this.
#include <fairlead/money.h>

#include <cstdint>

namespace fairlead {

/// Of one kind: with any price, the cost stays within 128 bits, and no sum of a few of them leaves 64.
inline constexpr std::int64_t countable_tokens_max = 1'000'000'000'000;

/// A sum or product of counts that are not negative.
inline std::int64_t countable_tokens(Int128 tokens) {
  return tokens < countable_tokens_max ? static_cast<std::int64_t>(tokens) : countable_tokens_max;
}

}  // namespace fairlead
