"""What this machine is, and what its processes use."""
import os
import pathlib
import platform
import re
import statistics
import subprocess
import time

SIGNS_OF_BUSY = (1, 2, 3, 6, 7)  # columns of /proc/stat: user, nice, system, irq, softirq
PAGE = 4096
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def first_line(*command):
    """Of what a command says of itself, or None if there is no such command."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    except OSError:
        return None
    return (done.stdout + done.stderr).strip().split("\n")[0]


def version_in(line):
    found = re.search(r"\d+\.\d+(\.\d+)?", line or "")
    return found.group() if found else None


def fdatasync_us(folder, grows, count=200):
    """The median time to make one written page durable there, which is what a lone ledger row waits for: with a file that grows by it,
    as a young write-ahead log does, or one that is overwritten, as an old one is."""
    file = pathlib.Path(folder) / "fdatasync.probe"
    times = []
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY)
    try:
        if not grows:
            os.write(descriptor, b"x" * PAGE * count)
            os.fsync(descriptor)
        for number in range(count):
            os.pwrite(descriptor, b"y" * PAGE, number * PAGE)
            began = time.perf_counter_ns()
            os.fdatasync(descriptor)
            times.append((time.perf_counter_ns() - began) / 1e3)
    finally:
        os.close(descriptor)
        file.unlink()
    return round(statistics.median(times), 1)


def describe(ledger_folder):
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "compiler": first_line("c++", "--version"),
        "nginx": version_in(first_line("nginx", "-v")),
        "haproxy": version_in(first_line("haproxy", "-v")),
        "fdatasync_us": fdatasync_us(ledger_folder, grows=False),
        "fdatasync_growing_us": fdatasync_us(ledger_folder, grows=True),
    }


def family(pid):
    """The process and all that stem from it."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(entry))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def kib_of(pids, field, file="smaps_rollup"):
    """The sum of a field such as `Pss` of smaps_rollup, or `VmHWM` of status."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(field + ":"):
                total += int(line.split()[1])
    return total


def cpu_ns(pids):
    """Of all threads, by the scheduler's count."""
    total = 0
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                total += int(pathlib.Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
        except OSError:
            continue
    return total


def busy_ns():
    """Of all that ran on this machine."""
    columns = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return sum(int(columns[at]) for at in SIGNS_OF_BUSY) * TICK_NS
