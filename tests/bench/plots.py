#!/usr/bin/env python3
"""Draws docs/performance-throughput.png and docs/performance-memory.png from what `run.py --plots` measured."""
import json
import pathlib
import statistics

import matplotlib
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLOURS = {"direct": "#9a9a9a", "nginx": "#2f8f4e", "haproxy": "#2f6fb0", "fairlead": "#c8402f"}


def axes(title, x, y):
    figure, plot = pyplot.subplots(figsize=(7.2, 4.2), dpi=144)
    plot.set_title(title, fontsize=11, loc="left")
    plot.set_xlabel(x)
    plot.set_ylabel(y)
    plot.grid(True, which="major", color="#e4e4e4", linewidth=0.8)
    for side in ("top", "right"):
        plot.spines[side].set_visible(False)
    return figure, plot


def save(figure, plot, name, note):
    plot.legend(frameon=False)
    figure.text(0.01, 0.01, note, fontsize=6.5, color="#707070")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(ROOT / "docs" / name, metadata={"Software": None})
    pyplot.close(figure)


def style(name):
    return {"color": COLOURS.get(name), "label": name, "marker": "o", "markersize": 4, "linewidth": 2.2 if name == "fairlead" else 1.4}


def throughput(curves, note):
    figure, plot = axes("One core, 1 KB in and out: 1, 2, 4 … 64 connections", "requests a second", "latency, median (ms)")
    for name, points in curves.items():
        plot.plot([point[1] for point in points], [point[2] / 1000 for point in points], **style(name))
    plot.set_yscale("log")
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    plot.set_xlim(left=0)
    save(figure, plot, "performance-throughput.png", note)


def memory(points_of, note):
    figure, plot = axes("Open streams, a token every 0.4 s", "open streams", "memory of the process (MiB)")
    for name, points in points_of.items():
        plot.plot([point[0] for point in points], [point[1] for point in points], **style(name))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    plot.set_xlim(left=0)
    plot.set_ylim(bottom=0)
    save(figure, plot, "performance-memory.png", note)


def main():
    measured = json.loads((ROOT / "build/bench/plots.json").read_text())
    facts = measured["machine"]
    foreign = statistics.median(point[4] for points in measured["throughput"].values() for point in points)
    note = (f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}; fairlead {facts['fairlead']}, {facts['date']}; "
            f"other programs used {foreign:.2f} cores meanwhile (median)")
    throughput(measured["throughput"], note)
    memory(measured["memory"], note)


if __name__ == "__main__":
    main()
