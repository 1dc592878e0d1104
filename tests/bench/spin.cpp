// Keeps one core from halting: runs when nothing else wants the core, and no longer than its parent. To wake a halted virtual CPU
// takes tens of microseconds that have nothing to do with the program under test.
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

namespace {

/// Whoever wakes takes the core at once from a task of idle priority, but only within a session, where the kernel shares the cores
/// out by session (autogroups): to a task of another session it stands like any other, and whoever waits for the disk comes back
/// with the next tick of the clock, after up to 4 ms. So this stays in the session of the program under test.
void be_the_least() {
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
