#pragma once
// Telephone numbers. Pure.
#include <span>
#include <string_view>

namespace fairlead::content {

/// Digits after the '+': a calling code that ITU-T E.164 assigns, and a length that it may have.
bool is_international_phone(std::string_view digits);

/// How national numbers are written (as NationalId::layouts), and which digits then make one.
struct PhoneLayout {
  std::string_view layout;
  bool (*check)(std::string_view digits);
};
std::span<const PhoneLayout> phone_layouts();

/// What a text with bare digits must name, as NationalId::words.
inline constexpr std::string_view phone_words =
    R"(\b(?:tele)?phone|\btel\b|\bmobile|\bcell\b|\bsms\b|whatsapp|téléphone|telef[oó]n|电话|電話|手机|手機|携帯|联系方式|微信)";

}  // namespace fairlead::content
