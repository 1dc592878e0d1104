#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

#include "unit/ledger/memory_books.h"

namespace {

std::atomic<int> feeder_yields = 0;

}  // namespace

/// The program's own, in place of the system's library's.
extern "C" int sched_yield() noexcept {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  if (std::string_view(name) == "ledger-feeder") ++feeder_yields;
  return static_cast<int>(syscall(SYS_sched_yield));
}

namespace fairlead {
namespace {

/// How often the feeder gives way while it saves so many requests.
int yields_while_saving(int requests, std::uint64_t patient_bytes_max) {
  test::Books books(test::with([=](LedgerLimits& limits) { limits.patient_bytes_max = patient_bytes_max; }));
  const int before = feeder_yields;
  for (int i = 0; i < requests; ++i) {
    const std::string id = "r" + std::to_string(i);
    books.open(id);
    books.settle(id);
  }
  EXPECT_TRUE(books.ledger->flush(test::patience));
  books.await_fed();
  return feeder_yields - before;
}

TEST(Feeder, GivesWayToWorkersUntilItIsFarBehind) {
  EXPECT_GT(yields_while_saving(20, 1 << 30), 0);
  EXPECT_EQ(yields_while_saving(20, 0), 0);
}

}  // namespace
}  // namespace fairlead
