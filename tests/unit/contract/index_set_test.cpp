#include <fairlead/policy.h>

#include <gtest/gtest.h>

namespace fairlead {
namespace {

IndexSet set_of(std::initializer_list<int> indexes) {
  IndexSet set;
  for (const int index : indexes) set.add(index);
  return set;
}

TEST(IndexSet, HoldsWhatWasAdded) {
  const IndexSet set = set_of({0, 63, 64, 300});
  for (const int index : {0, 63, 64, 300}) EXPECT_TRUE(set.has(index)) << index;
  for (const int index : {1, 62, 65, 299, 301, 100'000}) EXPECT_FALSE(set.has(index)) << index;
}

TEST(IndexSet, EqualSetsAreEqualHoweverTheyCameAbout) {
  IndexSet set = set_of({1, 300});
  set.remove(300);
  set.remove(1'000);
  EXPECT_EQ(set, set_of({1}));
  set.keep(set_of({1, 2, 3}));
  EXPECT_EQ(set, set_of({1}));
  set.keep(set_of({200}));
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set, IndexSet{});
}

}  // namespace
}  // namespace fairlead
