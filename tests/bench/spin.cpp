// Keeps one core from halting: runs when nothing else wants the core, and no longer than its parent. To wake a halted virtual CPU
// takes tens of microseconds that have nothing to do with the program under test.
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace {

/// Idle priority holds among the tasks of a session alone where the kernel shares the cores out by session (autogroups). So this is
/// a session of its own, and the least of them.
void be_the_least() {
  if (getsid(0) != getpid()) setsid();
  std::ofstream("/proc/self/autogroup") << 19;
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace

int main() {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  be_the_least();
  while (getppid() == parent)
    for (int i = 0; i < 10'000'000; ++i) asm volatile("");  // not optimised away
}
