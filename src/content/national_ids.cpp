#include "content/national_ids.h"

#include "content/national_checks.h"

namespace fairlead::content {

namespace {

constexpr std::string_view birth_number_words = R"(rodn[eé] [cč][ií]slo|\brč\b|\br\. ?č\.)";

}  // namespace

std::span<const NationalId> national_ids() {
  static const std::vector<NationalId> table = {
      {"us", {"ddd_dd_dddd", "?ddddddddd"}, us_ssn_or_itin, R"(\bssn|\bitin\b|social security|\btaxpayer id)"},
      {"cn", {"dddddddddddddddddW", "dddddd dddddddd dddW"}, cn_resident_id, ""},
      {"jp", {"?dddddddddddd", "?dddd dddd dddd"}, jp_my_number, "個人番号|マイナンバー|\\bmy ?number\\b|\\bindividual number\\b"},
      {"za", {"ddddddddddddd", "dddddd dddd ddd", "dddddd dddd d dd"}, za_id, ""},
      {"de", {"ddddddddddd", "dd ddd ddd ddd"}, de_tax_id, ""},
      {"fr", {"ddddddWdddddddd", "ddddddWdddddd dd", "d dd dd dW ddd ddd dd"}, fr_nir, ""},
      {"it", {"LLLLLLWWLWWLWWWL"}, it_codice_fiscale, ""},
      {"es", {"WdddddddL", "Wddddddd L", "L ddddddd L", "dd ddd ddd L", "dd ddd dddL"}, es_dni_or_nie, ""},
      {"nl", {"dddd dd ddd", "?ddddddddd", "?ddd ddd ddd"}, nl_bsn, R"(\bbsn|burgerservice|\bsofi)"},
      {"be", {"ddddddddddd", "dd dd dd ddd dd"}, be_national_number, ""},
      {"pl", {"ddddddddddd"}, pl_pesel, ""},
      {"se", {"dddddd-dddd", "dddddddd-dddd", "dddddddddd", "?dddddddddddd"}, se_personnummer, "personnummer|samordningsnummer"},
      {"fi", {"dddddd-dddW", "ddddddLdddW"}, fi_henkilotunnus, ""},
      {"dk", {"dddddd-dddd", "?dddddddddd", "?dddddd dddd"}, dk_cpr, R"(\bcpr|personnummer)"},
      {"pt", {"?ddddddddd", "?ddd ddd ddd"}, pt_nif, R"(\bnif\b|contribuinte|número fiscal)"},
      {"ro", {"ddddddddddddd"}, ro_cnp, ""},
      {"bg", {"dddddddddd"}, bg_egn, ""},
      {"hr", {"?ddddddddddd"}, hr_oib, R"(\boib)"},
      {"ee", {"ddddddddddd"}, ee_lt_personal_code, ""},
      {"lt", {"ddddddddddd"}, ee_lt_personal_code, ""},
      {"cz", {"dddddd/dddd", "?dddddddddd"}, cz_sk_birth_number, birth_number_words},
      {"sk", {"dddddd/dddd", "?dddddddddd"}, cz_sk_birth_number, birth_number_words},
      {"at", {"dddddddddd", "dddd dddddd"}, at_insurance_number, ""},
      {"ie", {"dddddddL", "dddddddLL"}, ie_pps, ""},
      {"gr", {"?ddddddddd"}, gr_afm, "αφμ|α\\.φ\\.μ|\\bafm\\b"},
      {"si", {"ddddddddddddd"}, si_emso, ""},
      {"hu", {"dddddddddd"}, hu_tax_id, ""},
      {"no", {"ddddddddddd", "dddddd ddddd"}, no_fodselsnummer, ""},
      {"ch", {"ddddddddddddd", "ddd dddd dddd dd"}, ch_ahv, ""},
  };
  return table;
}

}  // namespace fairlead::content
