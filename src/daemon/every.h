#pragma once
// Work that is done again and again, so long after the last time. On the main thread.
#include "net/task.h"

#include <chrono>
#include <functional>

namespace fairlead::daemon {

class Every {
 public:
  Every(Executor executor, std::chrono::milliseconds pause, std::function<void()> work);
  void start();
  /// It is not done again, even if its time has come already.
  void stop();

 private:
  Timer timer_;
  std::chrono::milliseconds pause_;
  std::function<void()> work_;
  bool stopped_ = false;
};

}  // namespace fairlead::daemon
