#pragma once
// A Cancel's hook for as long as one wait lasts. One worker's thread.
#include "net/cancel.h"

#include <functional>
#include <utility>

namespace fairlead::net {

/// `end` makes the wait end; it runs at once if the Cancel was requested before.
class CancelScope {
 public:
  CancelScope(Cancel& cancel, std::function<void()> end) : cancel_(cancel) { cancel_.set_hook(std::move(end)); }
  ~CancelScope() { cancel_.clear_hook(); }
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

 private:
  Cancel& cancel_;
};

}  // namespace fairlead::net
