#pragma once
// Check digits as standards and laws have them. Pure. Digits are ASCII; what is not checked by type is checked by the caller.
#include <string_view>

namespace fairlead::content {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_alphanumeric(char c) { return is_digit(c) || is_letter(c); }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
constexpr int digit(char c) { return c - '0'; }

/// Digits as a number; at most 18.
long long number(std::string_view digits);
/// The sum of digit times weight, for as many as there are weights. A weight is a character above '0': ':' is 10.
int weighted(std::string_view digits, std::string_view weights);
/// ISO/IEC 7812-1, annex B: of all digits, the last one included.
bool luhn(std::string_view digits);
/// ISO/IEC 7064 MOD 11,10: of all digits, the last one included.
bool mod_11_10(std::string_view digits);
/// ISO/IEC 7064 MOD 97-10: the remainder of digits and capital letters (A is 10) read as one number.
int mod_97(std::string_view text);
/// A day of the calendar of a year that ends in these two digits; any century will do for 29 February.
bool is_day(int two_digit_year, int month, int day);

}  // namespace fairlead::content
