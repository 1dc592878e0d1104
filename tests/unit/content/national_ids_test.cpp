// National ids: numbers made for these tests by the rules, of nobody.
#include "content/national_ids.h"

#include "scan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::content {
namespace {

std::string ids_of(const std::string& country, std::string_view text) { return found_in({"national_id_" + country}, text); }
std::string one(const std::string& country) { return "national_id_" + country + " 1"; }

const NationalId& rule_of(std::string_view country) {
  const auto all = national_ids();
  return *std::find_if(all.begin(), all.end(), [&](const NationalId& id) { return id.country == country; });
}

struct Right {
  const char* country;
  const char* characters;            ///< without separators
  std::vector<const char*> written;  ///< texts in which it is found
};

const std::vector<Right> right = {
    {"us", "526018159", {"526-01-8159", "526 01 8159", "SSN 526018159", "social security number: 526018159"}},
    {"us", "912701234", {"912-70-1234", "ITIN: 912701234"}},
    {"cn",
     "11010519491231002X",
     {"11010519491231002X", "11010519491231002x", "110105 19491231 002X", "身份证号11010519491231002X。"}},
    {"cn", "112733197310101216", {"112733197310101216"}},
    {"jp", "202632148633", {"マイナンバー 202632148633", "My Number: 2026-3214-8633"}},
    {"za", "0603218612118", {"0603218612118", "060321 8612 118"}},
    {"de", "41723548602", {"41723548602", "41 723 548 602"}},
    {"de", "91832437067", {"IdNr. 91832437067"}},
    {"fr", "362079958411887", {"362079958411887", "3 62 07 99 584 118 87", "3620799584118 87"}},
    {"it", "DSSRBK63L63L21UC", {"DSSRBK63L63L21UC", "dssrbk63l63l21uc"}},
    {"it", "SQVPAL16E65EQ31I", {"codice fiscale: SQVPAL16E65EQ31I"}},
    {"es", "41898565V", {"41898565V", "41898565-V", "41.898.565-V", "41.898.565V"}},
    {"es", "Z7038428L", {"Z7038428L", "Z7038428-L", "Z-7038428-L", "z 7038428 l"}},
    {"nl", "619009214", {"BSN 619009214", "burgerservicenummer: 619009214", "6190.09.214"}},
    {"be", "59121873647", {"59121873647", "59.12.18-736.47"}},
    {"be", "08060386729", {"08.06.03-867.29"}},
    {"pl", "60812400579", {"PESEL 60812400579"}},
    {"pl", "73012609271", {"73012609271"}},
    {"se", "9910167825", {"991016-7825", "19991016-7825", "9910167825", "personnummer 199910167825"}},
    {"se", "7504073466", {"750407+3466"}},
    {"fi", "300446A2738", {"300446A2738", "300446a2738"}},
    {"fi", "131281A426P", {"131281A426P"}},
    {"fi",
     "1312814"
     "26P",
     {"131281-426P"}},
    {"dk", "0707614285", {"070761-4285", "CPR 0707614285", "cpr-nr. 070761 4285"}},
    {"pt", "128527447", {"NIF 128527447", "contribuinte n.º 128 527 447"}},
    {"ro", "2180410077675", {"2180410077675"}},
    {"bg", "6352235208", {"6352235208"}},
    {"bg", "2012144712", {"ЕГН 2012144712"}},
    {"hr", "88026570570", {"OIB: 88026570570"}},
    {"ee", "33303048898", {"33303048898"}},
    {"lt", "47001091878", {"47001091878"}},
    {"cz", "9157221007", {"915722/1007", "Rodné číslo: 9157221007"}},
    {"sk", "5121270143", {"512127/0143"}},
    {"at", "5985040404", {"5985040404", "5985 040404"}},
    {"ie", "2317548NH", {"2317548NH"}},
    {"ie", "7225983L", {"7225983L"}},
    {"gr", "058904022", {"ΑΦΜ 058904022", "αφμ: 058904022", "AFM 058904022"}},
    {"si", "1205922598236", {"1205922598236"}},
    {"hu", "8300001239", {"8300001239"}},
    {"no", "07121508553", {"07121508553", "071215 08553"}},
    {"ch", "7560464971122", {"756.0464.9711.22", "7560464971122"}},
};

TEST(NationalIds, right_ones_are_found_as_they_are_written) {
  for (const Right& id : right)
    for (const char* text : id.written) EXPECT_EQ(ids_of(id.country, text), one(id.country)) << text;
}

TEST(NationalIds, of_the_numbers_that_differ_in_the_check_character_one_is_right) {
  for (const Right& id : right) {
    const std::string country = id.country;
    if (country == "us" || country == "dk" || id.written.empty()) continue;  // these have none
    const auto check = rule_of(country).check;
    std::string number = id.characters;
    EXPECT_TRUE(check(number)) << country << " " << number;
    // The second letter of an Irish number stands behind the check letter.
    char& character = country == "ie" ? number[7] : number.back();
    const std::string alphabet = character >= 'A' || country == "fi" ? "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" : "0123456789";
    int rights = 0;
    for (const char c : alphabet) {
      character = c;
      rights += check(number) ? 1 : 0;
    }
    EXPECT_EQ(rights, 1) << country << " " << id.characters;
  }
}

TEST(NationalIds, most_wrong_digits_are_seen) {
  for (const Right& id : right) {
    const std::string country = id.country, good = id.characters;
    if (country == "us" || country == "dk") continue;
    int wrong = 0, taken = 0;
    for (std::size_t at = 0; at < good.size(); ++at)
      for (char c = '0'; c <= '9' && good[at] <= '9'; ++c) {
        std::string number = good;
        number[at] = c;
        if (number == good) continue;
        ++wrong;
        taken += rule_of(country).check(number) ? 1 : 0;
      }
    // MOD 11 with 10 written as 0, and Belgium's two centuries, let a few through.
    EXPECT_LE(taken * 20, wrong) << country << " " << good;
  }
}

struct Wrong {
  const char* country;
  const char* text;
};

const Wrong wrong[] = {
    {"us", "000-12-3456"},        {"us", "666-12-3456"},      {"us", "123-00-4567"},
    {"us", "123-45-0000"},        {"us", "078-05-1120"},      {"us", "912-49-1234"},
    {"us", "912-93-1234"},        {"us", "526018159"},        {"us", "5260-18159"},
    {"us", "1526-01-8159"},       {"us", "526-01-8159-7"},    {"cn", "110105194912310021"},  // the check character
    {"cn", "110105194913310020"},                                                            // the month
    {"cn", "99010519491231002X"},                                                            // the province
    {"jp", "202632148633"},       {"jp", "2026 3214 8633"},                                  // nobody calls it so
    {"za", "0613218612118"},      {"za", "0603218612317"},                                   // the month; the citizenship
    {"de", "12345678903"},                                                                   // no digit twice
    {"de", "00000000000"},        {"de", "1.41723548602"},    {"fr", "362139958411887"},     // the month
    {"it", "DSSRBK63Z63L21UC"},                                                              // the month
    {"es", "41898565A"},          {"es", "A7038428L"},        {"nl", "619009214"},
    {"nl", "BSN 619009215"},      {"nl", "BSN 000000000"},    {"be", "59131873647"},  // the month
    {"pl", "60992400579"},                                                            // the month
    {"se", "991316-7825"},        {"se", "999910167825"},     {"se", "199910167825"},
    {"fi", "320446A2738"},        {"fi", "300446G2738"},      {"dk", "310261-4285"},
    {"dk", "0707614285"},         {"dk", "070761 4285"},      {"pt", "NIF 528527447"},
    {"pt", "128527447"},          {"ro", "2180410537675"},  // the county
    {"bg", "ЕГН 6352325208"},     {"hr", "88026570570"},      {"hr", "OIB 88026570571"},
    {"ee", "93303048898"},        {"lt", "47001091879"},      {"cz", "915722/1008"},
    {"cz", "9157221007"},         {"us", "234.56. 4111"},     {"us", "526.01.8159"},
    {"at", "0985040404"},         {"ie", "2317548NZ"},        {"gr", "058904022"},
    {"gr", "ΑΦΜ 000000000"},      {"si", "1205922498236"},    {"hu", "7300001239"},
    {"no", "07121508554"},        {"ch", "755.0464.9711.22"}, {"pl", "+73012609271"},
    {"pl", "73012609271-01"},     {"pl", "x73012609271"},     {"pl", "730126092710"},
};

TEST(NationalIds, wrong_ones_are_not_found) {
  for (const Wrong& id : wrong) EXPECT_EQ(ids_of(id.country, id.text), "") << id.country << " " << id.text;
}

TEST(NationalIds, the_group_has_them_all_and_counts_each_place_once) {
  EXPECT_EQ(found_in({"national_id"}, "33303048898"), "national_id 1");
  EXPECT_EQ(found_in({"national_id", "national_id_ee", "national_id_lt"}, "33303048898"),
            "national_id 1, national_id_ee 1, national_id_lt 1");
  for (const Right& id : right)
    for (const char* text : id.written) EXPECT_EQ(found_in({"national_id"}, text), "national_id 1") << text;
}

TEST(NationalIds, behind_what_may_be_a_dialling_prefix) {
  for (const Wrong& id : {Wrong{"pl", "Termin 14:00 44051401359"}, Wrong{"pl", "Betrag 1.500,00 44051401359"},
                          Wrong{"de", "Termin 10:00 65929970489"}, Wrong{"za", "at 10:00 8001015009087"},
                          Wrong{"za", "no. 0027 8001015009087"}, Wrong{"za", "00 8001015009087"}})
    for (const bool phones : {false, true}) {
      const std::string country = "national_id_" + std::string(id.country);
      const std::vector<std::string> asked = phones ? std::vector<std::string>{country, "phone"} : std::vector{country};
      EXPECT_EQ(found_in(asked, id.text).substr(0, country.size() + 2), country + " 1") << id.text;
    }
}

TEST(NationalIds, that_are_right_card_numbers_too_are_both) {
  for (const Wrong& id : {Wrong{"za", "4501015009080"}, Wrong{"za", "6304155009087"}, Wrong{"cn", "360102198506150249"},
                          Wrong{"cn", "620102198506150154"}, Wrong{"cn", "650102198506150029"}}) {
    EXPECT_EQ(found_in({"payment_card", "national_id_" + std::string(id.country)}, id.text), "payment_card 1, " + one(id.country))
        << id.text;
    EXPECT_EQ(ids_of(id.country, id.text), one(id.country)) << id.text;
  }
  EXPECT_EQ(found_in({"payment_card", "national_id_za"}, "620552 8001015009087"), "payment_card 1, national_id_za 1");
}

TEST(NationalIds, a_slash_parts_them_unless_they_are_written_with_it) {
  EXPECT_EQ(ids_of("za", "8001015009087/9202204720083"), "national_id_za 2");
  EXPECT_EQ(ids_of("pl", "2026-11-27/44051401359"), one("pl"));
  EXPECT_EQ(ids_of("pl", "44051401359/2026"), one("pl"));
  EXPECT_EQ(ids_of("us", "526-01-8159/526-01-8160"), "national_id_us 2");
  EXPECT_EQ(ids_of("cz", "1/915722/1007"), "");
  EXPECT_EQ(ids_of("cz", "915722/1007/1"), "");
  EXPECT_EQ(ids_of("nl", "6190/09/214/7"), "");
}

TEST(NationalIds, what_docs_say_is_not_seen) {
  for (const char* text : {"8001015009087-9202204720083", "8001015009087.9202204720082", "+8001015009087"})
    EXPECT_EQ(ids_of("za", text), "") << text;
}

TEST(NationalIds, every_country_is_a_class_and_has_a_test) {
  for (const NationalId& id : national_ids()) {
    EXPECT_NE(kinds_of("national_id_" + std::string(id.country)), 0u);
    EXPECT_TRUE(std::any_of(right.begin(), right.end(), [&](const Right& r) { return r.country == id.country; })) << id.country;
  }
  EXPECT_EQ(kinds_of("national_id_xx"), 0u);
}

}  // namespace
}  // namespace fairlead::content
