#pragma once
// The rehearsal provider: one listener that stands in for every kind of provider, each under its own path. Used by `fairlead
// simulate` and by tests. One thread: that of the io_context; all members are called on it.
#include <boost/system/result.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "simulator/attempt.h"

namespace fairlead::simulator {

struct Options {
  std::string listen = "127.0.0.1:0";  ///< "[::1]:8081"; port 0 takes any
  std::string bill;                    ///< a file to append to; empty: none
  std::uint64_t seed = 1;
  std::vector<Odds> faults;
  std::vector<PricedModel> models;
  std::function<TimePoint()> now;  ///< empty: the system's clock
};

class Simulator {
 public:
  /// Binds the listener and opens the bill. Errors: a sentence for the operator.
  static boost::system::result<std::unique_ptr<Simulator>, Complaint> open(asio::io_context& context, Options options);

  /// "127.0.0.1:43211"
  std::string address() const;

  /// Begins to accept. The simulator must live until the io_context has run out of work.
  void start();

  /// Closes everything; attempts under way are billed as far as they came. The io_context then runs out of work.
  void stop();

 private:
  struct Received {
    const Habits* habits = nullptr;
    std::string method, target, head, body;
    std::size_t body_bytes = 0;
  };

  Simulator(asio::io_context& context, Options& options, Bill bill);
  Task<void> accept();
  Task<void> sweep();
  Task<void> serve(Connection& connection);
  Task<bool> handle(Connection& connection, const Request& request);
  Task<bool> answer(Connection& connection, const Request& request, int status, std::string body);
  void remember(const Request& request, const Habits* habits);
  std::string stats() const;
  std::string last(std::string_view query) const;
  std::string models(const Habits& habits) const;

  asio::io_context& context_;
  Acceptor acceptor_;
  Timer sweep_timer_;
  World world_;
  std::list<Connection> connections_;
  std::deque<Received> received_;
  std::uint64_t requests_ = 0, accepted_ = 0;
};

}  // namespace fairlead::simulator
