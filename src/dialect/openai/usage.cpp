#include "dialect/openai/usage.h"

#include <fairlead/countable.h>

#include "wire/json.h"

#include <algorithm>
#include <charconv>

namespace fairlead::openai {
namespace {

using wire::JsonKind;
using wire::JsonReader;
using wire::JsonString;

/// Where in a usage object a count stands.
enum class Place : std::uint8_t { top, input_details, output_details };

std::optional<std::int64_t> read_count(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > countable_tokens_max) return std::nullopt;
  return value;
}

/// A JSON number of 10^`exponent` USD, in 10^-12 of one.
std::optional<Int128> read_usd(std::string_view text, int exponent) {
  constexpr Int128 usd_max = 1'000'000 * pico_per_unit;
  constexpr std::size_t digits_max = 30;
  Int128 value = 0;
  std::size_t at = 0, digits = 0;
  bool after_point = false;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.' && !after_point) {
      after_point = true;
      continue;
    }
    if (text[at] < '0' || text[at] > '9' || ++digits > digits_max) return std::nullopt;
    value = value * 10 + (text[at] - '0');
    if (after_point) --exponent;
  }
  if (at < text.size()) {
    std::string_view power = text.substr(at + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    int shift = 0;
    const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), shift);
    if (error != std::errc{} || end != power.data() + power.size() || shift < -60 || shift > 60) return std::nullopt;
    exponent += shift;
  }
  if (digits == 0) return std::nullopt;
  for (; exponent > -12 && value <= usd_max; --exponent) value *= 10;
  for (; exponent < -13; ++exponent) value /= 10;
  if (exponent == -13) value = (value + 5) / 10;
  return value > usd_max ? std::nullopt : std::optional(value);
}

std::optional<std::int64_t> either(std::optional<std::int64_t> first, std::optional<std::int64_t> second) {
  return first ? first : second;
}

std::optional<std::int64_t> sum(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  if (!a && !b) return std::nullopt;
  return a.value_or(0) + b.value_or(0);
}

}  // namespace

struct UsageReport::Name {
  Place place;
  std::string_view name;
  Count count;
  bool of_responses = false;
};

void UsageReport::merge(std::string_view text) {
  static constexpr Name names[] = {
      {Place::top, "prompt_tokens", prompt},
      {Place::top, "input_tokens", prompt, true},
      {Place::top, "completion_tokens", completion},
      {Place::top, "output_tokens", completion, true},
      {Place::top, "total_tokens", total},
      {Place::top, "prompt_cache_hit_tokens", hit},
      {Place::top, "prompt_cache_miss_tokens", miss},
      {Place::top, "cached_tokens", cached},
      {Place::top, "num_cached_tokens", cached},
      {Place::top, "reasoning_tokens", reasoning},
      {Place::input_details, "cached_tokens", cached_inside},
      {Place::input_details, "cache_write_tokens", written},
      {Place::input_details, "cache_creation_input_tokens", written},
      {Place::input_details, "audio_tokens", input_audio},
      {Place::input_details, "image_tokens", input_image},
      {Place::output_details, "reasoning_tokens", reasoning_inside},
      {Place::output_details, "audio_tokens", output_audio},
      {Place::output_details, "image_tokens", output_image},
  };
  JsonReader json(text);
  const auto member = [&](Place place, JsonString key, bool of_responses = false) {
    const auto at =
        std::find_if(std::begin(names), std::end(names), [&](const Name& n) { return n.place == place && key.is(n.name); });
    const bool null = json.peek() == JsonKind::null;
    const std::string_view value = json.skip();
    if (place == Place::top && !null && key.is("cost")) reported_usd_pico_ = read_usd(value, 0);
    if (place == Place::top && !null && key.is("cost_in_usd_ticks")) reported_usd_pico_ = read_usd(value, -10);
    if (at == std::end(names) || null) return;
    any_ = true;
    const auto count = read_count(value);
    Told& told = of_responses || at->of_responses ? by_responses_ : by_chat_;
    told.absurd[at->count] = !count;
    told.counts[at->count] = count;
  };
  json.object([&](JsonString key) {
    const bool of_responses = key.is("input_tokens_details") || key.is("output_tokens_details");
    const bool input = key.is("prompt_tokens_details") || key.is("input_tokens_details") || key.is("prompt_token_details");
    const bool output = key.is("completion_tokens_details") || key.is("output_tokens_details");
    if ((!input && !output) || json.peek() != JsonKind::object) return member(Place::top, key);
    json.object([&](JsonString inner) { member(input ? Place::input_details : Place::output_details, inner, of_responses); });
  });
}

std::optional<std::int64_t> UsageReport::known(Count count) const {
  return std::max(by_chat_.counts[count], by_responses_.counts[count]);  // empty is less than 0
}

std::optional<Usage> UsageReport::disjoint(bool reasoning_outside_output) const {
  for (const Told* told : {&by_chat_, &by_responses_})
    if (std::any_of(told->absurd.begin(), told->absurd.end(), [](bool absurd) { return absurd; })) return std::nullopt;
  Usage usage;
  usage.cached_input = either(known(hit), either(known(cached_inside), known(cached)));
  usage.cache_write = known(written);
  usage.audio = sum(known(input_audio), known(output_audio));
  usage.image = sum(known(input_image), known(output_image));
  if (const auto input = either(known(prompt), sum(known(hit), known(miss)))) {
    usage.input = *input - usage.cached_input.value_or(0) - usage.cache_write.value_or(0);
    if (*usage.input < 0 || sum(known(input_audio), known(input_image)) > input) return std::nullopt;
  }

  usage.output = known(completion);
  usage.reasoning = either(known(reasoning_inside), known(reasoning));
  if (!usage.output) return usage;
  if (sum(known(output_audio), known(output_image)) > usage.output) return std::nullopt;
  bool outside = reasoning_outside_output;
  if (known(prompt) && known(total)) {
    const std::int64_t rest = *known(total) - *known(prompt) - *usage.output;
    if (outside && !usage.reasoning && rest > 0) usage.reasoning = rest;
    if (rest == 0)
      outside = false;
    else if (usage.reasoning && rest == *usage.reasoning)
      outside = true;
  }
  if (!outside) usage.output = *usage.output - usage.reasoning.value_or(0);
  if (*usage.output < 0) return std::nullopt;
  return usage;
}

}  // namespace fairlead::openai
