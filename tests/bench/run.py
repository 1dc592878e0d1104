#!/usr/bin/env python3
"""Measures fairlead, other proxies and no proxy at all before one mock upstream, in interleaved rounds.

The program under test has core 0 for itself; load and mock share the last core; idle-priority spinners keep both awake. In each round all
programs are measured in random order, a run that others disturbed is repeated, and ratios are taken to nginx in the same round.
Prints tables, and keeps every result in build/bench/results.json. docs/performance.md tells the method.
"""
import argparse
import datetime
import json
import random
import signal
import subprocess
import sys
import time

import machine
import report
import rig as rigs
from extras import EXTRAS
from scenarios import SCENARIOS, SHORT
from targets import ROOT, TARGETS, binary

OUT = ROOT / "build/bench"
SETTLING_SECONDS = 1.0  # of discarded load, before a program's first run of a scenario
OVERHEAD_SECONDS = 1.2  # of a run: warm-up, start, reading of counters


class Schedule:
    """When the time is short, disturbed runs are not repeated, and a round that would not end in time is not begun."""

    def __init__(self, minutes):
        self.end = time.monotonic() + minutes * 60
        self.round_began, self.longest_round = time.monotonic(), 0.0

    def begin_round(self):
        self.round_began = time.monotonic()

    def end_round(self):
        self.longest_round = max(self.longest_round, time.monotonic() - self.round_began)

    def has_time_for_a_round(self):
        return time.monotonic() + self.longest_round < self.end

    def has_time_for(self, seconds):
        return time.monotonic() + seconds < self.end


class Rounds:
    """`names`: of the programs, in the order of the tables."""

    def __init__(self, rig, options, names):
        self.rig, self.options, self.names = rig, options, ["direct", *names]
        self.schedule, self.running, self.rows = Schedule(options.minutes), {}, []
        self.disturbed, self.settled = False, set()

    def run(self):
        for number in range(self.options.rounds):
            if not self.schedule.has_time_for_a_round():
                break
            self.schedule.begin_round()
            for scenario in self.options.scenarios:
                for name in random.sample(self.names, len(self.names)):
                    self.measure(number, scenario, name)
            self.schedule.end_round()
        for running in self.running.values():
            running.end()
        return self.rows

    def started(self, name, fresh):
        if fresh and name in self.running:
            self.running.pop(name).end()
        if name not in self.running:
            self.running[name] = self.rig.direct() if name == "direct" else self.rig.start(TARGETS[name])
        return self.running[name]

    def measure(self, number, name_of_scenario, name):
        scenario = SCENARIOS[name_of_scenario]
        running = self.started(name, fresh=bool(scenario.streams))
        if scenario.tls and running.target.tls_port is None:
            return
        idle_kib = running.pss_kib()
        self.rig.set_mock(scenario.mock)
        if scenario.rate and (name, name_of_scenario) not in self.settled:
            self.rig.load(running, self.arguments(scenario, "closed"), scenario.tls, SETTLING_SECONDS)
            self.settled.add((name, name_of_scenario))
        for mode in ("open", "closed") if scenario.rate else ("closed",):
            row = self.undisturbed(running, scenario, mode)
            row.update(round=number, scenario=name_of_scenario, target=name, mode=mode, idle_kib=idle_kib, place=self.names.index(name))
            self.rows.append(row)
            print(f"# round {number + 1} {name_of_scenario:3} {name:9} {mode:6} {row['requests']:7} requests, {row['errors']} errors, "
                  f"p50 {row['latency_us']['p50']:.0f} µs, foreign {row['foreign_cores']:.2f}", file=sys.stderr, flush=True)
        if scenario.streams:
            self.running.pop(name).end()

    def arguments(self, scenario, mode):
        connections = min(scenario.connections, (rigs.open_files_max() - 300) // 2)
        arguments = [*scenario.load, "--connections", connections]
        return arguments + ["--rate", scenario.rate] if mode == "open" else arguments

    def undisturbed(self, running, scenario, mode):
        """The first run that others left in peace, or the most peaceful."""
        seconds = scenario.streams or self.options.seconds
        runs = []
        for _ in range(1 + self.options.retries):
            if runs and not self.schedule.has_time_for(self.schedule.longest_round + seconds + OVERHEAD_SECONDS):
                break
            if self.disturbed:
                self.wait_for_quiet()
            runs.append(self.rig.load(running, self.arguments(scenario, mode), scenario.tls, seconds))
            self.disturbed = runs[-1]["foreign_cores"] > self.options.foreign
            if not self.disturbed:
                break
        return min(runs, key=lambda run: run["foreign_cores"])

    def wait_for_quiet(self):
        end = time.monotonic() + self.options.patience
        while time.monotonic() < end and self.schedule.has_time_for(self.schedule.longest_round):
            if self.rig.foreign_cores() <= self.options.foreign:
                return


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def names_in(text, known, what):
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            sys.exit(f"there is no {what} '{name}': {', '.join(known)}")
    return names


def read_options(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all scenarios, longer runs, more rounds")
    parser.add_argument("--scenarios", help=f"of {','.join([*SCENARIOS, *EXTRAS])}")
    parser.add_argument("--targets", default="nginx,haproxy,fairlead", help="the programs to measure")
    parser.add_argument("--rounds", type=int, help="at most (3; with --full, 5)")
    parser.add_argument("--seconds", type=float, help="of a run (1.5; with --full, 3)")
    parser.add_argument("--minutes", type=float, help="no round is begun that would not end in time (4.8; with --full, 90)")
    parser.add_argument("--foreign", type=float, default=0.15, help="a run during which others used more cores than this is repeated")
    parser.add_argument("--retries", type=int, default=2, help="of a disturbed run")
    parser.add_argument("--patience", type=float, default=5, help="seconds to wait for a quiet machine after a disturbed run")
    options = parser.parse_args(arguments)
    for name, short, full in (("rounds", 3, 5), ("seconds", 1.5, 3.0), ("minutes", 4.8, 90.0)):
        if getattr(options, name) is None:
            setattr(options, name, full if options.full else short)
    options.targets = names_in(options.targets, TARGETS, "program")
    chosen = names_in(options.scenarios or ",".join([*SCENARIOS, *EXTRAS] if options.full else SHORT), [*SCENARIOS, *EXTRAS], "scenario")
    options.extras = [name for name in chosen if name in EXTRAS]
    options.scenarios = [name for name in chosen if name in SCENARIOS]
    return options


def main():
    options = read_options(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not binary().exists():
        sys.exit(f"{binary()} is not there: ./dev bench builds it")
    with rigs.Rig(rigs.tools_folder(), OUT) as rig:
        facts = {**machine.describe(rig.folder), "fairlead": commit(), "date": datetime.date.today().isoformat()}
        print(report.of_machine(facts) + "\n", flush=True)
        rows = Rounds(rig, options, options.targets).run() if options.scenarios else []
        extras = {name: EXTRAS[name](rig, options.targets, options.seconds) for name in options.extras}
    (OUT / "results.json").write_text(json.dumps({"machine": facts, "rows": rows, "extras": extras}, indent=1))
    if rows:
        print(report.of_rounds(report.Results(rows)))
    for name, lines in extras.items():
        print(f"{name}: {EXTRAS[name].__doc__.strip()}\n\n{report.of_extra(lines)}\n")


if __name__ == "__main__":
    try:
        main()
    except rigs.Broken as broken:
        sys.exit(f"bench: {broken}")
    except KeyboardInterrupt:
        sys.exit(130)
