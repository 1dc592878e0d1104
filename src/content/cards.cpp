#include "content/cards.h"

#include "content/check_digits.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace fairlead::content {
namespace {

constexpr unsigned lengths(int first, int last) {
  unsigned bits = 0;
  for (int n = first; n <= last; ++n) bits |= 1u << n;
  return bits;
}
constexpr unsigned length(int n) { return 1u << n; }

/// Numbers whose first `digits` digits are in first..last.
struct Range {
  int digits;
  int first, last;
  unsigned lengths;
};

constexpr Range ranges[] = {
    {1, 4, 4, length(13) | length(16) | length(19)},            // Visa
    {2, 51, 55, length(16)},                                    // Mastercard
    {4, 2221, 2720, length(16)},                                // Mastercard
    {2, 34, 34, length(15)},                                    // American Express
    {2, 37, 37, length(15)},                                    // American Express
    {3, 300, 305, length(14) | lengths(16, 19)},                // Diners Club
    {4, 3095, 3095, length(14) | lengths(16, 19)},              // Diners Club
    {2, 36, 36, length(14) | lengths(16, 19)},                  // Diners Club
    {2, 38, 39, length(14) | lengths(16, 19)},                  // Diners Club
    {4, 3528, 3589, lengths(16, 19)},                           // JCB
    {4, 6011, 6011, lengths(16, 19)},                           // Discover
    {3, 644, 649, lengths(16, 19)},                             // Discover
    {2, 65, 65, lengths(16, 19)},                               // Discover, RuPay, Troy, Elo
    {2, 62, 62, lengths(16, 19)},                               // UnionPay
    {2, 81, 82, lengths(16, 19)},                               // UnionPay, RuPay
    {2, 60, 60, length(16)},                                    // RuPay, Hipercard
    {3, 353, 353, length(16)},                                  // RuPay
    {3, 356, 356, length(16)},                                  // RuPay
    {3, 508, 508, length(16)},                                  // RuPay
    {4, 5018, 5018, lengths(12, 19)},                           // Maestro
    {4, 5020, 5020, lengths(12, 19)},                           // Maestro
    {4, 5038, 5038, lengths(12, 19)},                           // Maestro
    {4, 5893, 5893, lengths(12, 19)},                           // Maestro
    {4, 6304, 6304, lengths(12, 19)},                           // Maestro
    {4, 6759, 6759, lengths(12, 19)},                           // Maestro
    {4, 6761, 6763, lengths(12, 19)},                           // Maestro
    {4, 5019, 5019, length(16)},                                // Dankort
    {4, 2200, 2204, lengths(16, 19)},                           // Mir
    {6, 506099, 506198, length(16) | length(18) | length(19)},  // Verve
    {6, 507865, 507964, length(16) | length(18) | length(19)},  // Verve
    {6, 506699, 506778, length(16)},                            // Elo
    {3, 509, 509, length(16)},                                  // Elo
    {6, 627780, 627780, length(16)},                            // Elo
    {6, 636297, 636297, length(16)},                            // Elo
    {6, 636368, 636368, length(16)},                            // Elo
    {4, 9792, 9792, length(16)},                                // Troy
    {4, 9704, 9704, length(16) | length(19)},                   // Napas
    {4, 8600, 8600, length(16)},                                // UzCard
    {4, 9860, 9860, length(16)},                                // Humo
};

}  // namespace

bool is_payment_card(std::string_view digits) {
  if (digits.size() < 12 || digits.size() > 19) return false;
  const auto holds = [&](const Range& range) {
    const long long start = number(digits.substr(0, static_cast<std::size_t>(range.digits)));
    return start >= range.first && start <= range.last && (range.lengths >> digits.size() & 1) != 0;
  };
  return std::any_of(std::begin(ranges), std::end(ranges), holds) && luhn(digits);
}

}  // namespace fairlead::content
