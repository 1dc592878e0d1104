// What of a request is looked at, and how it may be written.
#include "content/scanner.h"

#include "content/text.h"
#include "scan.h"

#include <gtest/gtest.h>

#include <random>

namespace fairlead::content {
namespace {

const std::string card = "4111 1111 1111 1111";

std::string cards_in(std::string_view body) { return found_in_body({"payment_card"}, body); }

TEST(Scanner, looks_at_every_part_of_a_request) {
  for (
      const std::string body :
      {R"({"messages":[{"role":"user","content":"CARD"}]})",
       R"({"messages":[{"role":"system","content":"x"},{"role":"assistant","content":"CARD"}]})",
       R"({"messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"CARD"}]}]})",
       R"({"messages":[{"role":"user","name":"CARD","content":"x"}]})",
       R"({"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"pay","arguments":"{\"card\":\"CARD\"}"}}]}]})",
       R"({"messages":[{"role":"tool","tool_call_id":"c","content":"CARD"}]})",
       R"({"messages":[{"role":"assistant","reasoning_content":"CARD"}]})",
       R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.example/CARD.png"}}]}]})",
       R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"CARD"}}]})",
       R"({"messages":[],"tools":[{"type":"function","function":{"parameters":{"properties":{"CARD":{}}}}}]})",
       R"({"messages":[],"response_format":{"json_schema":{"schema":{"const":4111111111111111}}}})",
       R"({"messages":[],"metadata":{"x":"CARD"}})", R"({"messages":[],"unheard_of":[[["CARD"]]]})", R"({"input":"CARD"})",
       R"({"prompt":["x","CARD"]})", R"({"CARD":1})"}) {
    std::string filled = body;
    if (const std::size_t at = filled.find("CARD"); at != std::string::npos) filled.replace(at, 4, card);
    EXPECT_EQ(cards_in(filled), "payment_card 1") << filled;
  }
  EXPECT_EQ(cards_in(R"({"model":"4111111111111111","messages":[]})"), "");  // not sent as it stands
}

TEST(Scanner, takes_a_number_for_what_it_is_worth) {
  const auto cards_in_number = [](const std::string& number) {
    return found_in_body({"payment_card"}, R"({"messages":[],"metadata":{"x":[)" + number + "]}}");
  };
  for (const char* number :
       {"4111111111111111", "-4111111111111111", "4111111111111111.0", "4111111111111111.000", "4111111111111111e0",
        "4.111111111111111e15", "4.111111111111111E+15", "41.11111111111111000e14", "3.782822463100050e14"})
    EXPECT_EQ(cards_in_number(number), "payment_card 1") << number;
  for (const char* number : {"0.4111111111111111", "4111111111111111.5", "4.111111111111111e14", "4.111111111111111e16",
                             "4111111111111111e-1", "4111111111111111e999999999999", "4111111111111111e300", "0.00000000e5"})
    EXPECT_EQ(cards_in_number(number), "") << number;
}

TEST(Scanner, names_of_the_api_are_no_words_of_the_prompt) {
  const auto scanner = make_scanner({"mine"}, {{"mine", {"role", "content", "text"}, {}}});
  EXPECT_EQ(found_in_body(*scanner, R"({"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]})"), "");
  EXPECT_EQ(found_in_body(*scanner, R"({"messages":[{"role":"user","content":"his role"}]})"), "mine 1");
}

TEST(Scanner, a_text_that_is_a_name_of_the_api_is_a_text_all_the_same) {
  const auto scanner = make_scanner({"mine"}, {{"mine", {"prediction", "user"}, {}}});
  EXPECT_EQ(found_in_body(*scanner, R"({"messages":[{"role":"user","content":"prediction"}]})"), "mine 1");
  EXPECT_EQ(found_in_body(*scanner, R"({"messages":[{"role":"user","content":[{"type":"text","text":"user"}]}]})"), "mine 1");
  EXPECT_EQ(found_in_body(*scanner, R"({"metadata":["prediction"],"stop":["prediction","user"]})"), "mine 3");
  EXPECT_EQ(found_in_body(*scanner, R"({"prediction":{"type":"prediction"},"user":"x"})"), "");
}

TEST(Scanner, adds_up_over_texts) {
  EXPECT_EQ(found_in_body({"email", "payment_card"},
                          R"({"messages":[{"content":"4111111111111111 a@example.com"},{"content":"5555555555554444"}]})"),
            "email 1, payment_card 2");
}

TEST(Scanner, tells_of_every_class_asked_for_in_their_order) {
  const auto found = make_scanner({"secret", "iban", "email"}, {})->scan(body_of("a@example.com"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(*found, (std::vector<ContentCount>{{"secret", 0}, {"iban", 0}, {"email", 1}}));
}

TEST(Scanner, sees_through_escapes) {
  for (const char* content : {R"("\u0034111111111111111")", R"("\u0034\u0031\u0031\u0031 1111 1111 1111")",
                              R"("\n4111111111111111\n")", R"("\/4111111111111111\/")", R"("4111\u00a01111\u00a01111\u00a01111")",
                              R"("{\"n\":\"4111111111111111\"}")", R"("{\"n\":\"\\u0034111111111111111\"}")",
                              R"("{\"n\":\"{\\\"m\\\":\\\"\\\\u0034111111111111111\\\"}\"}")", R"("x\\n4111111111111111")"})
    EXPECT_EQ(cards_in(R"({"messages":[{"content":)" + std::string(content) + "}]}"), "payment_card 1") << content;
}

TEST(Scanner, escapes_are_read_beside_the_text_and_not_in_its_place) {
  const auto scanner = make_scanner({"mine"}, {{"mine", {"temp"}, {}}});
  EXPECT_EQ(found_in_body(*scanner, R"({"messages":[{"content":"C:\\temp"}]})"), "mine 1");
}

TEST(Scanner, sees_through_other_characters) {
  for (const char* text :
       {"４１１１１１１１１１１１１１１１",
        "４１１１　１１１１　１１１１　１１１１",
        "٤١١١١١١١١١١١١١١١",
        "४१११ ११११ ११११ ११११",
        "𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏",
        "④①①①①①①①①①①①①①①①",
        "⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹",
        "4\xE2\x80\x8B"
        "111111111111111",
        "4\xC2\xAD"
        "111111111111111",
        "4111\xE2\x80\xAF"
        "1111\xE2\x80\xAF"
        "1111\xE2\x80\xAF"
        "1111",
        "4111–1111–1111–1111",
        "4111‑1111‑1111‑1111",
        "➃➀➀➀➀➀➀➀➀➀➀➀➀➀➀➀",
        "➍➊➊➊➊➊➊➊➊➊➊➊➊➊➊➊",
        "⓸⓵⓵⓵⓵⓵⓵⓵⓵⓵⓵⓵⓵⓵⓵⓵",
        "⑷⑴⑴⑴⑴⑴⑴⑴⑴⑴⑴⑴⑴⑴⑴⑴",
        "4111〜1111〜1111〜1111",
        "4111゠1111゠1111゠1111",
        "4111〰1111〰1111〰1111",
        "4111⸺1111⸺1111⸺1111",
        "4111︲1111︲1111︲1111",
        "4111֊1111֊1111֊1111",
        "4\xEF\xBE\xA0"  // what no letter shows: the half-width filler, an annotation's anchor, a tag
        "111111111111111",
        "4\xEF\xBF\xB9"
        "111111111111111",
        "4\xF3\xA0\x88\x80"
        "111111111111111",
        "4️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣",
        "\xE2\x80\xAE"
        "4111111111111111\xE2\x80\xAC"})
    EXPECT_EQ(found_in({"payment_card"}, text), "payment_card 1") << text;
  EXPECT_EQ(found_in({"iban"}, "ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００"), "iban 1");
}

TEST(Scanner, what_docs_say_it_does_not_see) {
  for (const char* text : {"four one one one 1111 1111 1111", "NDExMTExMTExMTExMTExMQ==", "1111111111111114 backwards",
                           "4111&#32;1111 1111 1111", "4l11 1111 1111 1111", "4%31111111111111"})
    EXPECT_EQ(found_in({"payment_card"}, text), "") << text;
}

TEST(Scanner, a_number_cut_over_two_parts_is_in_neither) {
  const std::string number = "4111111111111111";
  for (std::size_t at = 0; at <= number.size(); ++at) {
    const std::string body =
        R"({"messages":[{"content":[{"text":")" + number.substr(0, at) + R"("},{"text":")" + number.substr(at) + R"("}]}]})";
    EXPECT_EQ(cards_in(body), at == 0 || at == number.size() ? "payment_card 1" : "") << at;
  }
}

TEST(Scanner, a_body_cut_anywhere_is_refused) {
  const std::string body = body_of(card);
  for (std::size_t at = 0; at < body.size(); ++at) EXPECT_NE(cards_in(body.substr(0, at)).find("error: "), std::string::npos) << at;
}

TEST(Scanner, refuses_what_it_cannot_look_through) {
  const auto scanner = make_scanner({"payment_card"}, {});
  const std::string deep = R"({"messages":)" + std::string(200, '[') + std::string(200, ']') + "}";
  const std::string wide = body_of(std::string(text_bytes_max + 1, ' '));
  for (const std::string& body : {deep, wide, std::string("[]"), std::string()}) {
    const auto found = scanner->scan(body);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().kind, ErrorKind::policy);
  }
}

TEST(Scanner, images_are_no_text) {
  std::string base64;
  while (base64.size() < 600'000) base64 += "iVBORw0KGgo4111111111111111AAAANSUhEUgAA/4111111111111111/";
  const auto image = [&](const std::string& url) {
    return R"({"messages":[{"content":[{"type":"image_url","image_url":{"url":")" + url + R"("}}]}]})";
  };
  EXPECT_EQ(cards_in(image("data:image/png;base64," + base64)), "");
  EXPECT_EQ(cards_in(R"({"messages":[{"content":[{"input_audio":{"data":")" + base64 + R"(=="}}]}]})"), "");
  // But nothing gets by that only begins like one.
  EXPECT_EQ(cards_in(image("data:image/png;base64," + card)), "payment_card 1");
  EXPECT_EQ(cards_in(image("data:;base64,4111111111111111")), "payment_card 1");
  EXPECT_EQ(cards_in(image("data:text/plain," + base64 + " " + card)), "payment_card 1000");
  EXPECT_EQ(found_in({"payment_card"}, "data:image/png;base64," + std::string(600, 'A') + " and my card is " + card),
            "payment_card 1");
}

TEST(Scanner, what_stands_before_the_base64_is_read) {
  const auto scanner = make_scanner({"mine", "payment_card"}, {{"mine", {"Titan"}, {}}});
  const std::string payload(600, 'A');
  for (const std::string head : {"data:Project Titan is our merger target;base64,", "data:text/Titan;base64,",
                                 "data:application/pdf;name=Titan.pdf;base64,", "data:Titan,"})
    EXPECT_EQ(found_in_body(*scanner, body_of(head + payload)), "mine 1") << head;
  EXPECT_EQ(found_in_body(*scanner, body_of("data:a/b;n=4111111111111111;base64," + payload)), "payment_card 1");
  EXPECT_EQ(found_in_body(*scanner, body_of("data:image/png;base64," + payload)), "");
}

TEST(Scanner, a_long_text_is_read_to_its_end) {
  std::string text;
  while (text.size() < 1'000'000) text += "The quick brown fox jumps over 12 lazy dogs, on 2026-11-26 at 06:15 for $1,234.56. ";
  EXPECT_EQ(found(text), "");
  EXPECT_EQ(found(text + card + ". jane@example.com"), "email 1, payment_card 1");
}

TEST(Scanner, what_is_in_a_text_is_in_it_among_others) {
  const std::vector<std::string> found_alone = {"4111111111111111",
                                                card,
                                                "526-01-8159",
                                                "11010519491231002X",
                                                "DE89 3704 0044 0532 0130 00",
                                                "jane@example.com",
                                                "+49 30 901820",
                                                "BSN 619009214",
                                                "AKIA"
                                                "A2B3C4D5A2B3C4D5",
                                                "300446A2738"};
  const std::vector<std::string> others = {"The fox", "12 dogs", "2026-11-26", "a/b",  "1,234.56", "x@y", "机密",
                                           "é",       "–",       "#",          "0049", "sk-",      "://"};
  std::mt19937_64 random(7);
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  for (int i = 0; i < 2'000; ++i) {
    const std::string& text = found_alone[i % found_alone.size()];
    std::string among =
        pick(others) + " | " + pick(others) + ", " + pick(others) + " | " + text + " | " + pick(others) + ", " + pick(others);
    EXPECT_NE(found(among).find(found(text)), std::string::npos) << among << ": " << found(among);
  }
}

TEST(Scanner, any_bytes_are_read_without_harm) {
  const std::string alphabet = "0123456789 -.+/@_():\\nu04ABXYZabcxyz\xE2\x80\x8B\xEF\xBC\x91\xF0\x9D\x9F\x92\xFF\xC3";
  std::mt19937_64 random(7);
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    for (std::size_t size = random() % 200; text.size() < size;) text += alphabet[random() % alphabet.size()];
    std::string out;
    fold(text, out);
    unescape(text, out);
    (void)found(text);
  }
}

TEST(Scanner, ordinary_texts_hold_nothing) {
  for (const char* text :
       {"In 2019, 2020 and 2021 we sold 1,234,567 units for $12,345,678.90.", "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "for (int i = 0; i < 1000000; ++i) x[i] = 0.1234567890123456;", "Order 2024-0001234, tracking 1Z999AA10123456784",
        "ISBN 978-3-16-148410-0, DOI 10.1000/182, RFC 7519", "2026-11-26T06:15:00.123456Z", "lat 52.520008, lng 13.404954",
        "192.168.1.1:8080, fe80::1, 00:1A:2B:3C:4D:5E", "π = 3.14159265358979323846", "20 000 Meilen, 1.000.000 €, 3 × 10^8",
        "8f14e45f-ceea-467f-a1b2-112233445566", "{\"created\":1764137000,\"total_tokens\":12345}"})
    EXPECT_EQ(found(text), "") << text;
}

TEST(Text, is_folded_only_where_there_is_something_to_fold) {
  std::string out;
  for (const char* text : {"", "plain", "äöü 漢字 かな 한글 русский 😀"}) EXPECT_FALSE(fold(text, out)) << text;
  ASSERT_TRUE(fold("ａ　１", out));
  EXPECT_EQ(out, "a 1");
}

TEST(Text, is_left_whole_unless_it_ends_in_base64) {
  const std::string payload(600, 'A');
  EXPECT_EQ(without_payload(payload), "");
  EXPECT_EQ(without_payload(payload + "=="), "");
  EXPECT_EQ(without_payload("data:;base64," + payload), "data:;base64");
  for (const std::string& text :
       {std::string(511, 'A'), payload + "===", payload + " ", "data:" + payload + ";base64", "data:x;base64;" + payload,
        "data:" + std::string(300, 'x') + ";base64," + payload, "data:x;base64," + std::string(509, 'A'), "data:x," + payload})
    EXPECT_EQ(without_payload(text), text);
}

TEST(Text, escapes_that_are_none_stay) {
  std::string out;
  EXPECT_FALSE(unescape(R"(\d \u12 \)", out));
  ASSERT_TRUE(unescape(R"(\d\t\u00e9\ud83d\ude00\ud83dx\)", out));
  EXPECT_EQ(out, "\\d\té😀\xEF\xBF\xBDx\\");
}

}  // namespace
}  // namespace fairlead::content
