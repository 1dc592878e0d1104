#pragma once
// The tokens of one attempt, by kind. The kinds are disjoint: what the provider counts inside another kind is taken out of it.
#include <cstdint>
#include <optional>
#include <string_view>

namespace fairlead {

/// reported: the provider's own figures. estimated: counted by us, since it gave none. invalid: it gave absurd ones
/// (negative, overflowing, not numbers), so the figures are our estimate. none: nothing was consumed.
enum class UsageSource : std::uint8_t { none, reported, estimated, invalid };

/// Units: tokens. Empty means not reported, which is not zero.
struct Usage {
  std::optional<std::int64_t> input;         ///< uncached input, without cache writes
  std::optional<std::int64_t> cached_input;  ///< read from the provider's cache
  std::optional<std::int64_t> cache_write;   ///< written to the provider's cache
  std::optional<std::int64_t> output;        ///< visible output, without reasoning
  std::optional<std::int64_t> reasoning;     ///< billed as output
  std::optional<std::int64_t> audio;         ///< a part of the above, for information; not billed apart yet
  std::optional<std::int64_t> image;         ///< as audio
  bool operator==(const Usage&) const = default;

  std::int64_t input_total() const { return input.value_or(0) + cached_input.value_or(0) + cache_write.value_or(0); }
  std::int64_t output_total() const { return output.value_or(0) + reasoning.value_or(0); }
};

inline constexpr std::optional<std::int64_t> Usage::*token_kinds[] = {
    &Usage::input, &Usage::cached_input, &Usage::cache_write, &Usage::output, &Usage::reasoning, &Usage::audio, &Usage::image};

void add_tokens(Usage& usage, const Usage& more);

std::string_view to_string(UsageSource source);

}  // namespace fairlead
