"""What is not measured by rounds: size, start, memory at rest and under large bodies, and two workers against one."""
import pathlib
import socket
import statistics
import subprocess
import time

import machine
from rig import PROXY_CORE, RIG_CORE, Broken, connects, open_files_max
from scenarios import BUFFERED
from targets import TARGETS, binary, fairlead

BIG_BYTES = 32 << 20  # the default of limits.body_bytes_max
BIG_AT_ONCE = 40
STARTS = 20
MIB = 1 << 20


def size(rig, names, seconds):
    """The release binary without symbols."""
    del names, seconds
    stripped = rig.folder / "stripped"
    subprocess.run(["strip", "-o", stripped, binary()], check=True)
    return {"stripped binary, MB": {"fairlead": stripped.stat().st_size / 1e6}}


def idle(rig, names, seconds):
    """Half a second after the start."""
    del seconds
    lines = {"idle RSS, MiB": {}, "idle PSS, MiB": {}}
    for name in names:
        running = rig.start(TARGETS[name], settle=0.5)
        for text, field in (("idle RSS, MiB", "Rss"), ("idle PSS, MiB", "Pss")):
            lines[text][name] = machine.kib_of(running.pids(), field) / 1024
        running.end()
    return lines


def is_ready(port):
    with socket.socket() as admin:
        if admin.connect_ex(("127.0.0.1", port)) != 0:
            return False
        admin.sendall(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        return admin.recv(64).startswith(b"HTTP/1.1 200")


def since(began, condition):
    """Milliseconds until it holds, asked every 0.1 ms."""
    while not condition():
        if time.monotonic() > began + 20:
            raise Broken("a start took more than 20 s")
        time.sleep(0.0001)
    return (time.monotonic() - began) * 1e3


def cold(rig, names, seconds):
    """From the start of the process, in a fresh folder with a fresh ledger."""
    del seconds
    lines = {"start to listening, ms": {}, "start to /readyz, ms": {}}
    for name in names:
        listening, ready = [], []
        for number in range(STARTS):
            folder = rig.folder / f"cold-{name}-{number}"
            folder.mkdir()
            target = TARGETS[name](folder, rig.upstream, open_files_max())
            began = time.monotonic()
            process = rig.spawn(target.command, {PROXY_CORE}, folder, target.env)
            listening.append(since(began, lambda: connects(target.port)))
            if target.admin_port:
                ready.append(since(began, lambda: is_ready(target.admin_port)))
            rig.end(process)
        lines["start to listening, ms"][name] = statistics.median(listening)
        if ready:
            lines["start to /readyz, ms"][name] = statistics.median(ready)
    return lines


def peak_growth_bytes(rig, running, requests):
    """What resident memory grew by, at its peak, over this many large requests at once."""
    for pid in running.pids():
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak so far
    before = machine.kib_of(running.pids(), "VmRSS", "status")
    result = rig.load(running, ["--body", BIG_BYTES, "--requests", requests, "--connections", requests], seconds=60)
    if result["requests"] != requests:
        raise Broken(f"{running.target.name} answered {result['statuses']} to {requests} requests of {BIG_BYTES} bytes")
    return (machine.kib_of(running.pids(), "VmHWM", "status") - before) * 1024


def big(rig, names, seconds):
    """Large bodies, as pictures make them."""
    del seconds
    one, many = "one body of 32 MiB: growth of RSS, in bodies", f"{BIG_AT_ONCE} at once: growth of RSS, MiB"
    lines = {one: {}, many: {}}
    rig.set_mock(BUFFERED)
    for name in names:
        running = rig.start(TARGETS[name])
        lines[one][name] = peak_growth_bytes(rig, running, 1) / BIG_BYTES
        running.end()
        running = rig.start(TARGETS[name])
        lines[many][name] = peak_growth_bytes(rig, running, BIG_AT_ONCE) / MIB
        running.end()
    return lines


def two_workers(rig, names, seconds):
    """S1 in closed loop by one worker on a core of its own, then by two on both cores, which load and mock share: on a machine of two
    cores, what is compared is requests for each second of CPU time that fairlead takes."""
    del names
    lines = {"S1 requests per CPU-second": {}, "S1 requests/s": {}}
    rig.set_mock(BUFFERED)
    both = frozenset({PROXY_CORE, RIG_CORE})
    for workers, cores, load_cores in ((1, frozenset({PROXY_CORE}), frozenset({RIG_CORE})), (2, both, both)):
        running = rig.start(fairlead, cores=cores, workers=workers)
        arguments = ["--body", 1024, "--connections", 64]
        rig.load(running, arguments, seconds=1, cores=load_cores)
        result = rig.load(running, arguments, seconds=seconds, cores=load_cores)
        lines["S1 requests per CPU-second"][f"workers: {workers}"] = result["requests"] / (result["proxy"]["cpu_us"] / 1e6)
        lines["S1 requests/s"][f"workers: {workers}"] = result["requests_per_second"]
        running.end()
    for line in lines.values():
        line["2 to 1"] = line["workers: 2"] / line["workers: 1"]
    return lines


EXTRAS = {"S1x2": two_workers, "cold": cold, "idle": idle, "big": big, "size": size}
