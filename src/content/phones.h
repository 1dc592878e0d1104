#pragma once
// Telephone numbers. Pure.
#include <span>
#include <string_view>

namespace fairlead::content {

/// Digits after the '+': a calling code that ITU-T E.164 assigns, and a length that it may have.
bool is_international_phone(std::string_view digits);

/// How national numbers are written (as NationalId::layouts, always with separators but for Chinese mobile numbers), and which
/// digits then make one.
struct PhoneLayout {
  std::string_view layout;
  bool (*check)(std::string_view digits);
};
std::span<const PhoneLayout> phone_layouts();

}  // namespace fairlead::content
