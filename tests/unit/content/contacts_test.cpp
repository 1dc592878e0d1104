// E-mail addresses and telephone numbers, of documentation and fiction.
#include "content/emails.h"
#include "content/phones.h"
#include "scan.h"

#include <gtest/gtest.h>

namespace fairlead::content {
namespace {

TEST(Emails, addresses) {
  for (const char* text :
       {"jane.doe@example.com", "<jane@example.com>", "mailto:jane+tag@mail.example.co.za", "j@x.io", "写信给jane@example.com。",
        "jürgen@müller.example", "用户@例子.公司", "JANE@EXAMPLE.COM.", "jane@xn--mller-kva.example", "a_b-c%d@sub-domain.example",
        "jane＠example.com", "jane@exa\xE2\x80\x8Bmple.com"})
    EXPECT_EQ(found_in({"email"}, text), "email 1") << text;
  EXPECT_EQ(found_in({"email"}, "a@example.com, b@example.org;c@example.net"), "email 3");
  std::string unspaced;
  for (int i = 0; i < 30; ++i) unspaced += "请写信给";
  EXPECT_EQ(found_in({"email"}, unspaced + "jane@example.com。" + unspaced), "email 1");
}

TEST(Emails, what_is_none) {
  for (const char* text :
       {"@property", "user@host", "jane@", "@example.com", "a @ example.com", "react@18.2.0", "icon@2x.png", "jane.@example.com",
        "jane@-example.com", "jane@example.c", "jane@example.c0m", "...@example.com", "x@1.2.3.4", "f(@a.b)"})
    EXPECT_EQ(found_in({"email"}, text), "") << text;
  EXPECT_EQ(found_in({"email"}, std::string(65, 'a') + "@example.com"), "");
}

TEST(Phones, international_numbers) {
  for (const char* text :
       {"+14155552671",      "+1 415 555 2671",         "+1 (415) 555-2671", "+49 30 901820",     "+49 (0)30 901820",
        "+86 138 0013 8000", "+8613800138000",          "+27 21 123 4567",   "+33 6 12 34 56 78", "+44 20 7946 0958",
        "+81-3-1234-5678",   "+7 495 123-45-67",        "tel:+358401234567", "(+49) 30 901820",   "0049 30 901820",
        "00 49 30 901820",   "+971 4 123 4567 ext. 12", "＋49 30 901820",    "+372 5123 4567",    "+1-415-555-2671 12 people"})
    EXPECT_EQ(found_in({"phone"}, text), "phone 1") << text;
}

TEST(Phones, national_numbers) {
  for (const char* text : {"(415) 555-2671", "415-555-2671", "415.555.2671", "1-415-555-2671", "021 123 4567", "06 12 34 56 78",
                           "020 7946 0958", "01632 960961", "030/901820", "0151 23456789", "03-1234-5678", "090-1234-5678",
                           "手机：13800138000", "138 0013 8000", "电话13800138000", "010-12345678"})
    EXPECT_EQ(found_in({"phone"}, text), "phone 1") << text;
}

TEST(Phones, bare_digits_are_one_in_a_text_that_speaks_of_telephones) {
  for (const char* text :
       {"phone: 4155552671", "{\"phone_number\":\"4155552671\"}", "Mobile 07700900123", "tel. 0211234567", "Téléphone 0612345678"})
    EXPECT_EQ(found_in({"phone"}, text), "phone 1") << text;
  for (const char* text : {"order 4155552671", "hotel 4155552671", "phone 1764137000", "phone 12345678901"})
    EXPECT_EQ(found_in({"phone"}, text), "") << text;
}

TEST(Phones, what_is_none) {
  for (const char* text : {"+12345",
                           "+1 115 555 2671",
                           "+999 12345678",
                           "1+4155552671",
                           "a+4930901820",
                           "2026-11-26 06:15:00",
                           "01.02.2024 10:30",
                           "05.06.2024",
                           "192.168.100.200",
                           "4155552671",
                           "115-555-2671",
                           "415-155-2671",
                           "12345678901",
                           "10800138000",
                           "0049309018200",
                           "978-3-16-148410-0",
                           "@@ -1234,56 +1234,57 @@",
                           "3.14159265358979",
                           "v1.22.333.4444",
                           "00 00 00 00 00",
                           "13800138000"})
    EXPECT_EQ(found_in({"phone"}, text), "") << text;
}

TEST(Phones, digits_glued_to_a_plus_are_no_national_id) { EXPECT_EQ(found("+4860812400579"), "phone 1"); }

TEST(Phones, hide_neither_cards_nor_national_ids) {
  EXPECT_EQ(found("+48 60812400579"), "national_id 1, phone 1");
  EXPECT_EQ(found("0048 60812400579"), "national_id 1, phone 1");
  EXPECT_EQ(found("00 4111 1111 1111 1111"), "payment_card 1, phone 1");
  EXPECT_EQ(found("+49 4111 1111 1111 1111"), "payment_card 1, phone 1");
}

TEST(Phones, minutes_and_cents_are_no_dialling_prefix) {
  EXPECT_EQ(found("at 18:00 4111 1111 1111 1111"), "payment_card 1");
  EXPECT_EQ(found("Betrag 120,00 49 30 901820"), "");
  EXPECT_EQ(found_in({"phone"}, "0049 30 901820,0049 30 901821"), "phone 2");
}

TEST(Phones, each_place_counts_once) {
  EXPECT_EQ(found("+1 415 555 2671, +49 0151 23456789, 0049 30 901820; 415-555-2671"), "phone 4");
}

}  // namespace
}  // namespace fairlead::content
