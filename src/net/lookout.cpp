#include "net/lookout.h"

#include <utility>

namespace fairlead::net {

void Lookout::Turn::wait(Lookout& lookout, std::function<void()> begin) {
  leave();
  lookout_ = &lookout;
  at_ = lookout.waiting_.insert(lookout.waiting_.end(), {std::chrono::steady_clock::now(), this, std::move(begin)});
  if (!lookout.timer_runs_) lookout.come_again();
}

void Lookout::Turn::leave() {
  if (!lookout_) return;
  lookout_->waiting_.erase(at_);
  lookout_ = nullptr;
}

void Lookout::come_again() {
  timer_runs_ = true;
  timer_.expires_after(moment);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;  // this may be gone
    timer_runs_ = false;
    look();
  });
}

void Lookout::look() {
  const SteadyTime latest = std::chrono::steady_clock::now() - moment;
  while (!waiting_.empty() && waiting_.front().since <= latest) {
    const std::function<void()> begin = std::move(waiting_.front().begin);
    waiting_.front().turn->leave();
    begin();
  }
  if (!waiting_.empty()) come_again();
}

}  // namespace fairlead::net
