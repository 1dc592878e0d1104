// Secrets: shapes with made-up characters, put together here so that no line of this file is one.
#include "content/secrets.h"

#include "scan.h"

#include <gtest/gtest.h>

namespace fairlead::content {
namespace {

std::string secrets(std::string_view text) { return found_in({"secret"}, text); }

/// So many characters that are no words.
std::string characters(std::size_t count, std::string_view of = "a1B2c3D4e5F6g7H8i9J0") {
  std::string text;
  while (text.size() < count) text += of[text.size() % of.size()];
  return text;
}
std::string hex(std::size_t count) { return characters(count, "0123456789abcdef"); }

TEST(Secrets, of_every_shape) {
  const std::string dashes = "-----", begin = dashes + "BEGIN ";
  for (const std::string& text : {begin + "PRIVATE KEY" + dashes,
                                  begin + "RSA PRIVATE KEY" + dashes,
                                  begin + "OPENSSH PRIVATE KEY" + dashes,
                                  begin + "ENCRYPTED PRIVATE KEY" + dashes,
                                  begin + "PGP PRIVATE KEY BLOCK" + dashes,
                                  std::string("PuTTY-User-Key-File-3: ssh-ed25519"),
                                  "AGE-SECRET-KEY-1" + characters(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
                                  "eyJ" + characters(30) + ".eyJ" + characters(50) + "." + characters(43),
                                  "AKIA" + characters(16, "A2B3C4D5"),
                                  "aws_secret_access_key = " + characters(40),
                                  "AIza" + characters(35),
                                  "GOCSPX-" + characters(28),
                                  "ya29." + characters(60),
                                  "AccountKey=" + characters(86) + "==",
                                  "LTAI" + characters(20),
                                  "AKID" + characters(32),
                                  "bce-v3/ALTAK-" + characters(21) + "/" + hex(40),
                                  "sk-" + hex(32),
                                  "sk-proj-" + characters(120),
                                  "sk-ant-api03-" + characters(95),
                                  "sk-or-v1-" + hex(64),
                                  "sk-fl-" + characters(43),
                                  "gsk_" + characters(52),
                                  "xai-" + characters(80),
                                  "pplx-" + characters(48),
                                  "hf_" + characters(34),
                                  "r8_" + characters(37),
                                  "ghp_" + characters(36),
                                  "github_pat_" + characters(82),
                                  "glpat-" + characters(20),
                                  "ATATT3" + characters(180),
                                  "xoxb-" + characters(12, "1234567890") + "-" + characters(24),
                                  "https://hooks.slack.com/services/T00AA/B00AA/" + characters(24),
                                  "sk_live_" + characters(24),
                                  "rk_test_" + characters(24),
                                  "whsec_" + characters(32),
                                  "SG." + characters(22) + "." + characters(43),
                                  "SK" + hex(32),
                                  "key-" + hex(32),
                                  "npm_" + characters(36),
                                  "pypi-AgE" + characters(60),
                                  "dckr_pat_" + characters(27),
                                  "dapi" + hex(32),
                                  "dop_v1_" + hex(64),
                                  "shpat_" + hex(32),
                                  "hvs." + characters(24),
                                  "lin_api_" + characters(40),
                                  "ntn_" + characters(46),
                                  "sbp_" + hex(40),
                                  "NRAK-" + characters(27, "A1B2C3"),
                                  "Authorization: Bearer " + characters(40),
                                  "postgresql://app:" + characters(12) + "@db.example/x",
                                  std::string("https://user:hunter22@example.com/")}) {
    EXPECT_EQ(secrets(text), "secret 1") << text;
    EXPECT_EQ(secrets("key=\"" + text + "\"; then"), "secret 1") << text;
    EXPECT_EQ(secrets("密钥" + text + "。"), "secret 1") << text;
  }
}

TEST(Secrets, of_letters_alone) {
  const std::string letters = characters(34, "aBcDeFgHiJkLmNoP");
  EXPECT_EQ(secrets("HF_TOKEN=hf_" + letters), "secret 1");
  EXPECT_EQ(secrets("hf_" + letters.substr(1)), "");
  EXPECT_EQ(secrets("Bearer " + letters), "");  // may be words
}

TEST(Secrets, tokens_of_any_length) {
  for (const std::size_t bytes : {100, 4'090, 4'500, 9'000, 1'000'000})
    for (const std::string& token : {"eyJ" + characters(30) + ".eyJ" + characters(bytes) + "." + characters(43),
                                     "eyJ" + characters(bytes) + ".eyJ" + characters(30) + "." + characters(43)}) {
      EXPECT_EQ(secrets(token), "secret 1") << bytes;
      EXPECT_EQ(secrets("Authorization: Bearer " + token), "secret 1") << bytes;
    }
  EXPECT_EQ(secrets("eyJ" + characters(30) + ".eyJ" + characters(9'000)), "");
}

TEST(Secrets, each_is_counted) {
  EXPECT_EQ(secrets("sk-" + hex(32) + " and ghp_" + characters(36) + ", sk-" + hex(32)), "secret 3");
}

TEST(Secrets, a_text_full_of_beginnings_is_read_once) {
  for (const std::string unit : {"sk-", "-eyJ", "://", "SK ", "ghp_", "-----BEGIN ", "Bearer ", "glpat-", "-eyJ-eyJ-.eyJ-eyJ!"}) {
    std::string text;
    while (text.size() < 500'000) text += unit;
    EXPECT_EQ(secrets(text), unit == "glpat-" ? "secret 123" : "") << unit;
  }
}

TEST(Secrets, what_only_looks_like_one) {
  const std::string dashes = "-----";
  for (const std::string& text :
       {dashes + "BEGIN PUBLIC KEY" + dashes, dashes + "BEGIN CERTIFICATE" + dashes,
        std::string("task-oriented-approach-for-teams-2024"), std::string("sk-learn-pipelines-are-nice-to-have"),
        std::string("sk-..."), std::string("set sk-YOUR-API-KEY-HERE-PLEASE-NOW"), "xsk-" + hex(32), "sk-" + characters(19),
        "AKIA" + characters(15, "A2B3C4D5"), "AKIA" + characters(17, "A2B3C4D5"), std::string("eyJ0eXAi.not-a-token"),
        "SK" + hex(31), std::string("key-value"), std::string("Bearer authentication-is-required-here"),
        std::string("https://example.com:8080/path@x"), std::string("https://${USER}:${PASSWORD}@example.com"),
        std::string("http://a@b"), std::string("SG.short.one"), std::string("The hf_hub_download function of the library")})
    EXPECT_EQ(secrets(text), "") << text;
}

}  // namespace
}  // namespace fairlead::content
