#pragma once
// Exact money. Integers of 10^-12 of a currency unit; no float ever holds an amount.
#include <fairlead/result.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead {

/// An ISO 4217 code.
struct Currency {
  std::array<char, 3> code{'U', 'S', 'D'};
  auto operator<=>(const Currency&) const = default;
  std::string_view view() const { return {code.data(), code.size()}; }
};

__extension__ using Int128 = __int128;

/// An amount. Units: `pico` is 10^-12 of one unit of `currency`. 128 bits, so that totals cannot overflow.
struct Money {
  Int128 pico = 0;
  Currency currency;
  bool operator==(const Money&) const = default;
};

inline constexpr std::int64_t pico_per_unit = 1'000'000'000'000;

/// Reads a decimal such as "0.003625" or "12" into 10^-12 of a unit.
/// Errors: config, if it is not a plain decimal (sign, exponent, more than 12 decimals, more than 12 digits before the point).
Result<Int128> parse_decimal(std::string_view text);

/// The shortest exact decimal: 3625000000 -> "0.003625", 0 -> "0". Negative amounts carry a '-'.
std::string format_decimal(Int128 pico);

/// Three capital letters, or config.
Result<Currency> parse_currency(std::string_view text);

/// value * factor in the fixed point of 10^-12, rounded half away from zero: amounts in another currency at a rate.
Int128 multiply_pico(Int128 value, Int128 factor);

/// What a cost is charged at with a markup, a share of it in 10^-12.
inline Int128 charge_of(Int128 usd_pico, Int128 markup) { return usd_pico + multiply_pico(usd_pico, markup); }

}  // namespace fairlead
