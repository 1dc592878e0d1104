#pragma once
// The signals that tell the daemon something, as data: they are blocked in every thread and read from a descriptor. So none is lost
// however early it comes, and nothing ever runs inside of a signal handler. The main thread's.
#include "net/task.h"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <functional>

namespace fairlead::daemon {

class Signals {
 public:
  /// Before any other thread starts, since threads inherit what is blocked. What comes from here on waits for start().
  static void block();

  /// `taken`: SIGTERM, SIGINT or SIGHUP; called from the executor's thread. Several of one number that wait together are one.
  Signals(Executor executor, std::function<void(int)> taken);
  /// Errors: io.
  Result<void> start();
  void stop();

 private:
  void wait();

  std::function<void(int)> taken_;
  asio::posix::basic_stream_descriptor<Executor> descriptor_;
};

}  // namespace fairlead::daemon
