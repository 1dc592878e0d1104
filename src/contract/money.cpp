#include <fairlead/money.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace fairlead {
namespace {
constexpr int decimals_max = 12;
constexpr std::size_t whole_digits_max = 12;

Error bad_decimal(std::string_view text) {
  return {ErrorKind::config, ErrorOrigin::fairlead,
          "'" + std::string(text) + "' is not a decimal: digits, at most " + std::to_string(decimals_max) + " after the point"};
}
}  // namespace

Result<Int128> parse_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  const auto digits = [](std::string_view s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > whole_digits_max || fraction.size() > decimals_max || !digits(whole) || !digits(fraction) ||
      (point != std::string_view::npos && fraction.empty()))
    return bad_decimal(text);
  Int128 value = 0;
  for (char c : whole) value = value * 10 + (c - '0');
  for (int i = 0; i < decimals_max; ++i)
    value = value * 10 + (static_cast<std::size_t>(i) < fraction.size() ? fraction[static_cast<std::size_t>(i)] - '0' : 0);
  return value;
}

std::string format_decimal(Int128 pico) {
  __extension__ using Unsigned = unsigned __int128;
  const bool negative = pico < 0;
  const Unsigned size = negative ? -static_cast<Unsigned>(pico) : static_cast<Unsigned>(pico);
  // Down to 64 bits as soon as it fits: a division of 128 bits costs as much as all the rest.
  auto fraction = static_cast<std::uint64_t>(size % pico_per_unit);
  Unsigned whole = size / pico_per_unit;
  std::array<char, 64> text{};  // from its end
  char* begin = text.data() + text.size();
  for (int i = 0; i < decimals_max; ++i, fraction /= 10) {
    const auto digit = static_cast<char>('0' + fraction % 10);
    if (begin != text.data() + text.size() || digit != '0') *--begin = digit;  // no trailing zeros
  }
  if (begin != text.data() + text.size()) *--begin = '.';
  for (; whole > std::numeric_limits<std::uint64_t>::max(); whole /= 10)
    *--begin = static_cast<char>('0' + static_cast<int>(whole % 10));
  auto rest = static_cast<std::uint64_t>(whole);
  do *--begin = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (negative) *--begin = '-';
  return {begin, text.data() + text.size()};
}

Result<Currency> parse_currency(std::string_view text) {
  Currency currency;
  if (text.size() != 3 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return Error(ErrorKind::config, ErrorOrigin::fairlead,
                 "'" + std::string(text) + "' is not a currency: three capital letters such as USD");
  std::copy(text.begin(), text.end(), currency.code.begin());
  return currency;
}

Int128 multiply_pico(Int128 value, Int128 factor) {
  // As USD in USD, and a markup of nothing, for each request.
  if (factor == pico_per_unit) return value;
  if (factor == 0) return 0;
  // Whole and fraction apart, so that the product of two amounts of up to 10^14 units stays within 128 bits.
  const bool negative = (value < 0) != (factor < 0);
  const Int128 a = value < 0 ? -value : value, b = factor < 0 ? -factor : factor;
  const Int128 product = (a / pico_per_unit) * b + ((a % pico_per_unit) * b + pico_per_unit / 2) / pico_per_unit;
  return negative ? -product : product;
}

}  // namespace fairlead
