#pragma once
// Tells a URL of things, one after another, again and again until it says that it has heard. On the main thread.
#include <fairlead/snapshot.h>

#include "net/pool.h"

#include <deque>
#include <memory>
#include <string>

namespace fairlead::daemon {

class Webhook {
 public:
  explicit Webhook(Executor executor);

  /// POSTs the JSON there, soon. More than waiting_max at a time are dropped, with a line in the log.
  void tell(const Url& url, std::string json);
  /// What was not told is dropped, with a line in the log that counts it; the one that is being told too.
  void stop();
  std::size_t failures() const { return failures_; }

  static constexpr std::size_t waiting_max = 1'000;
  static constexpr int tries_max = 12;  ///< of one message; with the waits between them, some 20 minutes
  static constexpr Milliseconds wait_min{1'000}, wait_max{300'000};  ///< between two tries, doubled each time

 private:
  struct Message {
    Url url;
    std::string json;
  };
  Task<void> run();
  /// What the answer was, or that there was none.
  Task<std::string> send(const Message& message, bool& heard);

  Executor executor_;
  net::Pool pool_;
  Timer pause_;
  std::unique_ptr<net::Cancel> cancel_;
  std::deque<Message> waiting_;
  std::size_t failures_ = 0;
  bool runs_ = false, stopped_ = false;
};

}  // namespace fairlead::daemon
