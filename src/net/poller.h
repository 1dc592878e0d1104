#pragma once
// Tells the streams of one worker when their sockets are ready. asio arms a socket anew for each wait, by a system call that looks
// it up among all others; here each goes once into a set of epoll's own, edge-triggered, and asio watches the set. Used by Stream
// alone. One worker's thread.
#include "net/task.h"

#include <sys/epoll.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace fairlead::net {

/// What to wait for before the same call is made again; or that the connection breaks, where no call is to be made.
enum class WaitFor : std::uint8_t { nothing, read, write, reset };

/// What goes on when a wait ends.
class Waiter {
 public:
  virtual ~Waiter() = default;
  /// Once; frees it first, so that the next wait has its room.
  static void resume(std::unique_ptr<Waiter> waiter, boost::system::error_code ec) { waiter.release()->run(ec); }

 private:
  virtual void run(boost::system::error_code ec) = 0;  ///< deletes this
};

template <class Handler>
class WaiterOf final : public Waiter {
 public:
  explicit WaiterOf(Handler&& handler) : handler_(std::move(handler)) {}

 private:
  void run(boost::system::error_code ec) override {
    Handler handler(std::move(handler_));
    delete this;
    std::move(handler)(ec);
  }

  Handler handler_;
};

class Poller;

/// A connected socket, non-blocking. Whoever gets EAGAIN from a call on it, or less than it asked for, may wait for the next edge.
class PolledSocket : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// Who waits; each once at a time.
  enum class Who : std::uint8_t { reader, writer, watcher };

  /// Takes the descriptor over. Closed if it cannot be watched.
  PolledSocket(Poller& poller, int descriptor);
  ~PolledSocket() { close(); }
  PolledSocket(const PolledSocket&) = delete;
  PolledSocket& operator=(const PolledSocket&) = delete;

  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  bool is_broken() const { return broken_; }
  const Executor& executor() const;

  /// Before a call on the socket that would say EAGAIN: edges from before it tell nothing any more.
  void forget_edge(WaitFor what) { (what == WaitFor::read ? may_read_ : may_write_) = false; }
  /// The next wait to read ends at once.
  void assume_edge() { may_read_ = true; }

  /// Ends with the next edge, or soon if one came since the last wait or call; never before this returns.
  void wait(Who who, WaitFor what, std::unique_ptr<Waiter> waiter);
  /// Ends that wait, if there is one, from within a handler of the loop.
  void interrupt(Who who, boost::system::error_code ec);
  /// Forgets that wait. If its end is on its way, that has taken an edge, of which nobody will make anything: it is given back.
  void leave(Who who);
  bool is_waiting(Who who) const { return waits_[static_cast<std::size_t>(who)].waiter != nullptr; }
  /// What waits ends with operation_aborted, soon.
  void close();

 private:
  friend class Poller;
  struct Wait {
    std::unique_ptr<Waiter> waiter;
    WaitFor what = WaitFor::nothing;
  };
  Wait& wait_of(Who who) { return waits_[static_cast<std::size_t>(who)]; }
  std::unique_ptr<Waiter> take(Wait& wait);
  void become_ready(std::uint32_t events);
  void end_soon(std::unique_ptr<Waiter> waiter, boost::system::error_code ec);

  int descriptor_;
  bool may_read_ = false, may_write_ = false;  ///< an edge came while nobody waited
  bool ended_ = false, broken_ = false;        ///< nothing will come any more; nor can anything go
  std::uint32_t ready_in_ = 0;                 ///< the period of the last event
  Poller& poller_;
  std::array<Wait, 3> waits_;
};

/// One for each io_context, which owns it.
class Poller final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;

  explicit Poller(asio::execution_context& context);
  /// Made now if there is none yet; throws std::system_error if it cannot be.
  static Poller& of(const Executor& executor);
  const Executor& executor() const { return executor_; }

 private:
  friend class PolledSocket;
  using Sockets = boost::intrusive::list<PolledSocket, boost::intrusive::constant_time_size<false>>;

  bool add(PolledSocket& socket);
  void forget(PolledSocket& socket);
  void begin_wait();
  void end_wait();
  void arm();
  void poll();
  void begin_period();
  void shutdown() override;

  Executor executor_;
  asio::posix::basic_stream_descriptor<Executor> set_;
  std::size_t waits_ = 0;  ///< while there are any, asio has something to do
  bool armed_ = false;
  bool polling_ = false;
  std::array<epoll_event, 128> events_{};
  std::size_t next_ = 0, found_ = 0;  ///< of the events under way
  Sockets sockets_;
  SteadyTime looked_at_, period_began_;
  std::uint32_t period_ = 1;  ///< its number
  int again_ = 0;             ///< so many events in it were not the first of their socket
  bool gathers_ = false;      ///< as of the period before
};

}  // namespace fairlead::net
