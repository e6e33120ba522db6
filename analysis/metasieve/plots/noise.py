"""Noise reduction of each method against the noise rate.

Noise reduction is 1 - (share of wrong labels among the selected rows) / (share among all training rows).
"""
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from .. import read
from ..methods import GREY, in_order, method_style
from . import style
from .style import plt

LEAST = 5  # tasks of a bin at least
APART = 0.02  # noise rates that differ by less share a bin
NOTE = ("100 %: no wrong label is selected; 0 %: as many as among all rows.\n"
        "Means over repeats of similar noise rate, with 95 % intervals.")
BINS = 6
# Methods that select rows and see no clean label.
METHODS = ("meta_hard", "meta_soft", "trained_hard", "trained_soft", "greedy", "roh", "random", "untrained_hard")


def draw(options):
    table = table_of(read(options.files[0], "evaluation"))
    yield "", plot(table), table


def binned(rows):
    """Returns a row for each bin of tasks of similar noise rate, as many in each: mean and normal 95 % interval."""
    rows = rows.sort_values("noise_rate_all")
    count = int(np.clip(len(rows) // LEAST, 1, BINS)) if np.ptp(rows["noise_rate_all"]) >= APART else 1
    out = []
    for part in np.array_split(np.arange(len(rows)), count):
        chosen = rows.iloc[part]
        mean = chosen["noise_reduction"].mean()
        half = 1.96 * chosen["noise_reduction"].sem() if len(chosen) > 1 else np.nan
        out.append({"noise_rate": chosen["noise_rate_all"].mean(), "tasks": len(chosen), "reduction": mean,
                    "low": mean - half, "high": mean + half})
    return pd.DataFrame(out)


def rows_of(evaluation):
    """Returns the rows of /evaluation that can be drawn: METHODS on tasks with wrong labels."""
    rows = evaluation.table("evaluation")
    return rows[(rows["noise_reduction_defined"] == 1) & rows["method"].isin(METHODS) & (rows["failed"] == 0)]


def table_of(evaluation):
    """Returns a row for each source, method and bin of noise rates. Raises ValueError if no task has noise."""
    rows = rows_of(evaluation)
    if rows.empty:
        raise ValueError(f"{evaluation.path}: no task has flipped training labels that are known")
    rows = rows.groupby(["source", "split", "method"], as_index=False, sort=False)[
        ["noise_rate_all", "noise_reduction"]].mean()  # over the policies
    return pd.concat([binned(group).assign(source=source, method=method)
                      for (source, method), group in rows.groupby(["source", "method"], sort=False)],
                     ignore_index=True)[["source", "method", "noise_rate", "tasks", "reduction", "low", "high"]]


def plot(table):
    """Returns a figure of the noise reduction against the noise rate.

    It has a panel for each source, or a single one where each source has only one noise rate.
    """
    sources = list(dict.fromkeys(table["source"]))
    if table.groupby(["source", "method"]).size().max() == 1:
        figure, axis = plt.subplots(figsize=(max(2.4 * len(sources) + 2, 6.4), 4.6))
        axes, handles = [axis], draw_side_by_side(axis, table, sources)
    else:
        figure, axes = plt.subplots(1, len(sources), figsize=(max(4.6 * len(sources), 6.4), 4.8), squeeze=False,
                                    sharey=True)
        axes, handles = list(axes[0]), {}
        for axis, source in zip(axes, sources):
            handles |= draw_curves(axis, table[table["source"] == source])
            axis.set_title(source)
    for axis in axes:
        axis.axhline(0, color=GREY, linewidth=0.9, zorder=1)
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[0].set_ylabel("noise reduction in the selection")
    style.below(figure, NOTE, handles)
    return figure


def draw_means(axis, method, x, points, line):
    """Draws the means of one method with their intervals. Returns what was drawn."""
    _, colour, marker = method_style(method)
    sides = (points["reduction"] - points["low"]).fillna(0)
    return axis.errorbar(x, points["reduction"], yerr=sides, color=colour, marker=marker, markersize=6, linestyle=line,
                         linewidth=1.4, elinewidth=0.9, capsize=2)


def draw_curves(axis, rows):
    """Draws a line for each method over the bins of noise rates. Returns {name: what was drawn}."""
    axis.set_xlabel("wrong labels among all training rows")
    axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    handles = {}
    for method in in_order(set(rows["method"])):
        points = rows[rows["method"] == method]
        handles[method_style(method)[0]] = draw_means(axis, method, points["noise_rate"], points, "-")
    axis.set_xlim(left=0)
    return handles


def draw_side_by_side(axis, table, sources):
    """Draws the methods side by side, in a group for each source. Returns {name: what was drawn}."""
    methods = in_order(set(table["method"]))
    rates = table.groupby("source")["noise_rate"].mean()
    axis.set_xticks(range(len(sources)), [f"{source}\n{100 * rates[source]:.0f} % of the labels wrong"
                                          for source in sources])
    axis.grid(axis="x", visible=False)
    handles = {}
    for number, method in enumerate(methods):
        points = table[table["method"] == method]
        aside = 0.7 * ((number + 0.5) / len(methods) - 0.5)
        handles[method_style(method)[0]] = draw_means(axis, method, points["source"].map(sources.index) + aside, points,
                                                      "")
    return handles
