// No signal is lost, however early it comes.
#include "daemon/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <vector>

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST(Signals, from_before_the_start_are_taken_at_the_start) {
  Signals::block();
  ::kill(::getpid(), SIGHUP);
  ::kill(::getpid(), SIGTERM);
  asio::io_context io;
  std::vector<int> taken;
  Signals signals(io.get_executor(), [&](int number) { taken.push_back(number); });
  ASSERT_TRUE(signals.start());
  while (taken.size() < 2) io.run_one();
  EXPECT_THAT(taken, UnorderedElementsAre(SIGHUP, SIGTERM));
}

TEST(Signals, are_taken_one_after_the_other_until_the_stop) {
  Signals::block();
  asio::io_context io;
  std::vector<int> taken;
  Signals signals(io.get_executor(), [&](int number) {
    taken.push_back(number);
    if (number == SIGINT) return signals.stop();
    ::kill(::getpid(), taken.size() < 3 ? SIGHUP : SIGINT);  // while one is being taken
  });
  ASSERT_TRUE(signals.start());
  ::kill(::getpid(), SIGHUP);
  io.run();  // ends, as nothing is waited for after the stop
  EXPECT_THAT(taken, ElementsAre(SIGHUP, SIGHUP, SIGHUP, SIGINT));
}

}  // namespace
}  // namespace fairlead::daemon
