#include <fairlead/network.h>

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Network, HoldsWhatItsPrefixSays) {
  struct Row {
    const char *network, *inside, *outside;
  };
  for (const Row& row : {Row{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"}, Row{"192.0.2.0/25", "192.0.2.127", "192.0.2.128"},
                         Row{"192.0.2.7", "192.0.2.7", "192.0.2.6"}, Row{"0.0.0.0/0", "255.255.255.255", "2001:db8::1"},
                         Row{"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"}, Row{"::1", "::1", "::2"},
                         Row{"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"}}) {
    const auto network = parse_network(row.network);
    ASSERT_TRUE(network) << row.network;
    EXPECT_TRUE(network->holds(*parse_ip(row.inside))) << row.network;
    EXPECT_FALSE(network->holds(*parse_ip(row.outside))) << row.network;
  }
  EXPECT_TRUE(parse_network("::/0")->holds(*parse_ip("10.0.0.1")));
}

TEST(Network, WhatWasMistypedIsNone) {
  for (const char* text : {"", "10", "10.0.0", "10.0.0.256", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x",
                           "10.0.0.0/8/8", "2001:db8::/129", "2001:db8::1/64", "::g", "example.com", " 10.0.0.0/8", "[::1]"})
    EXPECT_FALSE(parse_network(text)) << text;
}

TEST(Network, AnAddressIsToldAsItIsRead) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "::1", "fe80::1"})
    EXPECT_EQ(to_string(*parse_ip(text)), text);
  EXPECT_EQ(to_string(*parse_ip("::ffff:10.0.0.1")), "10.0.0.1");
}

TEST(Network, APeerIsAnAddressAndAPort) {
  EXPECT_EQ(parse_peer("192.0.2.7:443"), parse_ip("192.0.2.7"));
  EXPECT_EQ(parse_peer("[2001:db8::1]:443"), parse_ip("2001:db8::1"));
  EXPECT_EQ(parse_peer("[fe80::1%eth0]:443"), parse_ip("fe80::1"));
  EXPECT_EQ(parse_ip("::ffff:192.0.2.7"), parse_ip("192.0.2.7"));
  for (const char* text : {"", ":", "192.0.2.7", "x:1"}) EXPECT_FALSE(parse_peer(text)) << text;
}

}  // namespace
}  // namespace fairlead
