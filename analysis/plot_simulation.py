#!/usr/bin/env python3
"""How a training scales on a simulated cluster: weak and strong efficiency against nodes.

    analysis/plot_simulation.py runs/simulation --output simulation.png

Reads weak.csv and strong.csv of tests/simgrid/run.sh.
"""
import argparse
import pathlib
import sys

import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

import plot_comparison
from plot_comparison import plt

GOAL = 0.95
# Okabe and Ito's colours, which people with any colour vision tell apart; and a marker and dashes of its own for each.
LOOKS = [("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "^", "-."), ("#CC79A7", "D", ":"),
         ("#000000", "v", (0, (5, 1, 1, 1, 1, 1)))]
PANELS = {"weak": ("weak scaling: tasks grow with the nodes", "work per node and second,\nbeside one node alone"),
          "strong": ("strong scaling: one suite on more nodes", "speed-up of an iteration / nodes")}
CAPTION = ("Simulated with SimGrid: sharding, batches and sums are the program's own, times of tasks are measured ones "
           "injected. One rank a node.")
COLUMNS = ("study", "ranks", "threads", "scaling")


def read(folder):
    """{study kind: table}. @raises ValueError naming file and column"""
    tables = {}
    for kind in PANELS:
        path = folder / f"{kind}.csv"
        table = pd.read_csv(path)
        missing = [column for column in COLUMNS if column not in table.columns]
        if missing or table.empty:
            raise ValueError(f"{path}: has no {missing[0] if missing else 'row'}; tests/simgrid/run.sh writes it")
        tables[kind] = table
    return tables


def plot(tables):
    """A figure with one panel a kind of study, one line a study."""
    figure, axes = plt.subplots(1, len(tables), figsize=(6.4 * len(tables), 4.8), squeeze=False, dpi=130)
    for axis, (kind, table) in zip(axes[0], tables.items()):
        for (study, rows), (colour, marker, dashes) in zip(table.groupby("study", sort=False), LOOKS):
            axis.plot(rows["ranks"], rows["scaling"], color=colour, marker=marker, linestyle=dashes, markersize=5,
                      linewidth=1.6, label=study)
        if kind == "weak":
            axis.axhline(GOAL, color="#888888", linewidth=0.9)
            axis.annotate(f"{GOAL:g}", (0, GOAL), (3, -2), textcoords="offset points", xycoords=("axes fraction", "data"),
                          fontsize=8, color="#555555", ha="left", va="top")
        nodes = sorted(table["ranks"].unique())
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_locator(FixedLocator(nodes))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axis.tick_params(axis="x", labelsize=8)
        title, label = PANELS[kind]
        axis.set_title(title)
        axis.set_xlabel("nodes (log scale)")
        axis.set_ylabel(f"efficiency: {label}")
        lowest = min(table["scaling"].min(), GOAL)
        axis.set_ylim(0 if lowest < 0.5 else lowest - 0.15, 1.02)  # room for the legend below the lines
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8, loc="lower left")
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.text(0.5, 0.015, CAPTION, ha="center", fontsize=8, color="#444444")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="with weak.csv and strong.csv")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE", help=".png or .svg")
    arguments = parser.parse_args()
    return plot_comparison.command("plot_simulation", arguments, lambda: plot(read(arguments.folder)))


if __name__ == "__main__":
    sys.exit(main())
