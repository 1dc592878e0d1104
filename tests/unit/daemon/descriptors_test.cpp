#include "daemon/descriptors.h"

#include <gtest/gtest.h>

namespace fairlead::daemon {
namespace {

TEST(Descriptors, half_of_what_is_left_is_for_apps) {
  for (const std::size_t workers : {1, 2, 64})
    for (const std::size_t connections : {1, 7, 10'000}) {
      const std::size_t enough = descriptors_for(connections, workers, 3);
      EXPECT_EQ(connections_cap(enough, workers, 3), connections);
      EXPECT_EQ(connections_cap(enough - 1, workers, 3), connections > 1 ? connections - 1 : 1);
      EXPECT_EQ(descriptors_for(connections, workers, 10), enough + 7 * workers) << "each worker has all listeners";
      EXPECT_GT(enough, 2 * workers * connections) << "some are for the program itself";
    }
  EXPECT_EQ(connections_cap(0, 4, 1), 1U) << "nobody at all would be no service";
}

}  // namespace
}  // namespace fairlead::daemon
