#include "config/stored_keys.h"

#include "config/scalar.h"
#include "unit/config/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TimePoint midday{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::hours(12)};

StoredKey stored(const std::string& name, char digit, const std::string& options = R"({"routes":["chat"]})") {
  StoredKey key;
  key.name = name;
  key.hash = "sha256:" + std::string(64, digit);
  key.options = options;
  key.created_at = midday;
  return key;
}

Loaded load_with(const std::vector<StoredKey>& rows, const std::string& config = small_config) {
  World world;
  world.files["f.yaml"] = config;
  Sources sources = world.sources();
  sources.stored_keys = [&](const std::string&) { return stored_keys(rows, midday); };
  return load("f.yaml", sources);
}

std::vector<std::string> names(const Loaded& loaded) {
  std::vector<std::string> all;
  for (const Key& key : loaded.snapshot->keys) all.push_back(key.name + (key.stored ? " stored" : ""));
  return all;
}

TEST(StoredKeyTexts, AreKeysLikeThoseOfTheFileAndBehindThem) {
  const auto loaded =
      load_with({stored("shop", 'a', R"({"team":"sales","project":"x","routes":["chat"],"tags":["A"],"targets":true})")});
  ASSERT_TRUE(loaded.snapshot);
  EXPECT_THAT(loaded.findings, IsEmpty());
  EXPECT_THAT(names(loaded), ElementsAre("app", "shop stored"));
  const Key& key = loaded.snapshot->keys[1];
  EXPECT_EQ(key.index, 1);
  EXPECT_EQ(key.team + "/" + key.project, "sales/x");
  EXPECT_THAT(key.tags, ElementsAre("a"));
  EXPECT_TRUE(key.may_name_targets);
  EXPECT_EQ(key.sha256.front(), 0xaa);
  ASSERT_EQ(key.routes.size(), 1U);
  EXPECT_EQ(key.routes.front()->name, "chat");
}

TEST(StoredKeyTexts, AreInTheSnapshotsHash) {
  const std::string none = load_with({}).snapshot->hash, one = load_with({stored("shop", 'a')}).snapshot->hash;
  World world;
  world.files["f.yaml"] = small_config;
  EXPECT_EQ(none, world.load().snapshot->hash);
  EXPECT_NE(none, one);
  EXPECT_NE(one, load_with({stored("shop", 'b')}).snapshot->hash);
  EXPECT_EQ(one, load_with({stored("shop", 'a')}).snapshot->hash);
}

TEST(StoredKeyTexts, PoliciesAreAboutThemToo) {
  const std::string config = small_config + "policies: [{name: p, when: {team: [sales]}, deny: {origin: [CN]}, reason: r}]\n";
  const auto loaded = load_with({stored("shop", 'a', R"({"team":"sales","routes":["chat"]})")}, config);
  ASSERT_TRUE(loaded.snapshot);
  ASSERT_TRUE(loaded.snapshot->policies.front().when.keys);
  EXPECT_TRUE(loaded.snapshot->policies.front().when.keys->has(1));
  EXPECT_FALSE(loaded.snapshot->policies.front().when.keys->has(0));
}

TEST(StoredKeyTexts, OfRevokedKeysAreGoneAndOnlyTheirNamesAreKnown) {
  StoredKey gone = stored("shop", 'a');
  gone.revoked_at = midday;
  const std::string config = small_config + "policies: [{name: p, when: {key: [shop]}, deny: {origin: [CN]}, reason: r}]\n";
  const auto loaded = load_with({gone}, config);
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  EXPECT_THAT(names(loaded), ElementsAre("app"));
  EXPECT_FALSE(load_with({}, config).snapshot) << "a name that nobody ever had is a mistake";
}

TEST(StoredKeyTexts, HoldFormerSecretsWhileTheirGraceLasts) {
  StoredKey former = stored("shop", 'a'), ended = stored("shop", 'c');
  former.replaced_at = ended.replaced_at = midday - std::chrono::hours(1);
  former.ends_at = midday + std::chrono::milliseconds(1500);
  ended.ends_at = midday;
  const auto loaded = load_with({ended, former, stored("shop", 'b')});
  ASSERT_TRUE(loaded.snapshot);
  const Key& key = loaded.snapshot->keys.at(1);
  EXPECT_EQ(key.sha256.front(), 0xbb);
  ASSERT_EQ(key.former.size(), 1U);
  EXPECT_EQ(key.former.front().sha256.front(), 0xaa);
  EXPECT_EQ(key.former.front().until, midday + std::chrono::seconds(2)) << "not before the grace has ended";
  ASSERT_EQ(loaded.snapshot->ended_secrets.size(), 1U) << "so that whoever still uses it can be told from a stranger";
  EXPECT_EQ(loaded.snapshot->ended_secrets.front().sha256.front(), 0xcc);
  EXPECT_EQ(loaded.snapshot->ended_secrets.front().key, "shop");
}

TEST(StoredKeyTexts, GiveWayToTheFileWhenBothNameOne) {
  const auto same_name = load_with({stored("app", 'a')});
  ASSERT_TRUE(same_name.snapshot);
  EXPECT_THAT(names(same_name), ElementsAre("app"));
  EXPECT_EQ(same_name.snapshot->keys[0].sha256.front(), 0x00);
  EXPECT_THAT(warnings(same_name), ElementsAre(HasSubstr("a key of this name too, and that one holds")));

  StoredKey same = stored("other", 'a');
  same.hash = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  const auto same_hash = load_with({same});
  ASSERT_TRUE(same_hash.snapshot);
  EXPECT_THAT(names(same_hash), ElementsAre("app"));
  EXPECT_THAT(warnings(same_hash), ElementsAre(HasSubstr("a key of this hash too")));
}

TEST(StoredKeyTexts, ThatAreNotUnderstoodAreLeftOutWholeAndTakeNothingElseDown) {
  for (const char* options :
       {R"({"routes":["chat"],"expires_at":"soon"})", R"({"routes":["chat"],"no_such_option":1})", R"({"routes":[]})",
        R"({"team":"sales"})", "[]", "nonsense", R"({"routes":["chat"],"team":"${env:HOME}"})"}) {
    const auto loaded = load_with({stored("bad", 'a', options), stored("good", 'b')});
    ASSERT_TRUE(loaded.snapshot) << options;
    EXPECT_THAT(names(loaded), ElementsAre("app", "good stored")) << options;
    EXPECT_THAT(warnings(loaded), testing::Contains(HasSubstr("ledger key bad: warning: the key is refused"))) << options;
  }
}

TEST(StoredKeyTexts, ThatAreNotUnderstoodLetNoFileBeReadTwice) {
  World world;
  Sources sources = world.sources();
  int reads = 0;
  sources.read_file = [&](const std::string&) -> std::optional<std::string> {
    return ++reads == 1 ? small_config : small_config + "dney: {}\n";
  };
  sources.stored_keys = [](const std::string&) { return stored_keys({stored("bad", 'a', "[]")}, midday); };
  const auto loaded = load("f.yaml", sources);
  EXPECT_EQ(reads, 1);
  ASSERT_TRUE(loaded.snapshot);
  EXPECT_EQ(loaded.snapshot->hash, load_with({}).snapshot->hash);
}

TEST(StoredKeyTexts, ThatAreNotUnderstoodHideNoErrorThatIsThereWithoutThem) {
  World world;
  Sources sources = world.sources();
  std::string config = small_config;
  config.replace(config.find("region: ZA"), 10, "region: ${env:REGION}");
  sources.read_file = [&](const std::string&) { return config; };
  int asked = 0;
  sources.environment = [&](const std::string&) { return ++asked == 1 ? std::optional<std::string>("ZA") : std::nullopt; };
  sources.stored_keys = [](const std::string&) { return stored_keys({stored("bad", 'a', "[]")}, midday); };
  const auto loaded = load("f.yaml", sources);
  EXPECT_FALSE(loaded.snapshot);
  EXPECT_THAT(errors(loaded), ElementsAre(HasSubstr("the environment variable REGION is not set")));
}

TEST(StoredKeyTexts, ThatAreNotUnderstoodLetNoOtherOfTheirKindIn) {
  const char* twice_a_day = R"({"routes":["chat"],"budget":[{"usd":"1","per":"day"},{"usd":"2","per":"day"}]})";
  const auto loaded = load_with({stored("first", 'a', twice_a_day), stored("second", 'a', twice_a_day)});
  ASSERT_TRUE(loaded.snapshot);
  EXPECT_THAT(names(loaded), ElementsAre("app")) << "the second is looked at once the first no longer stands before it";
}

TEST(StoredKeyTexts, ByWhichAnAssertionIsBrokenAreLeftOut) {
  World world;
  world.files["f.yaml"] = small_config + "assertions: [{name: a, never: {target: {origin: CN}}}]\n";
  world.now = [] { return midday; };
  Sources sources = world.sources();
  sources.stored_keys = [](const std::string&) { return stored_keys({stored("bad", 'a'), stored("good", 'b')}, midday); };
  int asked = 0;
  sources.prove = [&](const Snapshot& snapshot, TimePoint now) {
    EXPECT_EQ(now, midday);
    ++asked;
    std::vector<Unproved> told;
    for (const Key& key : snapshot.keys)
      if (key.name == "bad") told.push_back({&snapshot.assertions.at(0), &key, "does not hold: why", "a hint"});
    return told;
  };
  const auto loaded = load("f.yaml", sources);
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  EXPECT_THAT(names(loaded), ElementsAre("app", "good stored"));
  EXPECT_THAT(warnings(loaded), ElementsAre("ledger key bad: warning: with this key the assertion 'a' does not hold: why; a hint",
                                            HasSubstr("ledger key bad: warning: the key is refused until this is mended")));
  EXPECT_EQ(asked, 2) << "once more of what is left";
}

TEST(StoredKeyTexts, LoseRoutesThatAreGoneAndNothingElse) {
  const auto loaded = load_with({stored("shop", 'a', R"({"routes":["chat","former"]})")});
  ASSERT_TRUE(loaded.snapshot);
  EXPECT_EQ(loaded.snapshot->keys.at(1).routes.size(), 1U);
  EXPECT_THAT(warnings(loaded), ElementsAre(HasSubstr("no route 'former'")));
}

TEST(StoredKeyTexts, TakeOptionsAsYaml) {
  EXPECT_EQ(*json_of_yaml("{usd: \"500.00\", per: month}"), R"({"usd":"500.00","per":"month"})");
  EXPECT_EQ(*json_of_yaml("[a, b]"), R"(["a","b"])");
  EXPECT_FALSE(json_of_yaml("{usd: "));
}

TEST(KeyOptions, ExpiryAndFormerSecretsStandInFilesToo) {
  World world;
  world.files["f.yaml"] = small_config + "    expires_at: 2027-01-31T12:00Z\n    former: [{hash: \"sha256:" + std::string(64, 'd') +
                          "\", until: 2026-12-01}]\n";
  const auto loaded = world.load();
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  const Key& key = loaded.snapshot->keys.front();
  EXPECT_EQ(key.expires_at, parse_instant("2027-01-31T12:00Z"));
  ASSERT_EQ(key.former.size(), 1U);
  EXPECT_EQ(key.former.front().until, parse_instant("2026-12-01"));

  world.now = [] { return *parse_instant("2027-02-01"); };
  EXPECT_THAT(warnings(world.load()), testing::Contains(HasSubstr("'app' has expired")));
}

}  // namespace
}  // namespace fairlead::config
