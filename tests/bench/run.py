#!/usr/bin/env python3
"""Measures fairlead, other proxies and no proxy at all before one mock upstream, in interleaved rounds.

The program under test has core 0 for itself; load and mock share the last core. In each round all
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

import curves
import machine
import report
import rig as rigs
from extras import EXTRAS
from scenarios import SCENARIOS, SHORT
from targets import ROOT, TARGETS, binary

OUT = ROOT / "build/bench"
SETTLING_SECONDS = 1.0  # of discarded load, before a program's first run of a scenario


class Schedule:
    """Of rounds that take about `round_seconds` each: none is begun that would not end in time, and in each, disturbed runs are repeated as
    long as its share of the time lasts."""

    def __init__(self, minutes, rounds, round_seconds):
        self.end, self.rounds, self.round_seconds = time.monotonic() + minutes * 60, rounds, round_seconds
        self.left, self.round_end = 0.0, 0.0

    def may_begin(self, number):
        return number == 0 or time.monotonic() + self.round_seconds < self.end

    def begin(self, number):
        now = time.monotonic()
        self.round_end = now + (self.end - now) / (self.rounds - number)
        self.left = self.round_seconds

    def took(self, seconds):
        self.left -= seconds

    def has_spare(self, seconds):
        return time.monotonic() + self.left + seconds < self.round_end


class Rounds:
    """`names`: of the programs, in the order of the tables."""

    def __init__(self, rig, options, names):
        self.rig, self.options, self.names = rig, options, ["direct", *names]
        self.running, self.rows, self.disturbed, self.settled = {}, [], False, set()
        scenarios = [SCENARIOS[name] for name in options.scenarios]
        of_a_program = sum(scenario.run_seconds(options.seconds) * len(self.modes(scenario)) for scenario in scenarios)
        self.schedule = Schedule(options.minutes, options.rounds, of_a_program * len(self.names))

    @staticmethod
    def modes(scenario):
        return ("open", "closed") if scenario.rate else ("closed",)

    def run(self):
        for number in range(self.options.rounds):
            if not self.schedule.may_begin(number):
                break
            self.schedule.begin(number)
            for scenario in self.options.scenarios:
                for name in random.sample(self.names, len(self.names)):
                    self.measure(number, scenario, name)
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
        for mode in self.modes(scenario):
            row = self.undisturbed(running, scenario, mode)
            row.update(round=number, scenario=name_of_scenario, target=name, mode=mode, idle_kib=idle_kib)
            row.update(place=self.names.index(name))
            self.rows.append(row)
            print(f"# round {number + 1} {name_of_scenario:3} {name:9} {mode:6} {row['requests']:7} requests, {row['errors']} errors, "
                  f"p50 {row['latency_us']['p50']:.0f} µs, foreign {row['foreign_cores']:.2f}", file=sys.stderr, flush=True)
        if scenario.streams:
            self.running.pop(name).end()

    def arguments(self, scenario, mode):
        connections = min(scenario.connections, (rigs.open_files_max() - 300) // 2)
        arguments = [*scenario.load, "--connections", connections, *(["--ramp", scenario.ramp] if scenario.ramp else [])]
        return arguments + ["--rate", scenario.rate] if mode == "open" else arguments

    def undisturbed(self, running, scenario, mode):
        """The first run that others left in peace, or the most peaceful."""
        seconds, cost, runs = scenario.streams or self.options.seconds, scenario.run_seconds(self.options.seconds), []
        self.schedule.took(cost)
        for _ in range(1 + self.options.retries):
            if self.disturbed:
                self.wait_for_quiet(cost)
            if runs and not self.schedule.has_spare(cost):
                break
            runs.append(self.rig.load(running, self.arguments(scenario, mode), scenario.tls, seconds))
            self.disturbed = runs[-1]["foreign_cores"] > self.options.foreign
            if not self.disturbed:
                break
        return min(runs, key=lambda run: run["foreign_cores"])

    def wait_for_quiet(self, cost):
        end = time.monotonic() + self.options.patience
        while time.monotonic() < end and self.schedule.has_spare(cost):
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
    parser.add_argument("--with", dest="peers", default="", help="further gateways, which ./dev bench installs: litellm,portkey")
    parser.add_argument("--plots", action="store_true", help="measure the curves of the plots, and nothing else")
    parser.add_argument("--rounds", type=int, help="at most (2; with --full, 5)")
    parser.add_argument("--seconds", type=float, help="of a run (1.2; with --full, 3)")
    parser.add_argument("--minutes", type=float, help="no round is begun that would not end in time (4.8; with --full, 90)")
    parser.add_argument("--foreign", type=float, default=0.15, help="a run during which others used more cores than this is repeated")
    parser.add_argument("--retries", type=int, default=2, help="of a disturbed run")
    parser.add_argument("--patience", type=float, default=5, help="seconds to wait for a quiet machine after a disturbed run")
    parser.add_argument("--nice", type=int, help="as root: among the sessions of this machine; -15 takes the cores from others")
    options = parser.parse_args(arguments)
    for name, short, full in (("rounds", 2, 5), ("seconds", 1.2, 3.0), ("minutes", 4.8, 90.0)):
        if getattr(options, name) is None:
            setattr(options, name, full if options.full else short)
    options.targets = names_in(f"{options.targets},{options.peers}", TARGETS, "program")
    known = [*SCENARIOS, *EXTRAS]
    chosen = names_in(options.scenarios or ",".join(known if options.full else SHORT), known, "scenario")
    options.extras = [name for name in chosen if name in EXTRAS]
    options.scenarios = [name for name in chosen if name in SCENARIOS]
    return options


def main():
    options = read_options(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not binary().exists():
        sys.exit(f"{binary()} is not there: ./dev bench builds it")
    with rigs.Rig(rigs.tools_folder(), OUT, nice=options.nice) as rig:
        facts = {**machine.describe(rig.folder), "fairlead": commit(), "date": datetime.date.today().isoformat()}
        print(report.of_machine(facts) + "\n", flush=True)
        if options.plots:
            measured = {"throughput": curves.throughput(rig, options.targets, options.seconds),
                        "memory": curves.memory(rig, options.targets)}
            (OUT / "plots.json").write_text(json.dumps({"machine": facts, **measured}, indent=1))
            return
        rows = Rounds(rig, options, options.targets).run() if options.scenarios else []
        extras = {name: EXTRAS[name](rig, options.targets, options.seconds) for name in options.extras}
    (OUT / "results.json").write_text(json.dumps({"machine": facts, "rows": rows, "extras": extras}, indent=1))
    if rows:
        print(report.of_rounds(report.Results(rows)))
    for name, lines in extras.items():
        print(f"{name}: {' '.join(EXTRAS[name].__doc__.split())}\n\n{report.of_extra(lines)}\n")


if __name__ == "__main__":
    try:
        main()
    except rigs.Broken as broken:
        sys.exit(f"bench: {broken}")
    except KeyboardInterrupt:
        sys.exit(130)
