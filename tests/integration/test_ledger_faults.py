"""What the kernel may refuse: a call that fails, a full disk, a lock that another program holds. No answer goes unrecorded, no row that
was settled is lost, and service returns by itself when the cause has gone.

FAIRLEAD_FAULTS=100 lets each of the first hundred calls fail in turn, and FAIRLEAD_LOCK_SECONDS=10 holds the lock as long as people do."""
import asyncio
import concurrent.futures
import contextlib
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import time

import pytest

from harness import books
from harness.daemon import Fairlead, PROVIDER_KEY, config_for
from harness.http import chat, post_chat
from harness.process import PATIENCE, run, wait_until
from harness.stage import SANITIZED
from harness.storm import storm

FAULTS = int(os.environ.get("FAIRLEAD_FAULTS", "0"))
LOCK_SECONDS = float(os.environ.get("FAIRLEAD_LOCK_SECONDS", "2.5"))
OUTAGE_REQUESTS = int(os.environ.get("FAIRLEAD_OUTAGE_REQUESTS", "1000"))
MIB = 1 << 20


def numbers(*few):
    """Which calls fail: these, or as many as were asked for."""
    return range(1, FAULTS + 1) if FAULTS else few


def inject(call, error, when, log):
    """A command that becomes the program, whose threads' calls then fail as told (the kernel counts them thread by thread). A sanitizer that
    looks for leaks would have to trace the program itself, and two cannot."""
    assert shutil.which("strace"), "these tests need strace: apt-get install strace (./dev test does)"
    return ["env", f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0", "strace", "-D", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}"]


def test_strace_may_do_what_the_tests_here_need(tmp_path):
    done = subprocess.run(inject("openat", "EIO", 1, tmp_path / "log") + ["/bin/true"], capture_output=True, text=True)
    assert "(INJECTED)" in (tmp_path / "log").read_text() if (tmp_path / "log").exists() else False, \
        f"ptrace is not permitted here, so no fault can be injected; run these tests where it is (CAP_SYS_PTRACE): {done.stderr}"


def ask(daemon, count, fields_of=lambda i: ()):
    """The answers to so many requests, some at once."""
    with concurrent.futures.ThreadPoolExecutor(4) as apps:
        return list(apps.map(lambda i: post_chat(daemon, chat("hello", "openai", stream=i % 3 == 0), fields=fields_of(i)), range(count)))


def expect_whole_books(ledger, answers, simulator):
    """Each answer that was a success is settled, for what the provider bills."""
    bill = {line["client_request_id"]: line for line in simulator.bill()}
    for answer in answers:
        if answer.status != 200 or not answer.complete:
            continue
        request, (attempt,) = ledger.request(answer.request_id), ledger.attempts_of(answer.request_id)
        assert request["state"] == attempt["state"] == "settled"
        assert not list(books.complaints_about(attempt, bill[f"{answer.request_id}-1"]))
    assert {f"{a['request_id']}-{a['number']}" for a in ledger.attempts} >= set(bill)


FAILURES = [("fdatasync", "EIO", (1, 2, 9)), ("pwrite64", "ENOSPC", (1, 4, 30)), ("pwrite64", "EIO", (2,)), ("openat", "EIO", (3, 40, 60)),
            ("fallocate", "ENOSPC", (1,))]


@pytest.mark.parametrize("call, error, when", [(call, error, when) for call, error, few in FAILURES for when in numbers(*few)])
def test_the_kth_call_fails_and_nothing_is_lost(tmp_path, simulator, call, error, when):
    """Before it, a daemon was killed: so the first calls are those of the start, which replays a journal."""
    config = config_for(simulator.url)
    before = Fairlead(tmp_path, config)
    answers = ask(before, 4)
    before.kill()
    assert [answer.status for answer in answers] == 4 * [200]
    try:
        faulty = Fairlead(tmp_path, config, under=inject(call, error, when, tmp_path / "calls"))
    except AssertionError as gave_up:  # it may refuse to start, and then says so
        assert "no event" in str(gave_up)
    else:
        answers += ask(faulty, 12)
        assert {answer.status for answer in answers} <= {200, 503}
        # The call has failed, or there were not so many of them: the cause has gone, and nobody restarts anything.
        answers.append(wait_until(lambda: (one := post_chat(faulty, chat("hello", "openai"))).status == 200 and one, "service to return"))
        faulty.stop()
    again = Fairlead(tmp_path, config)
    answers.append(post_chat(again, chat("hello", "openai")))
    assert answers[-1].status == 200
    expect_whole_books(again.ledger(), answers, simulator)
    again.stop()
    again.expect_no_secrets()


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_a_disk_that_fails_for_a_while_is_told_and_forgotten(daemon, simulator, call, tmp_path):
    answers = ask(daemon, 3)
    repeated = lambda: post_chat(daemon, chat("hello", "openai"), fields=[("Idempotency-Key", "kept")])
    answers.append(repeated())
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", str(tmp_path / "calls"), "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when=1+",
                               "-p", str(daemon.process.pid)], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: "TracerPid:\t0\n" not in open(f"/proc/{daemon.process.pid}/status").read(), "strace to take hold")
        with concurrent.futures.ThreadPoolExecutor(8) as apps:
            waiting = [apps.submit(post_chat, daemon, chat("hello", "openai")) for _ in range(8)]
            wait_until(lambda: daemon.admin_get("/readyz")[0] == 503, "the fault to be seen")
            refused = post_chat(daemon, chat("hello", "openai"))
            for answer in (refused, repeated()):  # a repeat has a row too
                assert answer.status == 503 and answer.json()["error"]["code"] == "ledger_unavailable"
            assert "journal" in daemon.wait_for("ledger_not_written")["reason"]
            tracer.terminate()  # the cause goes
            tracer.wait(PATIENCE)
            answers += [one.result() for one in waiting]
        wait_until(lambda: daemon.admin_get("/readyz")[0] == 200, "service to return")
        daemon.wait_for("ledger_written")
    finally:
        tracer.kill()
    answers.append(post_chat(daemon, chat("hello", "openai")))
    assert answers[-1].status == 200
    assert repeated().fields["x-fairlead-replayed"] == "true"
    expect_whole_books(daemon.ledger(), answers, simulator)


class OnSmallDisk(Fairlead):
    """A fairlead whose ledger is on a disk of its own, which only it mounts; the test sees it through /proc."""

    def __init__(self, folder, config, mib):
        disk = folder / "disk"
        disk.mkdir()
        config["ledger"] = f"sqlite:{disk}/ledger.db"
        mount = f"mount -t tmpfs -o size={mib}m fairlead '{disk}' && exec \"$@\""
        probe = subprocess.run(["unshare", "-rm", "sh", "-c", mount, "sh", "true"], capture_output=True, text=True)
        assert probe.returncode == 0, f"no user and mount namespaces are permitted here, so no small disk can be made: {probe.stderr}"
        super().__init__(folder, config, under=["unshare", "-rm", "sh", "-c", f"{mount}", "sh"])
        self.disk = type(folder)(f"/proc/{self.process.pid}/root{disk}")

    def ledger(self):
        """Of a copy: SQLite would follow the link in /proc to this side's files."""
        wait_until(self.is_fed, "the database to have the journal's rows")
        copy = self.folder / "copy.db"
        for ending in ("", "-wal"):
            if (self.disk / f"ledger.db{ending}").exists():
                shutil.copyfile(self.disk / f"ledger.db{ending}", f"{copy}{ending}")
        with contextlib.closing(sqlite3.connect(copy)) as whole:
            whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return books.Ledger(copy)

    def fill(self):
        """Until not a byte more fits."""
        with open(self.disk / "filler", "ab", buffering=0) as filler:
            for size in (MIB, 4096, 1):
                with contextlib.suppress(OSError):
                    while filler.write(bytes(size)):
                        pass

    def clear(self):
        (self.disk / "filler").unlink()

    def expect_no_secrets(self):
        pass  # its disk has gone with it


def test_a_full_disk_stops_the_database_and_not_the_service(tmp_path, simulator):
    """The journal took its room when it was created: rows wait there until the database can grow again."""
    daemon = OnSmallDisk(tmp_path, config_for(simulator.url), mib=40)
    answers = ask(daemon, 4)
    wait_until(daemon.is_fed, "the database to have the first rows")
    daemon.fill()
    answers += ask(daemon, 200)
    assert {answer.status for answer in answers} == {200}
    wait_until(lambda: daemon.gauge("fairlead_ledger_unfed_rows") > 0, "the database to be full")
    daemon.clear()
    expect_whole_books(daemon.ledger(), answers, simulator)
    daemon.stop()


def test_an_8_mib_disk_serves_until_its_journal_finds_no_room_and_says_so_before_anything_is_sent(tmp_path, simulator):
    """The journal's first file is small, its second larger than the disk; what makes room brings service back."""
    config = config_for(simulator.url)
    tags = config["keys"][0]["request_tags"] = [f"{'long-' * 30}{i}" for i in range(32)]
    daemon = OnSmallDisk(tmp_path, config, mib=8)
    answers = []

    def some_tags(number):
        """Others each time, so that each request has much that is to be noted."""
        return [("x-fairlead-tags", ",".join(tag for i, tag in enumerate(tags) if i > 14 or number >> i & 1))]

    def is_full():
        return daemon.admin_get("/readyz")[0] == 503

    with concurrent.futures.ThreadPoolExecutor(1) as apps:
        while not is_full():
            batch = apps.submit(ask, daemon, 20, lambda i: some_tags(len(answers) + i))
            wait_until(lambda: batch.done() or is_full(), "answers, or a full disk")
            if batch.done():
                answers += batch.result()
        wait_until(lambda: {answer.status for answer in ask(daemon, 4)} == {503}, "what comes now to be refused")
        assert "make room" in daemon.wait_for("ledger_not_written")["help"]
        sent = len(simulator.bill())
        assert {answer.status for answer in ask(daemon, 20)} == {503} and len(simulator.bill()) == sent
        subprocess.run(["nsenter", "-t", str(daemon.process.pid), "-U", "-m", "--preserve-credentials", "mount", "-o", "remount,size=64m",
                        str(tmp_path / "disk")], check=True)
        answers += ask(daemon, 1) + batch.result()
    wait_until(lambda: not is_full(), "service to return")
    daemon.wait_for("ledger_written")
    answers += ask(daemon, 4)
    assert {answer.status for answer in answers} <= {200, 503} and {answer.status for answer in answers[-4:]} == {200}
    ledger = daemon.ledger()
    expect_whole_books(ledger, answers, simulator)
    assert all(ledger.attempts_of(line["client_request_id"][:-2]) for line in simulator.bill()), "of those too that were under way"
    daemon.stop()


def test_a_limit_on_the_size_of_files_is_told_like_a_full_disk(daemon, settled):
    """The kernel sends SIGXFSZ, of which a program dies that does not see to it."""
    assert post_chat(daemon, chat("hello")).status == 200
    limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    wait_until(lambda: post_chat(daemon, chat("hello")).status == 503, "what comes now to be refused")
    assert "make room" in daemon.wait_for("ledger_not_written")["help"]
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, limits)
    wait_until(lambda: daemon.admin_get("/readyz")[0] == 200, "service to return")
    assert post_chat(daemon, chat("hello")).status == 200


def test_a_lock_on_the_database_stops_nothing_and_loses_nothing_M16(daemon, simulator):
    answers = ask(daemon, 3)
    wait_until(daemon.is_fed, "the database to have the first rows")
    with contextlib.closing(sqlite3.connect(daemon.ledger_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        until = time.monotonic() + LOCK_SECONDS
        while time.monotonic() < until:
            answers += ask(daemon, 8)
        told = daemon.wait_for("ledger_not_fed")
        assert "database is locked" in told["reason"] and "lock" in told["help"] and told["unfed_rows"] > 0
        assert daemon.gauge("fairlead_ledger_unfed_rows") > 0 and daemon.admin_get("/readyz")[0] == 200
        other.execute("ROLLBACK")
    assert len(answers) > 10 and {answer.status for answer in answers} == {200}
    expect_whole_books(daemon.ledger(), answers, simulator)


def test_an_outage_of_the_database_turns_nobody_away_and_its_memory_comes_back_M64(start, simulator):
    daemon = start(lambda config: config["log"].update(requests="none"))
    asyncio.run(storm(daemon, OUTAGE_REQUESTS // 10, seed=1))
    wait_until(daemon.is_fed, "the database to have the first rows")

    def memory():
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS:"))

    before = memory()
    with contextlib.closing(sqlite3.connect(daemon.ledger_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        told = asyncio.run(storm(daemon, OUTAGE_REQUESTS, seed=2))
        assert daemon.gauge("fairlead_ledger_unfed_rows") > OUTAGE_REQUESTS
        during = memory()
        other.execute("ROLLBACK")
    assert 401 not in {answer.status for _, answer in told}
    assert not [answer for _, answer in told if b"ledger_unavailable" in answer.body]
    wait_until(lambda: len(simulator.bill()) >= sum(1 for a in daemon.ledger().attempts if a["status"]), "the bill")
    books.expect_balance(daemon.ledger(), simulator.bill())
    assert {answer.request_id for _, answer in told if answer.request_id} <= {row["id"] for row in daemon.ledger().requests}
    if not SANITIZED:
        assert max(during, memory()) - before < 64 * MIB, (before, during, memory())


def test_a_start_waits_for_a_lock_and_then_serves(start, simulator):
    daemon = start()
    answers = ask(daemon, 3)
    daemon.kill()
    with contextlib.closing(sqlite3.connect(daemon.ledger_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with concurrent.futures.ThreadPoolExecutor(1) as starting:
            again = starting.submit(start)
            assert not concurrent.futures.wait([again], timeout=1).done
            other.execute("ROLLBACK")
            again = again.result()
    answers.append(post_chat(again, chat("hello", "openai")))
    expect_whole_books(again.ledger(), answers, simulator)


def test_a_database_of_a_newer_version_is_refused_untouched(start):
    daemon = start()
    post_chat(daemon, chat("hello"))
    daemon.stop()
    with contextlib.closing(sqlite3.connect(daemon.ledger_file)) as other:
        other.execute("PRAGMA user_version = 999")
    before = daemon.ledger_file.read_bytes()
    done = run("serve", "--config", daemon.config_file, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
    assert done.returncode == 1 and "newer fairlead" in done.stderr and "999" in done.stderr
    for command in (["usage"], ["key", "list"], ["key", "revoke", "app"]):
        asked = run(*command, "--config", daemon.config_file, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
        assert asked.returncode == 1 and "newer fairlead" in asked.stderr
    assert daemon.ledger_file.read_bytes() == before
