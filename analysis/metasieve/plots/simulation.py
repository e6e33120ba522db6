"""Weak and strong efficiency of a training on a simulated cluster against its nodes."""
import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from ..methods import BLACK, BLUE, GREEN, ORANGE, PINK
from . import style
from .style import plt

GOAL = 0.95
LOOKS = [(BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "^", "-."), (PINK, "D", ":"),
         (BLACK, "v", (0, (5, 1, 1, 1, 1, 1)))]  # each with its own marker and dashes
PANELS = {"weak": ("weak scaling: tasks grow with the nodes", "work per node and second,\nbeside one node alone"),
          "strong": ("strong scaling: one suite on more nodes", "speed-up of an iteration / nodes")}
CAPTION = ("Simulated with SimGrid: sharding, batches and sums are the program's own, times of tasks are measured ones "
           "injected. One rank a node.")
COLUMNS = ("study", "ranks", "threads", "scaling")


def draw(options):
    tables = read(options.files[0])
    yield "", plot(tables), table_of(tables)


def read(folder):
    """Returns {kind of study: table}. Raises ValueError that names file and column."""
    tables = {}
    for kind in PANELS:
        path = folder / f"{kind}.csv"
        table = pd.read_csv(path)
        missing = [column for column in COLUMNS if column not in table.columns]
        if missing or table.empty:
            raise ValueError(f"{path}: has no {missing[0] if missing else 'row'}; tests/simgrid/run.sh writes it")
        tables[kind] = table
    return tables


def table_of(tables):
    """Returns all rows that are drawn, with the column `kind` first."""
    return pd.concat([table.assign(kind=kind)[["kind", *COLUMNS]] for kind, table in tables.items()])


def plot(tables):
    """Returns a figure with a panel for each kind of study and a line for each study."""
    figure, axes = plt.subplots(1, len(tables), figsize=(6.4 * len(tables), 4.8), squeeze=False, dpi=130)
    for axis, (kind, table) in zip(axes[0], tables.items()):
        for (study, rows), (colour, marker, dashes) in zip(table.groupby("study", sort=False), LOOKS):
            axis.plot(rows["ranks"], rows["scaling"], color=colour, marker=marker, linestyle=dashes, markersize=5,
                      linewidth=1.6, label=study)
        if kind == "weak":
            axis.axhline(GOAL, color="#888888", linewidth=0.9)
            axis.annotate(f"{GOAL:g}", (0, GOAL), (3, -2), textcoords="offset points", fontsize=8, color="#555555",
                          xycoords=("axes fraction", "data"), ha="left", va="top")
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
        axis.legend(fontsize=8, loc="lower left")
    style.below(figure, CAPTION)
    return figure
