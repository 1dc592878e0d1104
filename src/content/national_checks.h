#pragma once
// The rule of each national number: its check characters, and the dates and ranges inside of it. For national_ids.cpp. Pure; the
// characters are as one of the layouts has them.
#include <string_view>

namespace fairlead::content {

bool us_ssn_or_itin(std::string_view id);       ///< no check digit: what the SSA and the IRS never issue is none
bool cn_resident_id(std::string_view id);       ///< GB 11643: MOD 11-2, province, day of birth
bool jp_my_number(std::string_view id);         ///< 番号法施行規則: MOD 11
bool za_id(std::string_view id);                ///< Luhn, day of birth, citizenship
bool de_tax_id(std::string_view id);            ///< § 139b AO: MOD 11,10, one digit repeated
bool fr_nir(std::string_view id);               ///< INSEE: key 97, sex, month, department
bool it_codice_fiscale(std::string_view id);    ///< DM 23 December 1976: check letter, month, day; homocodes too
bool es_dni_or_nie(std::string_view id);        ///< check letter by 23
bool nl_bsn(std::string_view id);               ///< the eleven test
bool be_national_number(std::string_view id);   ///< 97, day of birth; BIS numbers too
bool pl_pesel(std::string_view id);             ///< weights 1 3 7 9, day of birth
bool se_personnummer(std::string_view id);      ///< Luhn, day of birth; coordination numbers too
bool fi_henkilotunnus(std::string_view id);     ///< check character by 31, day of birth
bool dk_cpr(std::string_view id);               ///< day of birth alone: since 2007 numbers without a right check digit are issued
bool pt_nif(std::string_view id);               ///< MOD 11; of persons
bool ro_cnp(std::string_view id);               ///< weights 279146358279, day of birth, county
bool bg_egn(std::string_view id);               ///< MOD 11, day of birth after 1899
bool hr_oib(std::string_view id);               ///< MOD 11,10
bool ee_lt_personal_code(std::string_view id);  ///< MOD 11 in two rounds, day of birth
bool cz_sk_birth_number(std::string_view id);   ///< divisible by 11, day of birth; since 1954
bool at_insurance_number(std::string_view id);  ///< MOD 11, day of birth
bool ie_pps(std::string_view id);               ///< check letter by 23
bool gr_afm(std::string_view id);               ///< powers of two, MOD 11
bool si_emso(std::string_view id);              ///< MOD 11, day of birth, region
bool hu_tax_id(std::string_view id);            ///< MOD 11, begins with 8
bool no_fodselsnummer(std::string_view id);     ///< two check digits MOD 11, day of birth; D-numbers too
bool ch_ahv(std::string_view id);               ///< 756, EAN-13

}  // namespace fairlead::content
