#include "daemon/every.h"

#include <utility>

namespace fairlead::daemon {

Every::Every(Executor executor, std::chrono::milliseconds pause, std::function<void()> work)
    : timer_(executor), pause_(pause), work_(std::move(work)) {}

void Every::start() {
  timer_.expires_after(pause_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;  // a wait whose time has come is not cancelled any more
    work_();
    start();
  });
}

void Every::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace fairlead::daemon
