#include "content/phones.h"

#include "content/check_digits.h"

#include <algorithm>
#include <array>

namespace fairlead::content {
namespace {

// ITU-T, list of assigned country codes. 1 and 7 have one digit.
constexpr std::array two_digits = {20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54,
                                   55, 56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98};
constexpr std::array three_digits = {
    211, 212, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239,
    240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 260, 261, 262, 263, 264, 265,
    266, 267, 268, 269, 290, 291, 297, 298, 299, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 370, 371, 372, 373, 374, 375,
    376, 377, 378, 380, 381, 382, 383, 385, 386, 387, 389, 420, 421, 423, 500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 590,
    591, 592, 593, 594, 595, 596, 597, 598, 599, 670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686, 687,
    688, 689, 690, 691, 692, 800, 808, 850, 852, 853, 855, 856, 870, 878, 880, 881, 882, 883, 886, 888, 960, 961, 962, 963, 964,
    965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977, 979, 992, 993, 994, 995, 996, 998};

template <class Codes>
bool begins_with_one_of(std::string_view digits, std::size_t count, const Codes& codes) {
  return std::binary_search(codes.begin(), codes.end(), static_cast<int>(number(digits.substr(0, count))));
}

/// Area and exchange begin with 2 to 9.
bool is_north_american(std::string_view digits) { return digits[0] >= '2' && digits[3] >= '2'; }
bool has_trunk_prefix(std::string_view digits) { return digits[0] == '0' && digits[1] != '0'; }
bool is_chinese_mobile(std::string_view digits) { return digits[0] == '1' && digits[1] >= '3'; }

}  // namespace

bool is_international_phone(std::string_view digits) {
  if (digits.size() < 8 || digits.size() > 15) return false;
  if (digits[0] == '1') return digits.size() == 11 && is_north_american(digits.substr(1));
  if (digits[0] == '7') return digits.size() == 11;
  return begins_with_one_of(digits, 2, two_digits) || begins_with_one_of(digits, 3, three_digits);
}

std::span<const PhoneLayout> phone_layouts() {
  static constexpr PhoneLayout layouts[] = {
      {"ddd ddd dddd", [](std::string_view digits) { return is_north_american(digits) || has_trunk_prefix(digits); }},
      {"d ddd ddd dddd", [](std::string_view digits) { return digits[0] == '1' && is_north_american(digits.substr(1)); }},
      {"?dddddddddd", [](std::string_view digits) { return is_north_american(digits) || has_trunk_prefix(digits); }},
      {"?ddddddddddd", [](std::string_view digits) { return is_chinese_mobile(digits) || has_trunk_prefix(digits); }},
      {"ddd dddd dddd", [](std::string_view digits) { return is_chinese_mobile(digits) || has_trunk_prefix(digits); }},
      {"dd dd dd dd dd", has_trunk_prefix},  // France
      {"dd dddd dddd", has_trunk_prefix},    // Japan
      {"dddd ddd dddd", has_trunk_prefix},   // the United Kingdom
      {"dddd dddddd", has_trunk_prefix},
      {"ddddd dddddd", has_trunk_prefix},
      {"dd dddddddd", has_trunk_prefix},  // the Netherlands, Germany
      {"ddd dddddd", has_trunk_prefix},
      {"ddd ddddddd", has_trunk_prefix},
      {"ddd dddddddd", has_trunk_prefix},
      {"dddd ddddddd", has_trunk_prefix},
      {"dddd dddddddd", has_trunk_prefix}};
  return layouts;
}

}  // namespace fairlead::content
