#include "exchange/drain.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace fairlead::exchange {
namespace {

struct Draining : ::testing::Test {
  asio::io_context io{1};
  net::Cancel app;
  Provider provider;
  net::SendReport report;
  Draining() {
    provider.drain_ms_max = Milliseconds(3'600'000);
    report.bytes_sent = true;
  }
  Drain drain(std::size_t bytes_max = 100) { return {app, provider, report, bytes_max, io.get_executor()}; }
};

TEST_F(Draining, WithoutItTheAppsLeavingEndsTheWork) {
  provider.drain_ms_max.reset();
  const auto own = drain();
  EXPECT_FALSE(own.possible());
  app.request();
  EXPECT_FALSE(own.active());
  EXPECT_EQ(&Drain(app, provider, report, 1, io.get_executor()).cancel(), &app);
}

TEST_F(Draining, WithItTheWorkGoesOn) {
  auto own = drain();
  EXPECT_TRUE(own.possible());
  EXPECT_FALSE(own.active());
  app.request();
  EXPECT_TRUE(own.active());
  EXPECT_FALSE(own.cancel().requested());
}

TEST_F(Draining, NothingIsSentForAnAppThatHasLeft) {
  report = {};
  auto own = drain();
  app.request();
  EXPECT_TRUE(own.cancel().requested());
  EXPECT_EQ(own.cancel().reason(), net::Cancel::Reason::app_gone);
}

TEST_F(Draining, AnAppThatLeftBeforeItBeganIsKnownToHaveLeft) {
  app.request();
  auto own = drain();
  EXPECT_TRUE(own.active());
}

TEST_F(Draining, ItsBytesAreCountedFromThenOn) {
  auto own = drain(100);
  own.took(1'000);
  app.request();
  own.took(60);
  own.took(40);
  EXPECT_FALSE(own.cancel().requested());
  own.took(1);
  EXPECT_TRUE(own.cancel().requested());
}

TEST_F(Draining, ItsTimeEnds) {
  provider.drain_ms_max = Milliseconds(1);
  auto own = drain();
  app.request();
  io.run();  // to the timer's end
  EXPECT_TRUE(own.cancel().requested());
}

TEST_F(Draining, TheEndOfTheServiceEndsItBeforeAndAfterTheAppHasLeft) {
  for (const bool left : {false, true}) {
    net::Cancel one;
    Drain own(one, provider, report, 100, io.get_executor());
    if (left) one.request();
    one.request(net::Cancel::Reason::draining);
    EXPECT_TRUE(own.cancel().requested()) << left;
    EXPECT_EQ(own.cancel().reason(), net::Cancel::Reason::draining) << left;
    EXPECT_EQ(one.reason(), left ? net::Cancel::Reason::app_gone : net::Cancel::Reason::draining);
  }
}

TEST_F(Draining, NoTimerIsLeftWhenTheAttemptIsOver) {
  {
    auto own = drain();
    app.request();
  }
  io.run();                                    // returns at once, or not for an hour
  app.request(net::Cancel::Reason::draining);  // and no hook
}

}  // namespace
}  // namespace fairlead::exchange
