"""Tables of results: ratios to nginx first, then figures, each the median over rounds."""
import dataclasses
import statistics
import typing

from scenarios import SCENARIOS

BASE = "nginx"


@dataclasses.dataclass(frozen=True)
class Measure:
    text: str
    mode: str
    value: typing.Callable  # of one result, or None
    over_direct: bool = False  # the difference to `direct` in the same round


def quantile(name, which):
    return lambda result: result[name][which] if result[name]["n"] else None


def cpu_us_each(count):
    return lambda result: result["proxy"]["cpu_us"] / result[count] if "proxy" in result and result[count] else None


def kib_each_stream(result):
    if "proxy" not in result or not result["active_end"]:
        return None
    return (result["proxy"]["pss_kib"] - result["idle_kib"]) / result["active_end"]


OF_REQUESTS = (
    Measure("requests/s, closed loop", "closed", lambda result: result["requests_per_second"]),
    Measure("CPU µs/request, closed loop", "closed", cpu_us_each("requests")),
    Measure("CPU µs/request, open loop", "open", cpu_us_each("requests")),
    Measure("p50 over direct, µs, open loop", "open", quantile("latency_us", "p50"), over_direct=True),
    Measure("p99 over direct, µs, open loop", "open", quantile("latency_us", "p99"), over_direct=True),
    Measure("errors", "closed", lambda result: result["errors"]),
)
FIRST_BYTE = Measure("first byte p50 over direct, µs, open loop", "open", quantile("first_byte_us", "p50"), over_direct=True)
OF_STREAMS = (
    Measure("KiB/open stream", "closed", kib_each_stream),
    Measure("CPU µs/token", "closed", cpu_us_each("tokens")),
    Measure("token p50 over direct, µs", "closed", quantile("token_delay_us", "p50"), over_direct=True),
    Measure("token p99 over direct, µs", "closed", quantile("token_delay_us", "p99"), over_direct=True),
    Measure("tokens/s", "closed", lambda result: result["tokens"] / result["seconds"]),
    Measure("idle MiB", "closed", lambda result: result["idle_kib"] / 1024 if "proxy" in result else None),
    Measure("open streams, least", "closed", lambda result: result["active_min"]),
    Measure("errors", "closed", lambda result: result["errors"]),
)
NO_RATIO = ("errors", "open streams, least", "tokens/s")


def measures_of(scenario):
    if SCENARIOS[scenario].streams:
        return OF_STREAMS
    return (*OF_REQUESTS, FIRST_BYTE) if "--stream" in SCENARIOS[scenario].load else OF_REQUESTS


class Results:
    """`rows`: results of `load`, each with its round, scenario, target and mode."""

    def __init__(self, rows):
        self.rows = {(row["scenario"], row["mode"], row["target"], row["round"]): row for row in rows}
        self.rounds = sorted({row["round"] for row in rows})
        self.scenarios = [name for name in SCENARIOS if any(row["scenario"] == name for row in rows)]
        self.targets = list(dict.fromkeys(row["target"] for row in sorted(rows, key=lambda row: row["place"])))

    def values(self, scenario, measure, target):
        """Round -> value."""
        found = {}
        for number in self.rounds:
            row = self.rows.get((scenario, measure.mode, target, number))
            value = measure.value(row) if row else None
            if measure.over_direct and value is not None:
                direct = self.rows.get((scenario, measure.mode, "direct", number))
                below = measure.value(direct) if direct and target != "direct" else None
                value = None if below is None else value - below
            if value is not None:
                found[number] = value
        return found

    def median(self, scenario, measure, target):
        values = self.values(scenario, measure, target).values()
        return statistics.median(values) if values else None

    def ratio(self, scenario, measure, target):
        """To nginx in the same round: the median over rounds."""
        mine, base = self.values(scenario, measure, target), self.values(scenario, measure, BASE)
        ratios = [value / base[number] for number, value in mine.items() if value > 0 and base.get(number, 0) > 0]
        return statistics.median(ratios) if ratios else None


def figure(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(head, lines):
    """Markdown that is also read as it stands."""
    cells = [head, *lines]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]

    def row(line):
        padded = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]
        return f"| {' | '.join(padded)} |"

    rule = "|" + "|".join("-" * (width + 2) if at == 0 else "-" * (width + 1) + ":" for at, width in enumerate(widths)) + "|"
    return "\n".join([row(head), rule, *(row(line) for line in lines)])


def of_rounds(results):
    """The ratios, then the figures."""
    rivals = [target for target in results.targets if target not in ("direct", BASE)]
    ratios = [[f"{scenario} {measure.text}", *(figure(results.ratio(scenario, measure, target)) for target in rivals)]
              for scenario in results.scenarios for measure in measures_of(scenario) if measure.text not in NO_RATIO]
    text = ""
    if BASE in results.targets and rivals:
        text = f"Ratios to {BASE} in the same round, median of {len(results.rounds)} rounds:\n\n{table(['', *rivals], ratios)}\n\n"
    for scenario in results.scenarios:
        lines = [[measure.text, *(figure(results.median(scenario, measure, target)) for target in results.targets)]
                 for measure in measures_of(scenario)]
        text += f"{scenario}: {SCENARIOS[scenario].text}, {SCENARIOS[scenario].connections:,} connections\n\n"
        text += table(["median", *results.targets], lines) + "\n\n"
    foreign = [row["foreign_cores"] for row in results.rows.values()]
    return text + f"Other programs used {statistics.median(foreign):.2f} cores (median of runs; at most {max(foreign):.2f}).\n"


def of_extra(lines):
    """Each figure, and its ratio to nginx where there is one."""
    def cell(line, name):
        if name not in line:
            return "-"
        ratio = f" ({figure(line[name] / line[BASE])})" if line.get(BASE) and name != BASE else ""
        return figure(line[name]) + ratio

    names = list(dict.fromkeys(name for line in lines.values() for name in line))
    return table([f"in brackets: to {BASE}" if BASE in names else "", *names],
                 [[text, *(cell(line, name) for name in names)] for text, line in lines.items()])


def of_machine(facts):
    return (f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}\n"
            f"fairlead {facts['fairlead']}, nginx {facts['nginx']}, haproxy {facts['haproxy']}, {facts['compiler']}\n"
            f"fdatasync of a page in the ledger's folder, median: {facts['fdatasync_us']} µs, and {facts['fdatasync_growing_us']} µs "
            "where the file grows")
