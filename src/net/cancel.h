#pragma once
// One-shot cancellation of the work under way for one exchange. Used on one worker's thread only.
#include <functional>
#include <utility>

namespace fairlead::net {

/// Whoever waits sets a hook that makes its wait end at once (close the socket, cancel the timer); whoever learns that the work is
/// pointless calls request(). A hook set after request() runs at once.
class Cancel {
 public:
  enum class Reason { app_gone, draining };  ///< draining: the app is still there, and can be told

  bool requested() const { return requested_; }
  Reason reason() const { return reason_; }
  /// The service goes down, whether or not the app was gone before.
  bool hurried() const { return hurried_; }
  /// Of what comes after the first request, only that the service goes down is told to the hook.
  void request(Reason reason = Reason::app_gone) {
    const bool hurries = reason == Reason::draining && !std::exchange(hurried_, true);
    if (!std::exchange(requested_, true))
      reason_ = reason;
    else if (!hurries)
      return;
    if (hook_) hook_();
  }
  void set_hook(std::function<void()> hook) {
    hook_ = std::move(hook);
    if (requested_ && hook_) hook_();
  }
  void clear_hook() { hook_ = nullptr; }

 private:
  bool requested_ = false;
  bool hurried_ = false;
  Reason reason_ = Reason::app_gone;
  std::function<void()> hook_;
};

}  // namespace fairlead::net
