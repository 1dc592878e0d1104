// Keeps one core from halting: runs when nothing else wants the core, and no longer than its parent. To wake a halted virtual CPU
// takes tens of microseconds that have nothing to do with the program under test.
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

int main() {
  const pid_t parent = getppid();
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (getppid() == parent)
    for (int i = 0; i < 10'000'000; ++i) asm volatile("");  // not optimised away
}
