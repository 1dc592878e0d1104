#include "daemon/estimates_json.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/state/noon.h"

namespace fairlead::daemon {
namespace {

TEST(Estimates, ATimeInTheFileThatNoneIsCountsAsLongAgo) {
  for (const char* at : {"-9223372036854775808", "-1", "0", "9223372036854775807"}) {
    const auto everything = parse_estimates(R"({"version":1,"targets":{},"routes":{"chat":{"tokens":100000,"answers":10,"at_us":)" +
                                            std::string(at) + R"(}},"routes_by_key":[]})");
    ASSERT_TRUE(everything) << everything.error().message();
    EXPECT_EQ(everything->routes.at("chat").expected(400, state::noon), 400) << at;
  }
}

}  // namespace
}  // namespace fairlead::daemon
