#include "content/national_checks.h"

#include "content/check_digits.h"

#include <algorithm>
#include <array>
#include <string>

namespace fairlead::content {
namespace {

/// So many digits from `at` on, as a number.
int part(std::string_view id, std::size_t at, std::size_t count) { return static_cast<int>(number(id.substr(at, count))); }
bool between(int value, int first, int last) { return value >= first && value <= last; }
bool is_yymmdd(std::string_view id, std::size_t at = 0) {
  return is_day(part(id, at, 2), part(id, at + 2, 2), part(id, at + 4, 2));
}
bool is_ddmmyy(std::string_view id, std::size_t at = 0) {
  return is_day(part(id, at + 4, 2), part(id, at + 2, 2), part(id, at, 2));
}
int last(std::string_view id) { return digit(id.back()); }
bool is_zero(std::string_view id) { return id.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

bool us_ssn_or_itin(std::string_view id) {
  const int area = part(id, 0, 3), group = part(id, 3, 2), serial = part(id, 5, 4);
  if (area >= 900)  // ITIN
    return between(group, 50, 65) || between(group, 70, 88) || between(group, 90, 92) || between(group, 94, 99);
  const bool advertised = id == "078051120" || id == "219099999";
  return area != 0 && area != 666 && group != 0 && serial != 0 && !advertised;
}

bool cn_resident_id(std::string_view id) {
  constexpr std::array provinces = {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43,
                                    44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91};
  if (!std::binary_search(provinces.begin(), provinces.end(), part(id, 0, 2))) return false;
  if (!between(part(id, 6, 2), 19, 20) || !is_yymmdd(id, 8)) return false;
  return "10X98765432"[weighted(id, "79:584216379:5842") % 11] == id[17];
}

bool jp_my_number(std::string_view id) {
  const int rest = weighted(id, "65432765432") % 11;
  return last(id) == (rest <= 1 ? 0 : 11 - rest) && !is_zero(id);
}

bool za_id(std::string_view id) { return is_yymmdd(id) && digit(id[10]) <= 2 && luhn(id); }

bool de_tax_id(std::string_view id) {
  std::array<int, 10> times{};
  for (const char c : id.substr(0, 10)) ++times.at(static_cast<std::size_t>(digit(c)));
  // Of the first ten digits, one is there two or three times, and no other more than once.
  const auto repeated = std::count_if(times.begin(), times.end(), [](int n) { return n > 1; });
  return id[0] != '0' && repeated == 1 && *std::max_element(times.begin(), times.end()) <= 3 && mod_11_10(id);
}

bool fr_nir(std::string_view id) {
  std::string digits(id);
  if (is_letter(id[6])) {  // Corsica
    if (id[5] != '2' || (id[6] != 'A' && id[6] != 'B')) return false;
    digits.replace(5, 2, id[6] == 'A' ? "19" : "18");
  }
  const int sex = digit(id[0]), month = part(id, 3, 2);
  if (!between(sex, 1, 4) && sex != 7 && sex != 8) return false;
  if (!between(month, 1, 12) && !between(month, 20, 42) && month < 50) return false;
  return part(digits, 5, 2) != 0 && 97 - number(std::string_view(digits).substr(0, 13)) % 97 == part(digits, 13, 2);
}

bool it_codice_fiscale(std::string_view id) {
  constexpr std::string_view months = "ABCDEHLMPRST", in_place_of_digits = "LMNPQRSTUV";
  constexpr std::array<int, 26> odd = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                       20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  std::string digits;
  for (const std::size_t at : {6, 7, 9, 10, 12, 13, 14}) {
    const std::size_t letter = in_place_of_digits.find(id[at]);
    if (!is_digit(id[at]) && letter == std::string_view::npos) return false;
    digits += is_digit(id[at]) ? id[at] : static_cast<char>('0' + letter);
  }
  const int day = part(digits, 2, 2);
  if (months.find(id[8]) == std::string_view::npos || !(between(day, 1, 31) || between(day, 41, 71))) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const int value = is_digit(id[i]) ? digit(id[i]) : id[i] - 'A';
    sum += i % 2 == 0 ? odd.at(static_cast<std::size_t>(value)) : value;
  }
  return id[15] == static_cast<char>('A' + sum % 26);
}

bool es_dni_or_nie(std::string_view id) {
  std::string digits(id.substr(0, 8));
  if (is_letter(id[0])) {
    if (!between(id[0], 'X', 'Z')) return false;
    digits[0] = static_cast<char>('0' + id[0] - 'X');
  }
  return "TRWAGMYFPDXBNJZSQVHLCKE"[number(digits) % 23] == id[8];
}

bool nl_bsn(std::string_view id) { return !is_zero(id) && (weighted(id, "98765432") - last(id)) % 11 == 0; }

bool be_national_number(std::string_view id) {
  // Of who came without papers, month and day may be 0; BIS numbers add 20 or 40 to the month.
  if (part(id, 2, 2) > 52 || part(id, 2, 2) % 20 > 12 || part(id, 4, 2) > 31) return false;
  const long long born = number(id.substr(0, 9));
  const int check = part(id, 9, 2);
  return check == 97 - born % 97 || check == 97 - (2'000'000'000 + born) % 97;  // born before or since 2000
}

bool pl_pesel(std::string_view id) {
  // The month tells the century: 80 more is 18.., 20 more is 20.., up to 60 more.
  return is_day(part(id, 0, 2), part(id, 2, 2) % 20, part(id, 4, 2)) && (10 - weighted(id, "1379137913") % 10) % 10 == last(id);
}

bool se_personnummer(std::string_view id) {
  if (id.size() == 12 && !between(part(id, 0, 2), 18, 20)) return false;
  id.remove_prefix(id.size() - 10);
  const int day = part(id, 4, 2);
  return is_day(part(id, 0, 2), part(id, 2, 2), day > 60 ? day - 60 : day) && luhn(id);
}

bool fi_henkilotunnus(std::string_view id) {
  if (id.size() == 11 && std::string_view("ABCDEFYXWVU").find(id[6]) == std::string_view::npos) return false;
  const std::string digits = std::string(id.substr(0, 6)) + std::string(id.substr(id.size() - 4, 3));
  if (!is_ddmmyy(digits) || part(digits, 6, 3) < 2) return false;
  return "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(digits) % 31] == id.back();
}

bool dk_cpr(std::string_view id) { return is_ddmmyy(id) && part(id, 6, 4) != 0; }

bool pt_nif(std::string_view id) {
  if (!between(digit(id[0]), 1, 3) && part(id, 0, 2) != 45) return false;
  const int rest = weighted(id, "98765432") % 11;
  return last(id) == (rest <= 1 ? 0 : 11 - rest);
}

bool ro_cnp(std::string_view id) {
  const int county = part(id, 7, 2);
  if (id[0] == '0' || !is_yymmdd(id, 1) || !(between(county, 1, 48) || county == 51 || county == 52 || county == 70)) return false;
  const int rest = weighted(id, "279146358279") % 11;
  return last(id) == (rest == 10 ? 1 : rest);
}

bool bg_egn(std::string_view id) {
  const int month = part(id, 2, 2);  // 40 more: born since 2000
  return is_day(part(id, 0, 2), month > 40 ? month - 40 : month, part(id, 4, 2)) && weighted(id, "2485:9736") % 11 % 10 == last(id);
}

bool hr_oib(std::string_view id) { return mod_11_10(id) && !is_zero(id); }

bool ee_lt_personal_code(std::string_view id) {
  if (!between(digit(id[0]), 1, 8) || !is_yymmdd(id, 1)) return false;
  int rest = weighted(id, "1234567891") % 11;
  if (rest == 10) rest = weighted(id, "3456789123") % 11;
  return last(id) == rest % 10;
}

bool cz_sk_birth_number(std::string_view id) {
  int month = part(id, 2, 2) % 50;  // 50 more: a woman; 20 more: the numbers of that day ran out
  if (month > 20) month -= 20;
  if (!is_day(part(id, 0, 2), month, part(id, 4, 2))) return false;
  return number(id) % 11 == 0 || (number(id.substr(0, 9)) % 11 == 10 && last(id) == 0);
}

bool at_insurance_number(std::string_view id) {
  return id[0] != '0' && is_ddmmyy(id, 4) && weighted(id, "3790584216") % 11 == digit(id[3]);
}

bool ie_pps(std::string_view id) {
  int sum = weighted(id, "8765432");
  if (id.size() == 9 && id[8] != 'W') {
    if (!between(id[8], 'A', 'I')) return false;
    sum += 9 * (id[8] - 'A' + 1);
  }
  return "WABCDEFGHIJKLMNOPQRSTUV"[sum % 23] == id[7];
}

bool gr_afm(std::string_view id) {
  int sum = 0;
  for (const char c : id.substr(0, 8)) sum = (sum + digit(c)) * 2;
  return sum % 11 % 10 == last(id) && !is_zero(id);
}

bool si_emso(std::string_view id) {
  if (!is_day(part(id, 5, 2), part(id, 2, 2), part(id, 0, 2)) || !between(part(id, 7, 2), 50, 59)) return false;
  const int rest = weighted(id, "765432765432") % 11;
  return last(id) == (rest <= 1 ? 0 : 11 - rest);
}

bool hu_tax_id(std::string_view id) {
  constexpr int days_max = 66'000;  // since 1867-01-01: to 2047
  return id[0] == '8' && part(id, 1, 5) < days_max && weighted(id, "123456789") % 11 == last(id);
}

bool no_fodselsnummer(std::string_view id) {
  const int day = part(id, 0, 2);  // 40 more: a D-number
  if (!is_day(part(id, 4, 2), part(id, 2, 2), day > 40 ? day - 40 : day)) return false;
  const int first = (11 - weighted(id, "376189452") % 11) % 11, second = (11 - weighted(id, "5432765432") % 11) % 11;
  return first == digit(id[9]) && second == last(id);
}

bool ch_ahv(std::string_view id) { return part(id, 0, 3) == 756 && (10 - weighted(id, "131313131313") % 10) % 10 == last(id); }

}  // namespace fairlead::content
