#!/usr/bin/env python3
"""A long storm: mixed load against one daemon, with reloads, until the time is up; then the books must balance and the daemon end cleanly.

  FAIRLEAD_BIN=build/asan/fairlead python3 tests/soak.py --minutes 60

Prints one line a round. Fails on a report of a sanitizer, a difference between ledger and bill, or memory or descriptors that grow.
"""
import argparse
import asyncio
import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import books  # noqa: E402
from harness.daemon import Fairlead, Simulator, config_for  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.storm import storm  # noqa: E402


def resident_mib(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def soak(folder, minutes, requests):
    simulator = Simulator(folder)
    config = config_for(simulator.url)
    config["log"].update(requests="none")
    daemon = Fairlead(folder, config)
    files_before = daemon.open_files()
    began, sent, round_number, settled_mib = time.monotonic(), 0, 0, None
    while time.monotonic() - began < minutes * 60:
        round_number += 1
        sent += len(asyncio.run(storm(daemon, requests, seed=round_number)))
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("reloaded", count=round_number)
        daemon.expect_no_report()
        simulator.expect_no_report()
        mib = resident_mib(daemon)
        settled_mib = settled_mib or (mib if round_number >= 5 else None)
        print(f"{(time.monotonic() - began) / 60:5.1f} min  round {round_number}  {sent} requests  {mib} MiB", flush=True)
    wait_until(lambda: daemon.open_files() <= files_before, "connections to close")
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "open rows to settle")
    daemon.stop()
    simulator.stop()
    books.expect_balance(ledger, simulator.bill())
    if settled_mib:
        assert mib < settled_mib * 2 + 64, f"resident memory grew from {settled_mib} to {mib} MiB"
    kinds = {source: sum(a["usage_source"] == source for a in ledger.attempts) for source in ("reported", "estimated", "invalid", "none")}
    print(f"{sent} requests, {len(ledger.attempts)} attempts {kinds}: the books balance, nothing was reported")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--requests", type=int, default=2000, help="of a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak(pathlib.Path(folder), options.minutes, options.requests)


if __name__ == "__main__":
    main()
