#include "daemon/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace fairlead::daemon {
namespace {

sigset_t taken_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  return signals;
}

}  // namespace

void Signals::block() {
  const sigset_t signals = taken_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Signals::Signals(Executor executor, std::function<void(int)> taken) : taken_(std::move(taken)), descriptor_(executor) {}

Result<void> Signals::start() {
  const sigset_t signals = taken_signals();
  const int opened = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (opened < 0)
    return Error(ErrorKind::io, ErrorOrigin::fairlead, "signals cannot be taken: " + std::generic_category().message(errno));
  descriptor_.assign(opened);
  wait();
  return {};
}

void Signals::stop() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

void Signals::wait() {
  descriptor_.async_wait(asio::posix::descriptor_base::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    signalfd_siginfo found{};
    while (descriptor_.is_open() && ::read(descriptor_.native_handle(), &found, sizeof found) == sizeof found)
      taken_(static_cast<int>(found.ssi_signo));
    if (descriptor_.is_open()) wait();
  });
}

}  // namespace fairlead::daemon
