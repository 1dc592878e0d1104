#include "daemon/recall_limits.h"

#include <fairlead/store.h>

#include <gtest/gtest.h>

#include "unit/store/rows.h"

namespace fairlead::daemon {
namespace {

using test::noon;

TEST(RecallLimits, AStartUnderAClockThatIsSetRightLaterCountsTheDaysRequestsOfEarlierProcessesAlone) {
  const test::Folder folder;
  Snapshot snapshot;
  snapshot.ledger = "sqlite:" + folder.file("ledger.db");
  Key key;
  key.name = "checkout";
  key.limits.emplace().most = {0, 5, 0, 0, 0};
  snapshot.keys = {key};
  const auto store = open_store(snapshot.ledger, StoreMode::write);
  ASSERT_TRUE(store);
  const auto save = [&](const std::string& id, TimePoint at) {
    ASSERT_TRUE(test::save(
        **store, {test::record_of(test::request_open(id, at),
                                  {test::settled_attempt(test::attempt_open(id, 1, "deepseek", at), test::attempt_settle(id))},
                                  test::request_settle(id))}));
  };
  const auto counted = [&](state::Limits& limits) {
    const auto all = limits.everything(std::chrono::steady_clock::now());
    return all.empty() ? 0 : all.at(0).used.at(static_cast<std::size_t>(Limit::requests_per_day));
  };
  save("earlier", noon);
  const Began began{*(*store)->next_number(), std::chrono::steady_clock::now()};
  for (const int wrong : {-40, -1, 2, 40}) {
    state::Limits limits;
    ASSERT_TRUE(recall_limits(limits, snapshot, noon + std::chrono::days(wrong), began));
    EXPECT_EQ(counted(limits), wrong < 0 ? 1 : 0) << "what lies ahead counts as just now";
    save("own" + std::to_string(wrong), noon + std::chrono::days(wrong));
    ASSERT_TRUE(recall_limits(limits, snapshot, noon + std::chrono::hours(1), began));
    EXPECT_EQ(counted(limits), 1) << wrong;
  }
}

}  // namespace
}  // namespace fairlead::daemon
