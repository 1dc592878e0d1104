#include "plan/head.h"

#include "unit/plan/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead {
namespace {

struct HeadStage : ::testing::Test {
  Snapshot snapshot;
  Key key;
  Head head;

  HeadStage() {
    snapshot.policies_need.network = true;
    snapshot.trusted_proxies = {*parse_network("10.0.0.0/8"), *parse_network("::1")};
    key.request_tags = {"batch", "pilot"};
    head.peer = "192.0.2.7:50312";
  }

  Result<RequestFacts> facts() {
    RequestFacts facts;
    facts.key = &key;
    if (auto added = add_head(facts, head, snapshot); !added) return added.error();
    return facts;
  }
  std::optional<Address> client(std::string_view peer, std::vector<std::string_view> forwarded_for) {
    head.peer = peer;
    head.forwarded_for = std::move(forwarded_for);
    return facts()->client;
  }
};

TEST_F(HeadStage, TheAppsAddressIsThePeersUnlessATrustedProxySaysWhose) {
  EXPECT_EQ(client("192.0.2.7:1", {}), parse_ip("192.0.2.7"));
  EXPECT_EQ(client("[2001:db8::1]:1", {}), parse_ip("2001:db8::1"));
  EXPECT_EQ(client("192.0.2.7:1", {"10.0.0.1"}), parse_ip("192.0.2.7")) << "the app's own word counts for nothing";
  EXPECT_EQ(client("10.0.0.1:1", {"192.0.2.9"}), parse_ip("192.0.2.9"));
  EXPECT_EQ(client("[::1]:1", {"2001:db8::2"}), parse_ip("2001:db8::2"));
  EXPECT_EQ(client("10.0.0.1:1", {"203.0.113.5, 192.0.2.9"}), parse_ip("192.0.2.9")) << "the last one";
  EXPECT_EQ(client("10.0.0.1:1", {"203.0.113.5, 192.0.2.9 ,10.0.0.2"}), parse_ip("192.0.2.9")) << "that is no proxy";
  EXPECT_EQ(client("10.0.0.1:1", {"203.0.113.5", "10.0.0.2"}), parse_ip("203.0.113.5")) << "over all fields";
  EXPECT_EQ(client("10.0.0.1:1", {"192.0.2.9:4711"}), parse_ip("192.0.2.9"));
}

TEST_F(HeadStage, AnAddressThatCannotBeReadIsNotKnown) {
  EXPECT_EQ(client("", {}), std::nullopt);
  EXPECT_EQ(client("10.0.0.1:1", {}), std::nullopt) << "whom does the proxy speak for?";
  EXPECT_EQ(client("10.0.0.1:1", {"10.0.0.2"}), std::nullopt);
  EXPECT_EQ(client("10.0.0.1:1", {"192.0.2.9, unknown"}), std::nullopt) << "and nothing before it is believed";
  EXPECT_EQ(client("10.0.0.1:1", {"192.0.2.9,"}), std::nullopt);
}

TEST_F(HeadStage, TheAddressIsNotLookedAtUnlessAPolicyAsks) {
  snapshot.policies_need.network = false;
  EXPECT_EQ(client("192.0.2.7:1", {}), std::nullopt);
}

TEST_F(HeadStage, ARequestMayAddTheTagsThatItsKeyLetsIt) {
  head.own = {{"X-Fairlead-Tags", " Batch ,, "}, {"x-fairlead-other", "x"}, {"x-fairlead-tags", "pilot"}};
  EXPECT_THAT(facts()->tags, ::testing::ElementsAre("batch", "pilot"));
  head.own = {{"x-fairlead-tags", "batch, internal"}};
  const auto refused = facts();
  ASSERT_FALSE(refused) << "an app that asks for stricter rules is not let go on without them";
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_request);
  EXPECT_EQ(refused.error().param, "x-fairlead-tags");
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("internal"));
}

TEST(HeadFields, AreKnownInAnyCase) {
  EXPECT_TRUE(is_own_field("X-FairLead-Order") && is_forwarded_for("X-Forwarded-For"));
  EXPECT_FALSE(is_own_field("x-fairlea") || is_own_field("y-fairlead-x") || is_forwarded_for("x-forwarded-forx"));
}

}  // namespace
}  // namespace fairlead
