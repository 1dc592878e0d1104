#!/usr/bin/env python3
"""Counts the instructions that fairlead takes for a buffered request, and for a streamed one of 100 chunks.

No clock is read, so that a busy machine does not disturb: the release binary runs under callgrind, one process serves N requests and
another 2N, over one connection, and their difference is the cost of N; what start and end cost cancels out. All threads are counted, but
not the kernel. The thread that feeds SQLite is told and not compared: how many requests share a transaction depends on the time after all.
Fails if a figure is more than 10 % above the one in instructions.json.
"""
import argparse
import json
import pathlib
import re
import sys

import rig as rigs
import targets
from scenarios import AT_ONCE, BUFFERED

STORED = pathlib.Path(__file__).with_name("instructions.json")
MARGIN = 0.10
# The larger N, the less of start and end is left in the difference.
KINDS = {
    "buffered": {"requests": 400, "load": ["--body", 1024], "mock": BUFFERED},
    "streamed": {"requests": 150, "load": ["--stream"], "mock": AT_ONCE},
}


def under_callgrind(folder, upstream, files):
    target = targets.fairlead(folder, upstream, files)
    target.command = ["valgrind", "--tool=callgrind", "--quiet", "--separate-threads=yes", f"--callgrind-out-file={folder}/callgrind.out", *target.command]
    target.patience = 60
    return target


def instructions(rig, kind, requests):
    """Of one process, from its start to its end: of the thread that feeds SQLite, and of all others."""
    running = rig.start(under_callgrind, cores={rigs.PROXY_CORE})
    result = rig.load(running, [*kind["load"], "--connections", 1, "--requests", requests], seconds=120)
    if result["requests"] != requests:
        raise rigs.Broken(f"{result['requests']} of {requests} requests were answered, the others with {result['statuses']}")
    running.end(patience=60)
    feeding = others = 0
    for file in running.folder.glob("callgrind.out-*"):
        text = file.read_text()
        total = int(re.search(r"^totals: (\d+)", text, re.M).group(1))
        if "fairlead::Feeder::wait()" in text:
            feeding += total
        else:
            others += total
    return feeding, others


def of_each_request(rig, kind):
    rig.set_mock(kind["mock"])
    once, twice = (instructions(rig, kind, kind["requests"] * times) for times in (1, 2))
    return [round((two - one) / kind["requests"]) for one, two in zip(once, twice)]


def verdict(name, measured, stored):
    """A sentence, and whether it is a failure."""
    if name not in stored:
        return f"{name}: no figure is stored. Store it: ./dev bench --instructions --update", True
    change = measured / stored[name] - 1
    text = f"{name}: {measured:,} instructions a request, stored {stored[name]:,}, {change:+.1%}"
    if change > MARGIN:
        return f"{text}: more than {MARGIN:.0%} above. If it is worth it: ./dev bench --instructions --update", True
    if change < -MARGIN:
        return f"{text}: update the figure: ./dev bench --instructions --update", False
    return text, False


def main():
    parser = argparse.ArgumentParser(prog="./dev bench --instructions", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="store what is measured in tests/bench/instructions.json")
    options = parser.parse_args()
    with rigs.Rig(rigs.tools_folder(), targets.ROOT / "build/bench") as rig:
        feeding, measured = {}, {}
        for name, kind in KINDS.items():
            feeding[name], measured[name] = of_each_request(rig, kind)
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    if options.update:
        STORED.write_text(json.dumps(measured, indent=1) + "\n")
        stored = measured
    failed = 0
    for name, figure in measured.items():
        sentence, wrong = verdict(name, figure, stored)
        failed += wrong
        print(f"{sentence}; {feeding[name]:,} more to feed SQLite")
    print(f"{len(measured) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except rigs.Broken as broken:
        sys.exit(f"bench: {broken}")
