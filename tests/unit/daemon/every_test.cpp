#include "daemon/every.h"

#include <gtest/gtest.h>

#include <chrono>

namespace fairlead::daemon {
namespace {

constexpr std::chrono::milliseconds at_once{0};

TEST(Every, is_done_again_until_the_stop) {
  asio::io_context io;
  int done = 0;
  Every every(io.get_executor(), at_once, [&] {
    if (++done == 3) every.stop();
  });
  every.start();
  io.run();  // ends, as nothing is waited for after the stop
  EXPECT_EQ(done, 3);
}

TEST(Every, a_stop_holds_though_the_time_has_come_already) {
  asio::io_context io;
  int done = 0;
  Every second(io.get_executor(), at_once, [&] { ++done; });
  Every first(io.get_executor(), at_once, [&] {
    first.stop();
    second.stop();
  });
  first.start();
  second.start();  // the times of both come together
  io.run_for(std::chrono::seconds(10));
  EXPECT_TRUE(io.stopped());
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace fairlead::daemon
