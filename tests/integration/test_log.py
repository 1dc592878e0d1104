"""The log goes to stderr, and nothing waits for whoever reads it."""
import contextlib
import json
import os
import re
import signal
import subprocess
import types
import urllib.request

from harness.daemon import CLIENT_KEY, PROVIDER_KEY, config_for
from harness.http import chat, post_chat
from harness.process import BINARY, PATIENCE, wait_until


@contextlib.contextmanager
def unread_daemon(folder, config):
    """A daemon whose stderr is a pipe that the test reads, and nobody else."""
    (folder / "fairlead.yaml").write_text(json.dumps(config))
    reading, writing = os.pipe()
    process = subprocess.Popen([BINARY, "serve", "--config", "fairlead.yaml"], cwd=folder, stderr=writing,
                               env={**os.environ, "FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
    os.close(writing)
    log = open(reading, "rb", buffering=0)
    try:
        yield types.SimpleNamespace(process=process, log=log, key=CLIENT_KEY)
    finally:
        process.kill()
        process.wait(PATIENCE)
        log.close()


def events_until(daemon, event):
    """The log's lines up to that of this event."""
    events = []
    while not events or events[-1]["event"] != event:
        line = b""
        while not line.endswith(b"\n"):
            line += daemon.log.read(1)
            assert line, "the log ended"
        if line.startswith(b"{"):
            events.append(json.loads(line))
    return events


def fill(daemon):
    """Until the pipe takes nothing more; by a descriptor of the test's own, which alone does not wait. Gives the bytes."""
    pipe, filled = os.open(f"/proc/{daemon.process.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK), 0
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                filled += os.write(pipe, size * b"\n")
    os.close(pipe)
    return filled


def test_requests_metrics_and_the_stop_do_not_wait_for_a_log_that_nobody_reads(tmp_path, simulator):
    with unread_daemon(tmp_path, config_for(simulator.url)) as daemon:
        addresses = {event["side"]: event["address"] for event in events_until(daemon, "ready") if event["event"] == "listening"}
        daemon.address = addresses["apps"]
        filled = fill(daemon)
        assert [post_chat(daemon, chat("hello")).status for _ in range(8)] == 8 * [200]
        with urllib.request.urlopen(f"http://{addresses['admin']}/metrics", timeout=PATIENCE) as metrics:
            assert metrics.status == 200
        while filled > 0:
            filled -= len(daemon.log.read(filled))
        assert post_chat(daemon, chat("hello")).status == 200
        told, _ = events_until(daemon, "request")
        assert (told["event"], told["level"]) == ("log_lines_dropped", "warn")
        for _ in range(8 - told["lines"]):  # a line comes after its answer, so that of the eighth may have been taken
            events_until(daemon, "request")
        fill(daemon)
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(PATIENCE) == 0


def test_what_was_closed_becomes_no_other_file(tmp_path):
    bill = tmp_path / "bill.jsonl"
    process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", BINARY, "simulate", "--listen", "127.0.0.1:0", "--bill", bill])
    try:
        def takes_signals():
            caught = re.search(r"SigCgt:\t(\w+)", open(f"/proc/{process.pid}/status").read())[1]
            return int(caught, 16) >> (signal.SIGTERM - 1) & 1

        wait_until(takes_signals, "the simulator to take signals")  # it says where it listens before it acts upon one
        assert {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)} == {"/dev/null"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 1, "its output could not be written"
        assert bill.read_text() == ""
    finally:
        process.kill()
