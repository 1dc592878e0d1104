#include "net/connect.h"

#include "unit/net/no_sockets.h"
#include "unit/net/script.h"

#include "net/upstream_error.h"

#include <sys/resource.h>
#include <unistd.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address_v4.hpp>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace fairlead::net::test {
namespace {

const AddressList here{asio::ip::address_v4::loopback()};
const AddressList elsewhere{asio::ip::make_address("127.0.0.2")};  // where nobody listens

/// A name server of threads that may be late: a name hangs until it is told what it means.
class Names {
 public:
  ~Names() { release(); }

  LookUp look_up() const {
    return [known = known_](const std::string& host) -> Result<AddressList> {
      std::unique_lock lock(known->mutex);
      ++known->asked[host];
      known->changed.notify_all();
      known->changed.wait(lock, [&] { return known->released || known->meanings.count(host) > 0; });
      const auto found = known->meanings.find(host);
      if (found == known->meanings.end() || found->second.empty())
        return upstream_error(ErrorKind::upstream_connect, "DNS: no such name");
      return found->second;
    };
  }

  /// Empty: no such name.
  void tell(const std::string& host, const AddressList& meaning) {
    change([&] { known_->meanings[host] = meaning; });
  }
  void hang(const std::string& host) {
    change([&] { known_->meanings.erase(host); });
  }
  void release() const {
    change([&] { known_->released = true; });
  }
  int asked(const std::string& host) const {
    const std::lock_guard lock(known_->mutex);
    return known_->asked[host];
  }
  bool is_asked(const std::string& host, int times) const {
    std::unique_lock lock(known_->mutex);
    return known_->changed.wait_for(lock, hang_limit, [&] { return known_->asked[host] == times; });
  }

 private:
  static constexpr std::chrono::seconds hang_limit = test::hang;
  struct Known {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, AddressList> meanings;
    std::map<std::string, int> asked;
    bool released = false;
  };
  void change(const std::function<void()>& what) const {
    const std::lock_guard lock(known_->mutex);
    what();
    known_->changed.notify_all();
  }

  std::shared_ptr<Known> known_ = std::make_shared<Known>();
};

class ConnectTest : public ::testing::Test {
 protected:
  Task<std::string> kind_of(std::string host) {
    Cancel cancel;
    const Result<TcpSocket> socket =
        co_await connect_tcp(loop.executor(), addresses, std::move(host), listener.local_endpoint().port(), in(hang), cancel);
    co_return socket ? "ok" : std::string(to_string(socket.error().origin)) + "'s " + std::string(to_string(socket.error().kind));
  }

  /// "ok", or what went wrong.
  Task<std::string> connect_to(std::string host, SteadyTime deadline = in(hang)) {
    Cancel cancel;
    const Result<TcpSocket> socket =
        co_await connect_tcp(loop.executor(), addresses, std::move(host), listener.local_endpoint().port(), deadline, cancel);
    co_return socket ? "ok" : socket.error().detail();
  }

  Task<void> connect_and_note(std::string host) {
    const std::string outcome = co_await connect_to(std::move(host));
    outcomes.push_back(outcome);
  }

  std::string connect(const std::string& host) { return loop.finish(connect_to(host)); }

  /// What was started before waits now.
  void let_start() {
    const auto nothing = []() -> Task<void> { co_return; };
    loop.finish(nothing());
  }

  Names names;
  Loop loop;
  asio::executor_work_guard<Executor> work{loop.executor()};  // threads post what they find
  TcpAcceptor listener{loop.executor(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  Addresses addresses{loop.executor(), names.look_up()};
  std::vector<std::string> outcomes;
};

TEST_F(ConnectTest, ANameThatTakesLongHoldsUpNoOther) {
  names.tell("fast", here);
  loop.start(connect_and_note("slow"));
  let_start();
  ASSERT_TRUE(names.is_asked("slow", 1));
  EXPECT_EQ(connect("fast"), "ok");
  EXPECT_TRUE(outcomes.empty());
  names.tell("slow", here);
  EXPECT_TRUE(loop.run_until([&] { return outcomes.size() == 1; }));
  EXPECT_EQ(outcomes[0], "ok");
}

TEST_F(ConnectTest, AllWhoNeedANameWaitForOneLookUp) {
  for (int i = 0; i < 3; ++i) loop.start(connect_and_note("maker"));
  let_start();
  EXPECT_EQ(loop.finish(connect_to("maker", in(1ms))), "connecting: the deadline passed");
  names.tell("maker", here);
  EXPECT_TRUE(loop.run_until([&] { return outcomes.size() == 3; }));
  EXPECT_EQ(outcomes, std::vector<std::string>(3, "ok"));
  EXPECT_EQ(connect("maker"), "ok");
  EXPECT_EQ(names.asked("maker"), 1);
}

TEST_F(ConnectTest, WhatIsKnownIsUsedWhileALookUpHangs) {
  names.tell("maker", here);
  EXPECT_EQ(connect("maker"), "ok");
  names.hang("maker");
  addresses.doubt("maker");
  EXPECT_EQ(connect("maker"), "ok");
  EXPECT_EQ(connect("maker"), "ok");
  EXPECT_TRUE(names.is_asked("maker", 2));
}

TEST_F(ConnectTest, WhatIsKnownIsUsedAfterALookUpFailed) {
  names.tell("maker", here);
  EXPECT_EQ(connect("maker"), "ok");
  names.tell("maker", {});
  addresses.doubt("maker");
  const bool asked = addresses.refresh("maker", steady_clock::now(), this, [this](const Result<AddressList>& found) {
    outcomes.push_back(found ? "found" : "failed");
  });
  EXPECT_TRUE(asked);
  EXPECT_TRUE(loop.run_until([&] { return outcomes.size() == 1; }));
  EXPECT_EQ(outcomes[0], "failed");
  EXPECT_EQ(connect("maker"), "ok");
}

TEST_F(ConnectTest, WhatIsKnownIsLookedUpAgainAfterHalfAMinute) {
  names.tell("maker", here);
  EXPECT_EQ(connect("maker"), "ok");
  names.tell("maker", elsewhere);
  const auto note = [this](const Result<AddressList>&) { outcomes.emplace_back("answered"); };
  EXPECT_FALSE(addresses.refresh("maker", in(29s), this, note));
  EXPECT_TRUE(addresses.refresh("maker", in(31s), this, note));
  EXPECT_EQ(addresses.known("maker"), here);
  EXPECT_TRUE(loop.run_until([&] { return outcomes.size() == 1; }));
  EXPECT_EQ(addresses.known("maker"), elsewhere);
}

TEST_F(ConnectTest, NewAddressesAreTriedWhenTheOldOnesFail) {
  names.tell("maker", elsewhere);
  EXPECT_EQ(connect("maker"), "connecting: Connection refused");
  names.tell("maker", here);
  EXPECT_EQ(connect("maker"), "ok");
  EXPECT_EQ(names.asked("maker"), 2);
}

TEST_F(ConnectTest, WithoutAnAddressThereIsNoConnection) {
  names.tell("maker", {});
  EXPECT_EQ(connect("maker"), "connecting: DNS: no such name");
  names.tell("maker", here);
  EXPECT_EQ(connect("maker"), "ok") << "a failure is not kept";
}

TEST_F(ConnectTest, AnAddressIsNotLookedUp) {
  EXPECT_EQ(connect("127.0.0.1"), "ok");
  EXPECT_EQ(connect("127.0.0.2"), "connecting: Connection refused");
  EXPECT_EQ(names.asked("127.0.0.1") + names.asked("127.0.0.2"), 0);
}

/// As long as it lives there is no descriptor more.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ConnectTest, WhatWeLackIsNoFailureOfTheProviders) {
  names.tell("maker", here);
  names.tell("unknown", {});
  EXPECT_EQ(connect("maker"), "ok");
  {
    const NoSockets none;
    EXPECT_EQ(loop.finish(kind_of("127.0.0.1")), "fairlead's overloaded");
    EXPECT_EQ(connect("maker"), "connecting: Too many open files");
    EXPECT_EQ(loop.finish(kind_of("unknown")), "provider's upstream_connect");
  }
  {
    const NoDescriptors none;
    const auto found = look_up_address("no-such-name.invalid");
    EXPECT_TRUE(!found && found.error().kind == ErrorKind::overloaded);
  }
  EXPECT_EQ(connect("maker"), "ok");
  EXPECT_EQ(names.asked("maker"), 1) << "its address is in no doubt";
  EXPECT_EQ(loop.finish(kind_of("127.0.0.2")), "provider's upstream_connect");
}

TEST_F(ConnectTest, WhoeverGivesUpWaitsForNoLookUp) {
  Cancel cancel;
  const auto give_up = [&]() -> Task<std::string> {
    const Result<TcpSocket> socket = co_await connect_tcp(loop.executor(), addresses, "slow", 1, in(hang), cancel);
    co_return std::string(to_string(socket.error().kind));
  };
  Timer tick(loop.executor(), in(1ms));
  tick.async_wait([&](error_code) { cancel.request(); });
  EXPECT_EQ(loop.finish(give_up()), "app_gone");
}

/// Tells when the thread that holds one has come to its end. (std::promise can do that too, unseen by the thread sanitizer.)
struct ThreadsEnd {
  struct Seen {
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
  };
  explicit ThreadsEnd(std::shared_ptr<Seen> by) : seen(std::move(by)) {}
  ThreadsEnd(const ThreadsEnd&) = delete;
  ThreadsEnd& operator=(const ThreadsEnd&) = delete;
  ~ThreadsEnd() {
    const std::lock_guard lock(seen->mutex);
    seen->ended = true;
    seen->changed.notify_all();
  }
  std::shared_ptr<Seen> seen;
};

TEST(Addresses, ALookUpMayOutliveThemAndTheirLoop) {
  const Names names;
  const auto seen = std::make_shared<ThreadsEnd::Seen>();
  const LookUp late = [seen, look_up = names.look_up()](const std::string& host) {
    thread_local std::optional<ThreadsEnd> end;
    end.emplace(seen);
    return look_up(host);
  };
  bool answered = false;
  {
    Loop loop;
    Addresses addresses(loop.executor(), late);
    EXPECT_TRUE(addresses.refresh("maker", steady_clock::now(), &loop, [&](const Result<AddressList>&) { answered = true; }));
    EXPECT_TRUE(names.is_asked("maker", 1));
  }
  names.release();
  std::unique_lock lock(seen->mutex);
  seen->changed.wait(lock, [&] { return seen->ended; });
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace fairlead::net::test
