#include "content/check_digits.h"

#include <array>

namespace fairlead::content {

long long number(std::string_view digits) {
  long long value = 0;
  for (const char c : digits) value = value * 10 + digit(c);
  return value;
}

int weighted(std::string_view digits, std::string_view weights) {
  int sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += digit(digits[i]) * (weights[i] - '0');
  return sum;
}

bool luhn(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = digit(digits[digits.size() - 1 - i]) * (i % 2 == 1 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 == 0;
}

bool mod_11_10(std::string_view digits) {
  int carried = 10;
  for (const char c : digits.substr(0, digits.size() - 1)) {
    const int sum = (digit(c) + carried) % 10;
    carried = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (digit(digits.back()) + carried) % 10 == 1;
}

int mod_97(std::string_view text) {
  int rest = 0;
  for (const char c : text) rest = is_digit(c) ? (rest * 10 + digit(c)) % 97 : (rest * 100 + c - 'A' + 10) % 97;
  return rest;
}

bool is_day(int two_digit_year, int month, int day) {
  constexpr std::array<int, 13> days = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > days.at(static_cast<std::size_t>(month))) return false;
  return month != 2 || day != 29 || two_digit_year % 4 == 0;
}

}  // namespace fairlead::content
