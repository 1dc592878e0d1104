#include "net/poller.h"

#include <unistd.h>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace fairlead::net {

namespace {

using boost::system::error_code;

constexpr std::uint32_t in_events = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t out_events = EPOLLOUT | EPOLLHUP | EPOLLERR;

// Where sockets become ready again and again, as those of streams do whose chunks come in bursts, they are looked at no more often
// than this: what came meanwhile is then read, and passed on, at once. Less than a tenth of a millisecond shows in nothing.
constexpr std::chrono::microseconds gather_time{100};
constexpr int again_min = 2;  // in that time; a few apps that ask and wait in turn stay below
constexpr std::chrono::milliseconds period_min{1};

int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  return set;
}

}  // namespace

asio::execution_context::id Poller::id;

Poller::Poller(asio::execution_context& context)
    : service(context), executor_(static_cast<asio::io_context&>(context).get_executor()), set_(executor_, make_set()) {}

Poller& Poller::of(const Executor& executor) { return asio::use_service<Poller>(executor.context()); }

bool Poller::add(PolledSocket& socket) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &socket;
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, socket.descriptor(), &event) != 0) return false;
  sockets_.push_back(socket);
  return true;
}

/// Its descriptor is closed, which takes it out of the set; but some of its events may have been taken from there already.
void Poller::forget(PolledSocket& socket) {
  for (std::size_t i = next_; i < found_; ++i)
    if (events_[i].data.ptr == &socket) events_[i].data.ptr = nullptr;
}

void Poller::begin_wait() {
  if (++waits_ == 1 && !armed_ && !polling_) arm();
}

void Poller::end_wait() {
  if (--waits_ == 0 && armed_) set_.cancel();
}

void Poller::arm() {
  armed_ = true;
  set_.async_wait(asio::posix::descriptor_base::wait_read, [this](error_code ec) {
    armed_ = false;
    if (!ec) poll();
    if (waits_ > 0) arm();
  });
}

void Poller::poll() {
  if (gathers_) std::this_thread::sleep_until(looked_at_ + gather_time);
  const int found = ::epoll_wait(set_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  found_ = found > 0 ? static_cast<std::size_t>(found) : 0;
  looked_at_ = std::chrono::steady_clock::now();
  polling_ = true;
  for (next_ = 0; next_ < found_;) {
    const epoll_event event = events_[next_++];
    if (event.data.ptr != nullptr) static_cast<PolledSocket*>(event.data.ptr)->become_ready(event.events);
  }
  polling_ = false;
  if (looked_at_ - period_began_ >= period_min) begin_period();
}

void Poller::begin_period() {
  gathers_ = gather_time * again_ > again_min * (looked_at_ - period_began_);
  period_began_ = looked_at_;
  ++period_;
  again_ = 0;
}

/// The loop is gone: who still waits does so for nothing, and may own the socket that it waits for.
void Poller::shutdown() {
  while (!sockets_.empty()) {
    PolledSocket& socket = sockets_.front();
    sockets_.pop_front();
    const auto waits = std::exchange(socket.waits_, {});
  }
}

PolledSocket::PolledSocket(Poller& poller, int descriptor) : descriptor_(descriptor), poller_(poller) {
  if (!poller_.add(*this)) close();
}

const Executor& PolledSocket::executor() const { return poller_.executor(); }

void PolledSocket::wait(Who who, WaitFor what, std::unique_ptr<Waiter> waiter) {
  const bool ready = what == WaitFor::read    ? ended_ || std::exchange(may_read_, false)
                     : what == WaitFor::write ? broken_ || std::exchange(may_write_, false)
                                              : broken_;
  if (ready || !is_open()) return end_soon(std::move(waiter), {});
  wait_of(who) = {std::move(waiter), what};
  poller_.begin_wait();
}

std::unique_ptr<Waiter> PolledSocket::take(Wait& wait) {
  if (wait.waiter) poller_.end_wait();
  return std::move(wait.waiter);
}

void PolledSocket::interrupt(Who who, error_code ec) {
  if (auto waiter = take(wait_of(who))) Waiter::resume(std::move(waiter), ec);
}

void PolledSocket::leave(Who who) {
  if (!take(wait_of(who))) assume_edge();
}

void PolledSocket::close() {
  if (!is_open()) return;
  poller_.forget(*this);
  if (is_linked()) unlink();
  ::close(std::exchange(descriptor_, -1));
  for (Wait& wait : waits_)
    if (auto waiter = take(wait)) end_soon(std::move(waiter), asio::error::operation_aborted);
}

void PolledSocket::become_ready(std::uint32_t events) {
  const bool readable = (events & in_events) != 0, writable = (events & out_events) != 0;
  ended_ |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  broken_ |= (events & (EPOLLHUP | EPOLLERR)) != 0;
  may_read_ |= readable;
  may_write_ |= writable;
  if (std::exchange(ready_in_, poller_.period_) == poller_.period_) ++poller_.again_;
  // Who goes on may destroy the socket: so all that is due is known first.
  std::array<std::unique_ptr<Waiter>, 3> due;
  std::size_t count = 0;
  for (Wait& wait : waits_) {
    const bool ready = wait.what == WaitFor::read ? readable : wait.what == WaitFor::write ? writable : broken_;
    if (!wait.waiter || !ready) continue;
    if (wait.what != WaitFor::reset) forget_edge(wait.what);
    due[count++] = take(wait);
  }
  for (std::size_t i = 0; i < count; ++i) Waiter::resume(std::move(due[i]), {});
}

void PolledSocket::end_soon(std::unique_ptr<Waiter> waiter, error_code ec) {
  asio::post(executor(), [waiter = std::move(waiter), ec]() mutable { Waiter::resume(std::move(waiter), ec); });
}

}  // namespace fairlead::net
