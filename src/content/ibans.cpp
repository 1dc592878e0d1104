#include "content/ibans.h"

#include "content/check_digits.h"

#include <string>

namespace fairlead::content {
namespace {

/// Country and length, from the IBAN registry (ISO 13616).
constexpr std::string_view registry =
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 "
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 "
    "LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 "
    "SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 ";
constexpr std::size_t entry_bytes = 5;

std::size_t length_in(char first, char second) {
  for (std::size_t at = 0; at < registry.size(); at += entry_bytes)
    if (registry[at] == first && registry[at + 1] == second) return static_cast<std::size_t>(number(registry.substr(at + 2, 2)));
  return 0;
}

bool may_part(char c) { return c == ' ' || c == '-' || c == '.'; }

}  // namespace

std::size_t end_of_iban(std::string_view text, std::size_t begin) {
  const std::string_view start = text.substr(begin, 4);
  if (start.size() < 4 || !is_letter(start[0]) || !is_letter(start[1]) || !is_digit(start[2])) return std::string_view::npos;
  const std::size_t length = length_in(upper(start[0]), upper(start[1]));
  if (length == 0) return std::string_view::npos;
  std::string account;
  std::size_t at = begin;
  for (; account.size() < length && at < text.size(); ++at) {
    if (is_alphanumeric(text[at]))
      account += upper(text[at]);
    else if (!may_part(text[at]) || !is_alphanumeric(text[at - 1]))
      return std::string_view::npos;
  }
  if (account.size() < length || (at < text.size() && is_alphanumeric(text[at]))) return std::string_view::npos;
  if (!is_digit(account[2]) || !is_digit(account[3])) return std::string_view::npos;
  return mod_97(account.substr(4) + account.substr(0, 4)) == 1 ? at : std::string_view::npos;
}

}  // namespace fairlead::content
