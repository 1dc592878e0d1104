#pragma once
// An attempt that outlives its app: with `on_cancel: drain`, an answer whose app has gone is read to its end, unseen, for the usage
// that its provider tells there. One worker's thread.
#include <fairlead/snapshot.h>

#include "net/cancel.h"
#include "net/task.h"
#include "net/upstream.h"

#include <cstddef>
#include <memory>

namespace fairlead::exchange {

/// What calls the work at the provider off: the app's own Cancel, or, with a provider that drains, another one that is requested
/// once the time or the bytes of the drain are used up, or the service goes down; at once if nothing of the request was sent.
class Drain {
 public:
  /// `app` and `report` outlive it, and `app` has no other hook meanwhile.
  Drain(net::Cancel& app, const Provider& provider, const net::SendReport& report, std::size_t bytes_max, const Executor& executor);
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  net::Cancel& cancel() { return own_ ? own_->cancel : app_; }
  bool possible() const { return own_ != nullptr; }
  /// The app has gone, and what comes is read for the books alone.
  bool active() const { return own_ != nullptr && app_.requested(); }
  /// So many bytes came while it was active.
  void took(std::size_t bytes);

 private:
  /// What the timer's handler may meet after the attempt is over.
  struct Own {
    explicit Own(const Executor& executor) : timer(executor) {}
    net::Cancel cancel;
    Timer timer;
  };
  void begin(Milliseconds time_max);

  net::Cancel& app_;
  const net::SendReport& report_;
  std::shared_ptr<Own> own_;
  std::size_t bytes_left_;
};

}  // namespace fairlead::exchange
