#include <fairlead/policy.h>
#include <fairlead/snapshot.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead {
namespace {

struct World {
  Provider provider;
  Model model;
  Target target;
  World() {
    target.provider = &provider;
    target.model = &model;
  }
};

TEST(Policy, DenyTakesAllGroupsOfANameInWhateverCase) {
  World world;
  const std::vector<RegionGroup> groups{{"gcc", {"US"}}, {"GCC", {"SA"}}};
  for (const char* country : {"US", "SA", "gcc", "GCC"}) {
    world.provider.facts.region = country;
    for (const char* named : {"gcc", "GCC", "Gcc"})
      EXPECT_TRUE(may_have(world.target, {Fact::region, {named}}, groups)) << country << " " << named;
  }
  world.provider.facts.region = "Gcc";
  EXPECT_TRUE(may_have(world.target, {Fact::region, {"SA"}}, groups));
  EXPECT_TRUE(may_have(world.target, {Fact::region, {"US"}}, groups));
  world.provider.facts.region = "SA";
  EXPECT_TRUE(states(world.target, {Fact::region, {"GCC"}}, groups, {}));
  EXPECT_FALSE(states(world.target, {Fact::region, {"gcc"}}, groups, {})) << "`allow` compares exactly";
}

TEST(Policy, DenyMindsNoCaseOfLabels) {
  World world;
  world.provider.facts.labels = {{"export-restricted", TimePoint::max()}};
  EXPECT_TRUE(may_have(world.target, {Fact::label, {"Export-Restricted"}}, {}));
  EXPECT_FALSE(may_have(world.target, {Fact::label, {"export"}}, {}));
  EXPECT_FALSE(states(world.target, {Fact::label, {"Export-Restricted"}}, {}, {})) << "`allow` compares exactly";
}

}  // namespace
}  // namespace fairlead
