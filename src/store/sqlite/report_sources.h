#pragma once
// Where a report reads: the kept sums, or the rows themselves. As SQL that gives the same columns.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace fairlead::sqlite {

/// The columns of both, beside `at`, the dimensions, `currency` and `unpriced`: counts and tokens, then amounts in two parts.
inline constexpr std::string_view counts[] = {"requests", "attempts", "failed"};
inline constexpr std::string_view tokens[] = {"input_tokens",     "cached_input_tokens", "cache_write_tokens", "output_tokens",
                                              "reasoning_tokens", "audio_tokens",        "image_tokens"};
inline constexpr std::string_view amounts[] = {"cost_milli",    "cost_rest_pico", "usd_milli",
                                               "usd_rest_pico", "charge_milli",   "charge_rest_pico"};

/// Microseconds; as texts for SQL.
struct Span {
  std::string since, until;  ///< empty: open
};

/// A table like both: days, and in the place of these (by their beginnings) their hours.
std::string days_but(const std::set<std::int64_t>& split);
/// Sums of hours ("hour_sums"), days ("day_sums") or days_but(), and what is still open.
std::string from_sums(std::string_view table, const Span& period);
/// `sent_since`: no row that counts in the period was sent before.
std::string from_rows(const Span& period, const std::string& sent_since);

}  // namespace fairlead::sqlite
