"""What the plots show: throughput against latency as connections grow, and memory against open streams."""
import random

from scenarios import BUFFERED, SLOWLY
from targets import TARGETS

CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
STREAMS = (250, 1000, 2000, 4000, 8000)
ROUNDS = 3


def throughput(rig, names, seconds):
    """Closed loop, 1 KB in and out: name -> [connections, requests/s, p50 µs, p99 µs, foreign cores], by the least disturbed round."""
    rig.set_mock(BUFFERED)
    running = {"direct": rig.direct(), **{name: rig.start(TARGETS[name]) for name in names}}
    measured = {}
    for each in running.values():
        rig.load(each, ["--body", 1024, "--connections", 32], seconds=1)
    for _ in range(ROUNDS):
        for connections in CONNECTIONS:
            for name in random.sample(list(running), len(running)):
                result = rig.load(running[name], ["--body", 1024, "--connections", connections], seconds=seconds)
                measured.setdefault((name, connections), []).append(result)
    for each in running.values():
        each.end()
    def point(name, connections):
        best = min(measured[name, connections], key=lambda result: result["foreign_cores"])
        return [connections, best["requests_per_second"], best["latency_us"]["p50"], best["latency_us"]["p99"], best["foreign_cores"]]

    return {name: [point(name, connections) for connections in CONNECTIONS] for name in running}


def memory(rig, names):
    """Open streams that get a token every 0.4 s, each time by a fresh process: name -> [streams, MiB of the program]."""
    rig.set_mock(SLOWLY)
    points = {name: [] for name in names}
    for name in names:
        for streams in STREAMS:
            running = rig.start(TARGETS[name])
            arguments = ["--stream", "--connections", streams, "--ramp", 1 + streams / 1000, "--warmup", 1]
            result = rig.load(running, arguments, seconds=2)
            points[name].append([result["active_end"], result["proxy"]["pss_kib"] / 1024])
            running.end()
    return points
