"""A start under a clock that is ahead, and is set right while the daemon runs."""
from harness.daemon import Fairlead, config_for
from harness.http import chat, post_chat
from harness.shim import preloaded

SHIM = """
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec* at) {
  int (*real)(clockid_t, struct timespec*) = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const int done = real(id, at);
  char text[32] = "";
  const int file = id == CLOCK_REALTIME ? open(getenv("CLOCK_AHEAD"), O_RDONLY) : -1;
  if (file < 0) return done;
  if (read(file, text, sizeof text - 1) > 0) at->tv_sec += atol(text);
  close(file);
  return done;
}
"""


def test_what_counts_for_a_day_and_what_was_done_is_known_once_the_clock_is_right(tmp_path, simulator):
    ahead = tmp_path / "ahead"
    under = preloaded(tmp_path, SHIM, CLOCK_AHEAD=ahead)
    config = config_for(simulator.url)
    config["keys"][0]["limits"] = {"requests_per_day": 5}

    def start():
        return Fairlead(tmp_path, config, under=under)

    def ask(daemon, name):
        return post_chat(daemon, chat("hello"), fields=[("Idempotency-Key", name)])

    ahead.write_text("0")
    daemon = start()
    assert [ask(daemon, name).status for name in "abcd"] == [200] * 4
    daemon.stop()

    ahead.write_text(str(3 * 86400))
    daemon = start()
    assert ask(daemon, "e").status == 200
    ahead.write_text("0")
    daemon.wait_for("clock_set")
    assert ask(daemon, "a").json()["error"]["code"] == "idempotency_gone"
    assert ask(daemon, "f").json()["error"]["code"] == "rate_limit_exceeded", "five of the day, of two processes"
    assert ask(daemon, "e").status == 200, "the answer of this process"
    assert len(simulator.bill()) == 5
    daemon.stop()
