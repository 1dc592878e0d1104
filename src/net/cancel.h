#pragma once
// One-shot cancellation of the work under way for one exchange. Used on one worker's thread only.
#include <functional>
#include <utility>

namespace fairlead::net {

/// Whoever waits sets a hook that makes its wait end at once (close the socket, cancel the timer); whoever learns that the work is
/// pointless calls request(). A hook set after request() runs at once.
class Cancel {
 public:
  bool requested() const { return requested_; }
  void request() {
    if (std::exchange(requested_, true)) return;
    if (hook_) hook_();
  }
  void set_hook(std::function<void()> hook) {
    hook_ = std::move(hook);
    if (requested_ && hook_) hook_();
  }
  void clear_hook() { hook_ = nullptr; }

 private:
  bool requested_ = false;
  std::function<void()> hook_;
};

}  // namespace fairlead::net
