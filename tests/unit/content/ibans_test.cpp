// IBANs: the examples of the registry, whose accounts do not exist.
#include "content/ibans.h"

#include "scan.h"

#include <gtest/gtest.h>

namespace fairlead::content {
namespace {

std::string ibans(std::string_view text) { return found_in({"iban"}, text); }

const char* const examples[] = {"DE89370400440532013000",
                                "GB29NWBK60161331926819",
                                "FR1420041010050500013M02606",
                                "NL91ABNA0417164300",
                                "BE68539007547034",
                                "ES9121000418450200051332",
                                "IT60X0542811101000000123456",
                                "CH9300762011623852957",
                                "NO9386011117947",
                                "MT84MALT011000012345MTLCAST001S",
                                "AE070331234567890123456",
                                "SA0380000000608010167519",
                                "BR1800360305000010009795493C1",
                                "LC55HEMM000100010012001200023015",
                                "PL61109010140000071219812874",
                                "SE4550000000058398257466",
                                "GR1601101250000000012300695",
                                "PK36SCBL0000001123456702"};

TEST(Ibans, of_every_length) {
  for (const std::string iban : examples) {
    EXPECT_EQ(end_of_iban(iban, 0), iban.size()) << iban;
    EXPECT_EQ(ibans("to " + iban + " please"), "iban 1") << iban;
    std::string lower, printed;
    for (const char c : iban) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    for (std::size_t at = 0; at < iban.size(); at += 4) printed += iban.substr(at, 4) + " ";
    EXPECT_EQ(ibans(lower), "iban 1") << lower;
    EXPECT_EQ(ibans(printed + "BANKDEFF"), "iban 1") << printed;
  }
}

TEST(Ibans, a_wrong_character_is_none) {
  for (const std::string right : examples)
    for (std::size_t at = 2; at < right.size(); ++at) {
      std::string wrong = right;
      wrong[at] = wrong[at] == '7' ? '3' : '7';
      EXPECT_EQ(end_of_iban(wrong, 0), std::string::npos) << wrong;
    }
}

TEST(Ibans, what_only_looks_like_one) {
  for (const char* text :
       {"ZZ89370400440532013000", "DE8937040044053201300", "DE893704004405320130000", "DE89370400440532013000X",
        "DE89  3704 0044 0532 0130 00", "XDE89370400440532013000", "DE89", "de12 of 2026", "DE89\n37040044 05320130 00"})
    EXPECT_EQ(ibans(text), "") << text;
}

TEST(Ibans, digits_of_an_iban_are_no_card_or_other_number) {
  EXPECT_EQ(found("DE89 3704 0044 0532 0130 00"), "iban 1");
  EXPECT_EQ(found("GB29 NWBK 6016 1331 9268 19"), "iban 1");
}

}  // namespace
}  // namespace fairlead::content
