#include "cli/reconcile/amount.h"

#include <algorithm>
#include <charconv>

namespace fairlead::cli {
namespace {

constexpr int figure_decimals_max = 18, figure_digits_max = 18;

Error no_figure(std::string_view text, const char* why) {
  return {ErrorKind::config, ErrorOrigin::fairlead, "'" + std::string(text) + "' is no figure: " + why};
}

}  // namespace

Result<Int128> parse_figure(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  int exponent = 0;
  if (const std::size_t e = rest.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = rest.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (error != std::errc() || end != power.data() + power.size() || exponent < -40 || exponent > 18)
      return no_figure(text, "its exponent is not a small whole number");
    rest = rest.substr(0, e);
  }
  if (rest.find(',') != std::string_view::npos)
    return no_figure(text, "write it without separators of thousands, and with a point");
  std::string digits;
  int decimals = -1;
  for (const char c : rest) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9') return no_figure(text, "digits with at most one point");
    digits += c;
    if (decimals >= 0) ++decimals;
  }
  if (digits.empty()) return no_figure(text, "digits with at most one point");
  int shift = figure_decimals_max - std::max(decimals, 0) + exponent;
  for (; shift < 0 && digits.size() > 1 && digits.back() == '0'; ++shift) digits.pop_back();
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits == "0") return Int128{0};
  if (shift < 0) return no_figure(text, "more than 18 decimals");
  if (static_cast<int>(digits.size()) + shift > figure_decimals_max + figure_digits_max) return no_figure(text, "too large");
  Int128 value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  for (; shift > 0; --shift) value *= 10;
  return negative ? -value : value;
}

Result<std::string> currency_in(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (const auto currency = parse_currency(text); !currency) return currency.error();
  return text;
}

std::string figure_text(Int128 attos) {
  const bool negative = attos < 0;
  if (negative) attos = -attos;
  std::string decimals = std::to_string(static_cast<std::int64_t>(attos % attos_per_unit));
  decimals.insert(0, static_cast<std::size_t>(figure_decimals_max) - decimals.size(), '0');
  decimals.erase(decimals.find_last_not_of('0') + 1);
  // Up to 1.7 * 10^20 units: beyond 64 bits, in two parts.
  const Int128 whole = attos / attos_per_unit;
  const auto high = static_cast<std::uint64_t>(whole / 1'000'000'000), low = static_cast<std::uint64_t>(whole % 1'000'000'000);
  std::string text = std::to_string(low);
  if (high > 0) text = std::to_string(high) + std::string(9 - text.size(), '0') + text;
  return (negative ? "-" : "") + text + (decimals.empty() ? "" : "." + decimals);
}

}  // namespace fairlead::cli
