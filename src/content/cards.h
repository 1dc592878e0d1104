#pragma once
// Payment cards by their number. Pure.
#include <string_view>

namespace fairlead::content {

/// Digits alone: an issuer's range of ISO/IEC 7812 that a card scheme publishes, one of its lengths, and Luhn's check digit.
bool is_payment_card(std::string_view digits);

}  // namespace fairlead::content
