#include "wire/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace fairlead::wire {
namespace {

constexpr int gzip = MAX_WBITS + 16;
constexpr int zlib = MAX_WBITS;
constexpr int raw = -MAX_WBITS;
constexpr std::size_t mebibyte = 1 << 20;

std::string compress(std::string_view text, int window_bits) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}

std::string varied_text() {
  std::string text;
  for (int i = 0; i < 400; ++i) text += std::to_string(i * 7919) + ",";
  return text;
}

TEST(Inflate, GzipAndZlibComeBackWhole) {
  for (int format : {gzip, zlib}) {
    Inflater inflater;
    std::string out;
    ASSERT_TRUE(inflater.feed(compress(varied_text(), format), out, mebibyte));
    EXPECT_EQ(out, varied_text());
    EXPECT_TRUE(inflater.finished());
  }
}

TEST(Inflate, CutAtEveryByteTheContentIsTheSameAndOnlyTheLastByteEndsIt) {
  const std::string packed = compress(varied_text(), gzip);
  for (std::size_t cut = 0; cut < packed.size(); ++cut) {
    Inflater inflater;
    std::string out;
    ASSERT_TRUE(inflater.feed(packed.substr(0, cut), out, mebibyte));
    ASSERT_FALSE(inflater.finished()) << cut;
    ASSERT_TRUE(inflater.feed(packed.substr(cut), out, mebibyte));
    ASSERT_TRUE(inflater.finished()) << cut;
    ASSERT_EQ(out, varied_text()) << cut;
  }
}

TEST(Inflate, SeveralGzipMembersAreOneContentHoweverTheyAreCut) {
  const std::string packed = compress("one ", gzip) + compress("", gzip) + compress("two", gzip);
  for (std::size_t cut = 0; cut <= packed.size(); ++cut) {
    Inflater inflater;
    std::string out;
    ASSERT_TRUE(inflater.feed(packed.substr(0, cut), out, mebibyte));
    ASSERT_TRUE(inflater.feed(packed.substr(cut), out, mebibyte));
    ASSERT_TRUE(inflater.finished()) << cut;
    ASSERT_EQ(out, "one two") << cut;
  }
}

TEST(Inflate, ABombIsRefusedAtTheLimit) {  // M36: 1:1000
  const std::string packed = compress(std::string(16 * mebibyte, 'a'), gzip);
  ASSERT_LT(packed.size(), 16 * mebibyte / 900);
  Inflater inflater;
  std::string out;
  const auto fed = inflater.feed(packed, out, mebibyte);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().kind, ErrorKind::body_too_large);
  EXPECT_LE(out.size(), mebibyte);
}

TEST(Inflate, TheLimitIsInclusive) {
  const std::string packed = compress(std::string(100'000, 'a'), zlib);
  for (std::size_t out_max : {100'000, 99'999}) {
    Inflater inflater;
    std::string out;
    EXPECT_EQ(inflater.feed(packed, out, out_max).has_value(), out_max == 100'000);
  }
}

TEST(Inflate, WhatIsNotGzipOrZlibIsRefused) {
  std::string flipped = compress(varied_text(), gzip);
  flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);  // in the checksum
  std::string dictionary = compress("x", zlib);
  dictionary[1] = static_cast<char>(0xbb);  // asks for a preset dictionary
  const struct {
    const char* what;
    std::string bytes;
  } cases[] = {
      {"plain text", "{\"model\": \"chat\"}"},
      {"raw deflate", compress("abc", raw)},
      {"wrong checksum", flipped},
      {"preset dictionary", dictionary},
      {"bytes after zlib", compress("abc", zlib) + "x"},
      {"bytes after gzip", compress("abc", gzip) + "garbage"},
      {"zlib after gzip", compress("abc", gzip) + compress("abc", zlib)},
  };
  for (const auto& c : cases) {
    Inflater inflater;
    std::string out;
    const auto fed = inflater.feed(c.bytes, out, mebibyte);
    ASSERT_FALSE(fed) << c.what;
    EXPECT_EQ(fed.error().kind, ErrorKind::bad_request) << c.what;
  }
}

}  // namespace
}  // namespace fairlead::wire
