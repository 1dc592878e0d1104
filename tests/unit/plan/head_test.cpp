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
  std::unique_ptr<Wishes> wishes;

  HeadStage() {
    snapshot.policies_need.network = true;
    snapshot.trusted_proxies = {*parse_network("10.0.0.0/8"), *parse_network("::1")};
    key.request_tags = {"batch", "pilot"};
    head.peer = "192.0.2.7:50312";
  }

  Result<RequestFacts> facts() {
    RequestFacts facts;
    facts.key = &key;
    if (auto added = add_head(facts, wishes, head, snapshot); !added) return added.error();
    return facts;
  }
  std::string fault(std::string_view name, std::string_view value) {
    head.own = {{name, value}};
    wishes.reset();
    const auto got = facts();
    return got ? "" : got.error().param();
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
  head.own = {{"X-Fairlead-Tags", " Batch ,, "}, {"x-fairlead-tags", "pilot"}};
  EXPECT_THAT(facts()->tags, ::testing::ElementsAre("batch", "pilot"));
  head.own = {{"x-fairlead-tags", "batch, internal"}};
  const auto refused = facts();
  ASSERT_FALSE(refused) << "an app that asks for stricter rules is not let go on without them";
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_request);
  EXPECT_EQ(refused.error().param(), "x-fairlead-tags");
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("internal"));
}

TEST_F(HeadStage, WishesComeInTheHeadToo) {
  EXPECT_EQ(facts()->wishes, nullptr);
  head.own = {{"X-Fairlead-Only", "deepseek, azure/DeepSeek-V3.1"},
              {"x-fairlead-ignore", "qwen"},
              {"x-fairlead-order", "b,a"},
              {"x-fairlead-models", "chat"},
              {"x-fairlead-sort", "latency"},
              {"x-fairlead-data-collection", "deny"},
              {"x-fairlead-allow-fallbacks", "false"},
              {"x-fairlead-require-parameters", "true"},
              {"x-fairlead-max-price-input", "0.5"},
              {"x-fairlead-max-price-output", "2"}};
  const auto got = facts();
  ASSERT_TRUE(got) << got.error().message();
  const Wishes& w = *got->wishes;
  EXPECT_THAT(w.only, ::testing::ElementsAre("deepseek", "azure/DeepSeek-V3.1"));
  EXPECT_THAT(w.ignore, ::testing::ElementsAre("qwen"));
  EXPECT_THAT(w.order, ::testing::ElementsAre("b", "a"));
  EXPECT_THAT(w.models, ::testing::ElementsAre("chat"));
  EXPECT_EQ(w.sort, Wishes::Sort::latency);
  EXPECT_TRUE(w.keep_nothing && !w.fallbacks && w.require_parameters);
  EXPECT_TRUE(w.max_input_price == parse_decimal("0.5").value() && w.max_output_price == parse_decimal("2").value());
}

TEST_F(HeadStage, AWishThatIsNotUnderstoodIsRefused) {
  EXPECT_EQ(fault("X-Fairlead-Onyl", "a"), "x-fairlead-onyl");
  EXPECT_EQ(fault("x-fairlead-", "a"), "x-fairlead-");
  EXPECT_EQ(fault("x-fairlead-only", ""), "x-fairlead-only");
  EXPECT_EQ(fault("x-fairlead-only", "a,,b"), "x-fairlead-only");
  EXPECT_EQ(fault("x-fairlead-sort", "Price"), "x-fairlead-sort");
  EXPECT_EQ(fault("x-fairlead-data-collection", "no"), "x-fairlead-data-collection");
  EXPECT_EQ(fault("x-fairlead-allow-fallbacks", "0"), "x-fairlead-allow-fallbacks");
  EXPECT_EQ(fault("x-fairlead-max-price-input", "1e3"), "x-fairlead-max-price-input");
}

TEST_F(HeadStage, WhatWasWishedMayBeSaidAgainButNotInAnotherWay) {
  struct Row {
    const char *name, *same, *other;
  };
  for (const Row& row :
       {Row{"x-fairlead-only", "a, b", "a"}, Row{"x-fairlead-ignore", "a", "b"}, Row{"x-fairlead-order", "a,b", "b,a"},
        Row{"x-fairlead-models", "a", "a,b"}, Row{"x-fairlead-sort", "price", "latency"},
        Row{"x-fairlead-max-price-input", "0.5", "0.4"}, Row{"x-fairlead-max-price-output", "2.0", "3"}}) {
    wishes = nullptr;
    head.own = {{row.name, row.same}, {row.name, row.same}};
    EXPECT_TRUE(facts()) << row.name;
    wishes = nullptr;
    head.own = {{row.name, row.same}, {row.name, row.other}};
    const auto refused = facts();
    ASSERT_FALSE(refused) << row.name;
    EXPECT_EQ(refused.error().param(), row.name);
    EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("contradicts"));
  }
}

TEST_F(HeadStage, WhatTheBodyWishesIsNotContradicted) {
  wishes = std::make_unique<Wishes>();
  wishes->only = {"deepseek"};
  head.own = {{"x-fairlead-only", "qwen"}};
  ASSERT_FALSE(facts());
  head.own = {{"x-fairlead-only", "deepseek"}};
  ASSERT_TRUE(facts());
  head.own = {{"x-fairlead-order", "qwen"}, {"x-fairlead-data-collection", "allow"}};
  wishes->keep_nothing = true;
  ASSERT_TRUE(facts());
  EXPECT_TRUE(wishes->keep_nothing) << "the narrower of the two";
  EXPECT_THAT(wishes->only, ::testing::ElementsAre("deepseek"));
}

TEST(HeadFields, AreKnownInAnyCase) {
  EXPECT_TRUE(is_own_field("X-FairLead-Order") && is_forwarded_for("X-Forwarded-For"));
  EXPECT_FALSE(is_own_field("x-fairlea") || is_own_field("y-fairlead-x") || is_forwarded_for("x-forwarded-forx"));
}

}  // namespace
}  // namespace fairlead
