#include "plan/authenticate.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <string>
#include <vector>

namespace fairlead {
namespace {

/// From `printf %s sk-first | sha256sum`, and so on.
constexpr const char* first_sha256 = "2a19f16bb2586edf26ab5186503c69b4b6e37edcd08ab5c98c97f5320c5ed5c5";
constexpr const char* last_sha256 = "e8fced9bcd3bb53e297b1b3f600bb83819c10247ca5a05c465eefd619aba5e59";

Key key(const std::string& name, const std::string& hex) {
  Key key;
  key.name = name;
  for (std::size_t i = 0; i < key.sha256.size(); ++i)
    key.sha256[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(i * 2, 2), nullptr, 16));
  return key;
}

constexpr TimePoint noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::hours(12)};

struct Authenticate : ::testing::Test {
  Snapshot snapshot;
  Authenticate() {
    snapshot.keys.push_back(key("first", first_sha256));
    snapshot.keys.push_back(key("last", last_sha256));
    index_secrets(snapshot);
  }
};

TEST_F(Authenticate, FindsTheKeyByItsDigestWhateverTheCaseOfTheScheme) {
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER ", "bEaReR "}) {
    const auto first = authenticate(std::string(scheme) + "sk-first", snapshot, noon);
    ASSERT_TRUE(first) << scheme;
    EXPECT_EQ((*first)->name, "first");
    EXPECT_EQ((*authenticate(std::string(scheme) + "sk-last", snapshot, noon))->name, "last");
  }
}

TEST_F(Authenticate, M53M57EverythingElseIsRefusedWithOneConstantMessage) {
  const std::string long_key(1 << 20, 'k');
  std::vector<std::string> headers{"",
                                   "Bearer",
                                   "Bearer ",
                                   "sk-first",
                                   "Basic sk-first",
                                   "Bearersk-first",
                                   " Bearer sk-first",
                                   "Bearer\tsk-first",
                                   "Bearer  sk-first",
                                   "Bearer sk-firs",
                                   "Bearer sk-firsts",
                                   "Bearer sk-First",
                                   "Bearer sk-first ",
                                   "Bearer sk-first, Bearer sk-last",
                                   std::string("Bearer sk-first\0", 16),
                                   std::string("Bearer \0", 8),
                                   std::string("Bearer ") + first_sha256,
                                   std::string("Bearer sha256:") + first_sha256,
                                   "Bearer first",
                                   "Bearer " + long_key,
                                   "Bearer sk-first" + long_key,
                                   long_key};
  std::string message;
  for (const std::string& header : headers) {
    const auto result = authenticate(header, snapshot, noon);
    ASSERT_FALSE(result) << header.substr(0, 80);
    EXPECT_EQ(result.error().kind, ErrorKind::unauthorized);
    EXPECT_TRUE(result.error().detail().empty() && result.error().param().empty());
    if (message.empty()) message = result.error().message();
    EXPECT_EQ(result.error().message(), message);
  }
  EXPECT_EQ(message.find("sk-"), std::string::npos);
}

TEST_F(Authenticate, M51InjectionsAreKeysThatNobodyHas) {
  for (const char* payload : {"' OR '1'='1",
                              "' OR 1=1 --",
                              "\" OR \"\"=\"",
                              "'; DROP TABLE keys; --",
                              "sk-first' --",
                              "sk-first'/*",
                              "sk-first\" or 1=1",
                              "%27%20OR%201=1",
                              "1; SELECT pg_sleep(10)",
                              "' UNION SELECT hash FROM keys --",
                              "admin'--",
                              "*",
                              "%",
                              "_________",
                              "sk-%",
                              "\\",
                              "\\'",
                              "null",
                              "undefined",
                              "true",
                              "{}",
                              "[]",
                              "${env:KEY}",
                              "{{key}}",
                              "../../etc/passwd",
                              "\xff\xfe",
                              "\xef\xbb\xbfsk-first"}) {
    const auto result = authenticate(std::string("Bearer ") + payload, snapshot, noon);
    ASSERT_FALSE(result) << payload;
    EXPECT_EQ(result.error().kind, ErrorKind::unauthorized);
  }
}

TEST_F(Authenticate, M53AKeyIsRefusedFromTheMomentOfItsExpiryOnAsOneThatNobodyHas) {
  snapshot.keys[0].expires_at = noon;
  EXPECT_TRUE(authenticate("Bearer sk-first", snapshot, noon - std::chrono::microseconds(1)));
  const auto unknown = authenticate("Bearer sk-unknown", snapshot, noon);
  for (const TimePoint at : {noon, noon + std::chrono::hours(1)}) {
    const auto expired = authenticate("Bearer sk-first", snapshot, at);
    ASSERT_FALSE(expired);
    EXPECT_EQ(expired.error().message(), unknown.error().message());
    EXPECT_EQ(expired.error().detail(), "the key 'first' has expired") << "for the log";
  }
  EXPECT_EQ(unknown.error().detail(), "");
  EXPECT_TRUE(authenticate("Bearer sk-last", snapshot, noon));
}

TEST_F(Authenticate, AFormerSecretHoldsUntilItsGraceEndsAndNoLongerThanItsKey) {
  const auto last = snapshot.keys[1].sha256;
  snapshot.keys.pop_back();
  snapshot.keys[0].former.push_back({last, noon});
  index_secrets(snapshot);
  const auto before = noon - std::chrono::seconds(1);
  const auto found = authenticate("Bearer sk-last", snapshot, before);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, *authenticate("Bearer sk-first", snapshot, before));
  const auto over = authenticate("Bearer sk-last", snapshot, noon);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().detail(), "a former secret of the key 'first', whose grace is over");
  EXPECT_TRUE(authenticate("Bearer sk-first", snapshot, noon));
  snapshot.keys[0].expires_at = before;
  EXPECT_FALSE(authenticate("Bearer sk-last", snapshot, before));
}

TEST_F(Authenticate, WithoutKeysNobodyGetsIn) {
  EXPECT_FALSE(authenticate("Bearer sk-first", Snapshot{}, noon));
  EXPECT_FALSE(authenticate("", Snapshot{}, noon));
}

TEST_F(Authenticate, AKeyOfAbsurdLengthIsRefusedUnhashedEvenIfItIsOne) {
  snapshot.keys.push_back(key("of 512 bytes", "789a49fcfe20dccddb0f9266345989ae51c3333847df3bc45400d1b04033a565"));
  snapshot.keys.push_back(key("of 513 bytes", "45a7c7ef95c3417e800362f5672aba16da807261fe7121f3a81b0a0fb6b9a05c"));
  index_secrets(snapshot);
  EXPECT_TRUE(authenticate("Bearer " + std::string(512, 'k'), snapshot, noon));
  EXPECT_FALSE(authenticate("Bearer " + std::string(513, 'k'), snapshot, noon));
}

TEST_F(Authenticate, AKeyThatWasNeverSetMatchesNothing) {
  snapshot.keys.assign(1, Key{});
  index_secrets(snapshot);
  for (const char* header : {"", "Bearer ", "Bearer x"}) EXPECT_FALSE(authenticate(header, snapshot, noon)) << header;
}

TEST_F(Authenticate, EachOfManyKeysIsFoundAndNoOther) {
  constexpr int count = 10'000;
  const auto secret = [](int number) { return "sk-" + std::to_string(number); };
  snapshot.keys.clear();
  for (int i = 0; i < count; ++i) {
    Key& made = snapshot.keys.emplace_back();
    SHA256(reinterpret_cast<const unsigned char*>(secret(i).data()), secret(i).size(), made.sha256.data());
    if (i % 10 != 0) continue;
    FormerSecret& former = made.former.emplace_back(FormerSecret{{}, noon});
    SHA256(reinterpret_cast<const unsigned char*>(secret(-i - 1).data()), secret(-i - 1).size(), former.sha256.data());
  }
  index_secrets(snapshot);
  for (int i = 0; i < count; ++i) {
    const auto found = authenticate("Bearer " + secret(i), snapshot, noon);
    ASSERT_TRUE(found) << i;
    ASSERT_EQ(*found, &snapshot.keys[static_cast<std::size_t>(i)]);
    const auto former = authenticate("Bearer " + secret(-i - 1), snapshot, noon - std::chrono::seconds(1));
    ASSERT_EQ(former.has_value(), i % 10 == 0) << i;
    if (former) {
      ASSERT_EQ(*former, *found);
    }
    ASSERT_FALSE(authenticate("Bearer " + secret(-i - 1), snapshot, noon));
    ASSERT_FALSE(authenticate("Bearer " + secret(count + i), snapshot, noon));
  }
}

}  // namespace
}  // namespace fairlead
