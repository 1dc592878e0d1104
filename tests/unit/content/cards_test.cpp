// Payment cards: numbers of no real card, most of them those that schemes publish for testing.
#include "content/cards.h"

#include "scan.h"

#include <gtest/gtest.h>

namespace fairlead::content {
namespace {

std::string cards(std::string_view text) { return found_in({"payment_card"}, text); }

TEST(Cards, every_scheme_is_known_by_its_range_and_length) {
  for (const char* number :
       {"4111111111111111", "4222222222222",    "4012888888881881",    "5555555555554444",    "2223003122003222",
        "378282246310005",  "341111111111111",  "30569309025904",      "36227206271667",      "6011111111111117",
        "6500000000000002", "3530111333300000", "6200000000000005",    "6205500000000000004", "8171999927660000",
        "6759649826438453", "2200000000000004", "5060990580000217499", "6062825624254001",    "9792000000000003",
        "8600000000000007", "5019000000000008"}) {
    EXPECT_TRUE(is_payment_card(number)) << number;
    EXPECT_EQ(cards(std::string("my card is ") + number + ", thanks"), "payment_card 1") << number;
  }
}

TEST(Cards, a_wrong_digit_is_no_card) {
  for (const std::string right :
       {"4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "6205500000000000004"})
    for (std::size_t at = 0; at < right.size(); ++at)
      for (char c = '0'; c <= '9'; ++c) {
        std::string wrong = right;
        wrong[at] = c;
        EXPECT_EQ(is_payment_card(wrong), wrong == right) << wrong;
      }
}

TEST(Cards, right_check_digit_but_no_scheme_or_no_length_of_it) {
  for (const char* number : {"1234567812345670", "0000000000000000", "7992739871300005", "411111111111116", "55555555555555557",
                             "3782822463100054", "79927398713", "41111111111111111111"})
    EXPECT_FALSE(is_payment_card(number)) << number;
}

TEST(Cards, as_they_are_written) {
  for (const char* text : {"4111 1111 1111 1111",
                           "4111-1111-1111-1111",
                           "4111.1111.1111.1111",
                           "4111_1111_1111_1111",
                           "4111/1111/1111/1111",
                           "4111 - 1111 - 1111 - 1111",
                           "4111-1111 1111.1111",
                           "(4111) 1111 1111 1111",
                           "3782 822463 10005",
                           "3056 930902 5904",
                           "6205 5000 0000 0000 004",
                           "620550 0000000000004",
                           "4222 222 222 222",
                           "PAN:4111111111111111",
                           "card4111111111111111",
                           "Visa4111 1111 1111 1111",
                           "4111111111111111x",
                           "卡号4111111111111111。",
                           "\"4111111111111111\"",
                           "4111111111111111.",
                           "4111111111111111,4.50",
                           "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
                           "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
                           "41 11 11 11 11 11 11 11",
                           "4111 1111 1111 1111 12/29 123",
                           "1234 4111 1111 1111 1111",
                           "no. 12 4111 1111 1111 1111",
                           "id-4111111111111111"})
    EXPECT_EQ(cards(text), "payment_card 1") << text;
  EXPECT_EQ(cards("4111111111111111, 5555555555554444; 378282246310005"), "payment_card 3");
  EXPECT_EQ(cards("4111111111111111,5555555555554444"), "payment_card 2");
}

TEST(Cards, behind_other_numbers) {
  for (const char* text :
       {"at 18:00 4111 1111 1111 1111", "Betrag 120,00 4111 1111 1111 1111", "Betrag 120,00 (4111 1111 1111 1111)",
        "2026-11-27 14:23:00 4111-1111-1111-1111", "12,00 5500 0000 0000 0004", "at 18:00 3782 822463 10005",
        "at 12:00 378282246310005", "no. 00 4111 1111 1111 1111", "+49 4111 1111 1111 1111", "0049 4111 1111 1111 1111",
        "room 012 4111 1111 1111 1111", "on 03 4111 1111 1111 1111", "123-45 4111 1111 1111 1111",
        "at 18:00 41 11 11 11 11 11 11 11", "7,41 11 11 11 11 11 11 11"})
    for (const bool all : {false, true}) {  // whatever else is looked for
      const std::string found_there = all ? found(text) : cards(text);
      EXPECT_NE(found_there.find("payment_card 1"), std::string::npos) << text << ": " << found_there;
    }
}

TEST(Cards, what_only_looks_like_one) {
  for (const char* text :
       {"0.4111111111111111", "4111111111111111.00",          // numbers with a fraction
        "a4111111111111111b4c5", "4111111111111111deadbeef",  // hexadecimal
        "41111111111111110", "04111111111111111",             // longer numbers
        "4111 1111 1111 1112", "4111\n1111\n1111\n1111", "4111, 1111, 1111, 1111", "4111\t1111\t1111\t1111", "4111 111 111 111 111",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 7",  // a longer row
        "1764137000123", "1764137000123456789", "20261126061500", "550e8400-e29b-41d4-a716-446655440000", "978-3-16-148410-0"})
    EXPECT_EQ(cards(text), "") << text;
}

TEST(Cards, of_many_digits_nothing_is_taken_twice) {
  std::string digits;
  for (int i = 0; i < 2'000; ++i) digits += "4111111111111111 ";
  EXPECT_EQ(cards(digits), "payment_card 1000");  // the most that is counted
}

TEST(Cards, a_group_of_very_many_is_looked_through_once) {  // it took hours
  std::string group = " ";
  for (int i = 0; i < 200'000; ++i) group += "a4111111111111111";
  EXPECT_EQ(cards(group + "z"), "payment_card 1000");
  EXPECT_EQ(cards(group), "") << "hexadecimal";
}

}  // namespace
}  // namespace fairlead::content
