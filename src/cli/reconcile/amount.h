#pragma once
// Figures of bills: exact, in 10^-18 of a token or of a unit of money, since some bills carry more digits than the ledger. Pure.
#include <fairlead/money.h>

#include <string>
#include <string_view>

namespace fairlead::cli {

inline constexpr Int128 attos_per_unit = Int128{1'000'000'000} * 1'000'000'000;
inline constexpr Int128 attos_per_pico = 1'000'000;

/// "12", "-0.00012", "1.2e-05". Errors: config: thousands separators, currency signs, more than 18 decimals or 18 digits.
Result<Int128> parse_figure(std::string_view text);

/// "cny" -> "CNY". Errors: config.
Result<std::string> currency_in(std::string text);

/// The shortest exact decimal.
std::string figure_text(Int128 attos);

}  // namespace fairlead::cli
