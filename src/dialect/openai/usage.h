#pragma once
// Usage objects of providers, in the many shapes of the OpenAI family, read into disjoint kinds. Pure.
#include <fairlead/money.h>
#include <fairlead/usage.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fairlead::openai {

/// The counts of one answer as they came, merged over its reports: what a report states replaces what an earlier one stated, and
/// nothing is ever added up (providers repeat running totals).
class UsageReport {
 public:
  /// Merges one usage object; `json` is a whole JSON value, known to be well formed. Figures that are no counts (negative,
  /// fractional, not numbers, above 10^12) make the report absurd, until a later one states them right. Of a count that is told by
  /// its name in the chat API and by that in the Responses API, the larger holds: gateways that have both names leave one at 0.
  void merge(std::string_view json);

  /// Disjoint kinds. Empty: absurd, in itself or in sum (more cached than there was, or more sound and images).
  ///  - cached and written tokens are inside the prompt's count; DeepSeek's prompt_cache_hit_tokens wins over cached_tokens, and
  ///    hit + miss stands in for a missing prompt count, but never overrules one;
  ///  - reasoning is inside the output's count if total = prompt + output, outside if the total says so, and else as
  ///    `reasoning_outside_output` says.
  std::optional<Usage> disjoint(bool reasoning_outside_output) const;

  /// What the provider says that it costs, in 10^-12 USD, rounded half up: `cost` (USD, as OpenRouter tells it) or
  /// `cost_in_usd_ticks` (10^-10 USD, as xAI does). Empty: it said nothing, or nothing that can be (negative, beyond a million
  /// USD).
  std::optional<Int128> reported_usd_pico() const { return reported_usd_pico_; }

  /// Something was reported.
  bool any() const { return any_; }

 private:
  enum Count : std::uint8_t {
    prompt,
    completion,
    total,
    hit,
    miss,
    cached,
    cached_inside,
    written,
    reasoning,
    reasoning_inside,
    input_audio,
    input_image,
    output_audio,
    output_image,
    count_of_counts
  };
  struct Name;
  /// As told by the names of one API.
  struct Told {
    std::array<std::optional<std::int64_t>, count_of_counts> counts;
    std::array<bool, count_of_counts> absurd{};
  };
  std::optional<std::int64_t> known(Count count) const;

  Told by_chat_, by_responses_;
  std::optional<Int128> reported_usd_pico_;
  bool any_ = false;
};

}  // namespace fairlead::openai
